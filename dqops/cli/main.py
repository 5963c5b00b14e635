"""``dqops``: commands are loaded when they are asked for, and every error ends as one sentence."""

import gc
import os
import signal
import sys
from importlib import import_module

import click

from dqops.errors import DqopsError
from dqops.version import VERSION

_GARBAGE = 20_000  # objects between two searches for garbage: imports make many objects and hardly any cycle
_COMMANDS = {
    "appraise": ("cli.appraise", "Tell what each row of DATA is worth to your model."),
    "audit": ("cli.audit", "Search DATA for errors, price them on your model, worst first."),
    "bench": ("cli.bench", "Tell which cleaning strategy wins on DATA, where the truth is known."),
    "certify": ("cli.certify", "Tell which predictions no repair of DATA can change."),
    "clean": ("cli.clean", "Clean DATA as it pays for your model, and keep the trail."),
    "datasets": ("cli.datasets", "List the data sets that dqops knows."),
    "price": ("cli.price", "Tell what resolving each doubt of DATA adds to your model's score."),
    "prioritize": ("cli.prioritize", "Rank the doubts of DATA by what resolving each gains for its cost."),
    "propagate": ("cli.propagate", "Tell how the score of a model falls as noise in DATA rises."),
    "feasibility": ("cli.feasibility", "Tell whether any model can reach a score on DATA."),
    "review": ("cli.review", "Ask people about the doubts of DATA, and read their answers."),
    "schema": ("cli.schema", "Infer a pandera schema from DATA."),
    "undo": ("cli.clean", "Take back what a plan changed in a cleaned file."),
    "validate": ("cli.schema", "Check all cells of DATA against a schema."),
}


class _Lazy(click.Group):
    """A group that imports a command only when it runs, and turns every `DqopsError` into one sentence."""

    def list_commands(self, ctx):
        return sorted(_COMMANDS)

    def get_command(self, ctx, name):
        if name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[name]
        return getattr(import_module(f"dqops.{module}"), name)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_COMMANDS.items())])

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except DqopsError as error:
            click.echo(f"dqops: {error}", err=True)
            ctx.exit(error.exit_code)
        except MemoryError:
            click.echo("dqops: the table does not fit in memory; need a smaller one, or more memory", err=True)
            ctx.exit(3)
        except BrokenPipeError:
            sys.stderr.close()
            ctx.exit(0)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as surprise:
            # The outermost border: a fault of dqops itself is told as such, in one sentence.
            if "DQOPS_DEBUG" in os.environ:
                raise
            what = " ".join(str(surprise).split())[:200]
            click.echo(f"dqops: a fault of dqops itself ({type(surprise).__name__}: {what}); DQOPS_DEBUG=1 shows where", err=True)
            ctx.exit(3)


@click.group(cls=_Lazy, context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="dqops")
def main():
    """What dirty data costs your model, with an interval, and what to clean first."""
    signal.signal(signal.SIGTERM, _ended)
    gc.set_threshold(_GARBAGE)


def _ended(signum, frame):
    """SIGTERM unwinds like Ctrl-C, so that temporary files are removed."""
    raise KeyboardInterrupt

"""Flags that several commands share: one name, one meaning, written once."""

import click

_FLAGS = {
    "target": click.option("--target", required=True, help="Column that the model predicts."),
    "key": click.option("--key", help="Column that identifies a row."),
    "time": click.option("--time", help="Column in which splits go forward."),
    "group": click.option("--group", help="Column whose rows stay on one side of a split."),
    "ignore": click.option("--ignore", multiple=True, help="Column that nobody looks at; may be repeated, or a,b,c."),
    "weight": click.option("--weight", help="Column of sample weights."),
    "trusted": click.option("--trusted", help="Column that marks rows known to be clean."),
    "query": click.option("--query", help="SQL, where DATA is the URL of a database."),
    "encoding": click.option("--encoding", help="Encoding of text; guessed by default."),
    "delimiter": click.option("--delimiter", help="Delimiter of text; guessed by default."),
    "model": click.option("--model", default="auto", help="auto, linear, knn, forest, boosting, or package.module:attribute."),
    "allow-pickle": click.option("--allow-pickle", is_flag=True, help="Let --model be a pickle file. Pickles run code."),
    "scoring": click.option("--scoring", help="Scorer name of scikit-learn.  [default: accuracy or r2]"),
    "holdout": click.option("--holdout", help="Rows that judge, instead of cross-validation."),
    "detectors": click.option("--detectors", help="Names, with commas between.  [default: all]"),
    "effort": click.option("--effort", type=click.Choice(["quick", "standard", "thorough"]), default="standard"),
    "max-seconds": click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Time for pricing."),
    "seed": click.option("--seed", type=click.IntRange(min=0), default=0),
    "jobs": click.option("--jobs", type=int, default=-1, help="Splits worked on side by side; -1 takes all cores."),
    "json": click.option("--json", "json_path", help="Write JSON to this file, - for stdout."),
    "html": click.option("--html", "html_path", help="Write one self-contained page to this file."),
}


def flags(*names):
    """These flags, in this order, on a command."""

    def added(command):
        for name in reversed(names):
            command = _FLAGS[name](command)
        return command

    return added

"""``python -m dqops``."""

from dqops.cli.main import main

main(prog_name="dqops")

"""`python -m tick.cli` is `tick`."""

from tick.cli import main

main(prog_name="tick")

"""`python -m ivr`: the `ivr` command."""

from __future__ import annotations

from ivr.cli.main import main

main(prog_name="ivr")

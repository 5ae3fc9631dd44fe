"""Get the customer systems of the tests ready, or run one until Ctrl-C.

    python -m deploy.crm make                           what `make test` needs
    python -m deploy.crm run odoo|tryton-8.2|tryton-6.0 [--crowd 1000]

They are kept in var/crm; what is written in one that runs is gone when it ends.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from deploy.crm.odoo import odoo
from deploy.crm.people import PEOPLE, Person, crowd
from deploy.crm.tryton import VERSIONS, make_tryton, tryton
from ivr.errors import IvrError

HOME = Path(__file__).parents[2] / "var" / "crm"
ENDING = {signal.SIGINT, signal.SIGTERM}


def main() -> int:
    """Returns 0, or 1 when something is missing; the one line on standard error says what."""
    parser = argparse.ArgumentParser(prog="python -m deploy.crm", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("make", help="get ready what `make test` needs")
    run = actions.add_parser("run", help="run a system")
    run.add_argument("system", choices=["odoo", *(f"tryton-{version}" for version in VERSIONS)])
    run.add_argument("--crowd", type=int, default=0, metavar="N", help="this many people more")
    arguments = parser.parse_args()
    try:
        if arguments.action == "make":
            make_tryton(HOME, _say, version=VERSIONS[0], people=PEOPLE)
        else:
            _run(arguments.system, (*PEOPLE, *crowd(arguments.crowd)))
    except IvrError as error:
        print(f"crm: {error}", file=sys.stderr)
        return 1
    return 0


def _run(system: str, people: Sequence[Person]) -> None:
    with tempfile.TemporaryDirectory() as text, ExitStack() as stack:
        folder = Path(text)
        if system == "odoo":
            running = stack.enter_context(odoo(HOME, folder, _say, people=people))
            _say(f"{running.url} database {running.database}, key {running.key} of {running.login}")
        else:
            version = system.removeprefix("tryton-")
            there = stack.enter_context(tryton(HOME, folder, _say, version=version, people=people))
            _say(f"{there.url} database {there.database}, {there.login} / {there.password}")
        _say("Ctrl-C stops it")
        # Blocked only now: the server would inherit it and be deaf to our goodbye.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        signal.sigwait(ENDING)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m deploy.asterisk setup|run`: get the private Asterisk ready, or run it until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from deploy.asterisk.set_up import set_up
from ivr.config.loading import load
from ivr.errors import IvrError

ENDING = {signal.SIGINT, signal.SIGTERM}


def main() -> int:
    """Returns 0, or 1 when something is missing; the one line on standard error says what to do."""
    parser = argparse.ArgumentParser(prog="python -m deploy.asterisk", description=__doc__)
    parser.add_argument("command", choices=("setup", "run"), help="get everything ready, or also run it until Ctrl-C")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="the configuration file")
    arguments = parser.parse_args()
    try:
        private = set_up(load(arguments.config), lambda line: print(line, flush=True))
        if arguments.command == "run":
            with private:
                print(f"Asterisk takes calls at {private.sip_address}; Ctrl-C stops it", flush=True)
                # Blocked only now: Asterisk would inherit it and be deaf to our goodbye.
                signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
                signal.sigwait(ENDING)
    except IvrError as error:
        print(f"asterisk: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

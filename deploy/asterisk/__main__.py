"""`python -m deploy.asterisk setup|run|cli`: get a private Asterisk ready, run it until Ctrl-C, ask a running one."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from deploy.asterisk.set_up import prepared, set_up
from ivr.config.loading import load
from ivr.errors import IvrError

ENDING = {signal.SIGINT, signal.SIGTERM}


def main() -> int:
    """Returns 0, or 1 when something is missing; the one line on standard error says what to do."""
    parser = argparse.ArgumentParser(prog="python -m deploy.asterisk", description=__doc__)
    parser.add_argument("action", choices=("setup", "run", "cli"), help="get everything ready; also run it; ask it")
    parser.add_argument("words", nargs="*", help="a command for Asterisk's console, after cli")
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="the configuration file")
    arguments = parser.parse_args()
    try:
        config = load(arguments.config)
        if arguments.action == "cli":
            print(prepared(config, _say).cli(" ".join(arguments.words)), end="")
            return 0
        private = set_up(config, _say)
        if arguments.action == "run":
            with private:
                print(f"Asterisk takes calls at {private.sip_address}; Ctrl-C stops it", flush=True)
                # Blocked only now: Asterisk would inherit it and be deaf to our goodbye.
                signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
                signal.sigwait(ENDING)
    except IvrError as error:
        print(f"asterisk: {error}", file=sys.stderr)
        return 1
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

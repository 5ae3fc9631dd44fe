"""`python -m deploy.demo`: the demonstration of `make run`.

Makes what it needs, starts a private Asterisk and Klantlijn, places a few calls and shows what
happens in them, and keeps taking calls until Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from deploy.asterisk.ports import require_free
from deploy.asterisk.private import PrivateAsterisk
from deploy.asterisk.set_up import set_up
from deploy.demo.calls import demonstrate
from deploy.demo.crm import make_crm
from ivr.app import Application
from ivr.cli.serving import serve
from ivr.config.loading import load
from ivr.config.model import Config
from ivr.errors import InvalidFiles, IvrError
from ivr.logs import configure


def main() -> int:
    """Returns 0, or 1 when it cannot start; the lines on standard error say what to do."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"), help="the configuration file")
    parser.add_argument("--no-calls", action="store_true", help="place no demonstration calls")
    arguments = parser.parse_args()
    try:
        config = load(arguments.config)
        # What happens is shown call by call; only what needs attention is logged.
        configure(config.log.model_copy(update={"level": "warning"}))
        require_ports(config)
        make_crm_of(config)
        with set_up(config, say) as asterisk:
            serve(config, journeys=True, during=None if arguments.no_calls else demonstration(asterisk))
    except InvalidFiles as error:
        print(error, file=sys.stderr)
        return 1
    except IvrError as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    return 0


def require_ports(config: Config) -> None:
    """Say which port is taken before anything is started. Asterisk's own are looked at when it starts."""
    fastagi, http, private = config.asterisk.fastagi, config.http, config.asterisk.private
    require_free("tcp", fastagi.host, fastagi.port, purpose="calls from Asterisk", key="asterisk.fastagi.port")
    require_free("tcp", http.host, http.port, purpose="the web server", key="http.port")
    require_free(
        "udp", "127.0.0.1", private.trunk_port, purpose="the demonstration's callers", key="asterisk.private.trunk_port"
    )


def make_crm_of(config: Config) -> None:
    """Make the CRM that the configuration's connector `crm` reads."""
    url = str(config.connectors["crm"].settings["url"])
    make_crm(config.folder / url.partition(":///")[2], datetime.now(ZoneInfo(config.organisation.time_zone)).date())


def say(line: str) -> None:
    """A line for the person who typed `make run`."""
    print(line, flush=True)


def demonstration(asterisk: PrivateAsterisk) -> Callable[[Application], Awaitable[None]]:
    """What happens once Klantlijn takes calls."""

    async def run(app: Application) -> None:
        await demonstrate(app, asterisk.sip_address)
        host = asterisk.sip_address.removeprefix("sip:")
        say(f"\nReady: dial sip:100@{host} from a softphone on this machine. Ctrl-C stops.")

    return run


if __name__ == "__main__":
    sys.exit(main())

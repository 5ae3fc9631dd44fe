"""The Asterisk under test, and what a test needs to reach it."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing
from pathlib import Path

from deploy.asterisk.private import PrivateAsterisk
from ivr.config.model import Config

HOME = Path(__file__).parents[2] / "var" / "asterisk"
"""Where this checkout keeps its private Asterisk and the sounds it made."""


class AsteriskUnderTest:
    """A running Asterisk and what a test needs to reach it.

    An engine, or a fake one, listens on `config.asterisk.fastagi`. Calls go to `sip_host`:`sip_port`; Asterisk's own
    calls arrive at `trunk_port`. The queues are `support-own` and `support-partner`; agents pick up after a second.
    """

    def __init__(self, config: Config, home: Path, private: PrivateAsterisk) -> None:
        self.config = config
        self.home = home
        self.private = private
        self.sip_host = config.asterisk.private.sip_host
        self.sip_port = config.asterisk.private.sip_port
        self.trunk_port = config.asterisk.private.trunk_port
        self.ami_port = config.asterisk.ami.port
        self.ami_secret = config.asterisk.ami.secret_file.read_text().strip()
        self.log = private.log
        self.sounds = HOME / "sounds"

    async def cli(self, command: str) -> str:
        """What Asterisk's console answers."""
        return await asyncio.to_thread(self.private.cli, command)

    async def restart(self) -> None:
        """Stop Asterisk in good order and start it again."""
        await asyncio.to_thread(self.private.restart)

    async def kill(self) -> None:
        """End Asterisk as a crash would. `restart` brings it back."""
        await asyncio.to_thread(self.private.kill)

    async def channels(self) -> int:
        """How many channels there are."""
        return int((await self.cli("core show channels count")).split()[0])

    async def quiet(self, limit: float = 10.0) -> None:
        """Wait until no channel is left."""
        deadline = time.monotonic() + limit
        while await self.channels():
            if time.monotonic() > deadline:
                raise TimeoutError(await self.cli("core show channels concise"))
            await asyncio.sleep(0.05)

    def complaints(self) -> list[str]:
        """The warnings and errors that Asterisk has logged since it was started."""
        return [
            line
            for line in self.log.read_text(errors="replace").splitlines()
            if " WARNING[" in line or " ERROR[" in line
        ]


def free_port(kind: socket.SocketKind) -> int:
    """A port of loopback that nobody has now."""
    with closing(socket.socket(socket.AF_INET, kind)) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def config_for(home: Path) -> Config:
    """The configuration of the Asterisk under test: the demonstration's queues on ports of its own."""
    return Config.model_validate(
        {
            "organisation": {"name": "Lijnnet"},
            "asterisk": {
                "fastagi": {"port": free_port(socket.SOCK_STREAM)},
                "ami": {"port": free_port(socket.SOCK_STREAM), "secret_file": home / "ami.secret"},
                "private": {
                    "sip_port": free_port(socket.SOCK_DGRAM),
                    "trunk_port": free_port(socket.SOCK_DGRAM),
                    "rtp_from": 20000,
                    "rtp_to": 29999,
                },
            },
            "entries": [{"dialled": "*", "flow": "lijnnet"}],
            "sites": {
                "own": {"queues": {"support": "support-own"}},
                "partner": {"queues": {"support": "support-partner"}},
            },
            "queues": {"support": {"split": {"own": 70, "partner": 30}}},
            "fallback_queue": "support",
        }
    )

"""Klantlijn itself as a process of its own beside the Asterisk under test, to be started, asked, stopped and killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientError, ClientSession

from deploy.demo.crm import make_crm
from ivr.cli.calls import as_json_object
from ivr.config.loading import load
from ivr.store.contacts import StoredContacts
from ivr.store.database import Database
from tests.asterisk.asterisk_under_test import AsteriskUnderTest, free_port

ROOT = Path(__file__).parents[2]
START_LIMIT = 30.0

Json = Any


class EngineUnderTest:
    """One engine with the demo's flows, its own database, CRM and spool in `home`; or with those of another `project`,
    a folder with a config.yaml, whose CRM somebody else makes in `home`/var/crm.db.

    `settings` changes what `config.yaml` says, by its sections: `{"callbacks": {"retry_after": "1s"}}`. `environment`
    is what the process finds there beside what the tests have themselves.
    """

    def __init__(
        self, asterisk: AsteriskUnderTest, home: Path, settings: dict[str, dict[str, Any]], project: Path = ROOT
    ) -> None:
        self.environment: dict[str, str] = {}
        self.asterisk = asterisk
        self.home = home
        self.project = project
        self.config = home / "config.yaml"
        self.log = home / "engine.log"
        self.http_port = free_port(socket.SOCK_STREAM)
        self._process: asyncio.subprocess.Process | None = None
        self._write(settings)
        if project == ROOT:
            make_crm(home / "var" / "crm.db", date.today())  # noqa: DTZ011 - the demo's orders are dated by local days

    @property
    def sip_uri(self) -> str:
        """What a caller dials."""
        return f"sip:100@{self.asterisk.sip_host}:{self.asterisk.sip_port}"

    async def start(self) -> None:
        """Start and wait until it takes calls and is connected to Asterisk and database."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ivr", "run", "--journeys", "--config", str(self.config)),
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            )
        await self.until(self.healthy, START_LIMIT, "the engine to be healthy")

    async def stop(self, limit: float = 60.0) -> int:
        """Stop in good order; the exit code."""
        return await self._end(signal.SIGTERM, limit)

    async def kill(self) -> None:
        """End it as a crash would."""
        await self._end(signal.SIGKILL, 10.0)

    async def healthy(self) -> bool:
        """Whether it says that it is well."""
        return bool((await self.health()).get("ok"))

    async def health(self) -> dict[str, Json]:
        """What `/health` tells; empty when it does not answer."""
        try:
            async with ClientSession() as session, session.get(f"http://127.0.0.1:{self.http_port}/health") as answer:
                found: dict[str, Json] = await answer.json()
                return found
        except (ClientError, OSError):
            return {}

    async def ivr(self, *arguments: str) -> str:
        """What an `ivr` command prints. Fails the test when it fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivr", *arguments, "--config", str(self.config)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), 30)
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def calls(self) -> list[dict[str, Json]]:
        """The journal as `ivr calls --json --reveal` prints it, newest call first, without the time a process takes."""
        config = load(self.config).database
        database = Database(config.url, timeout=config.timeout)
        try:
            told = await StoredContacts(database).contacts()
        finally:
            await database.close()
        printed = json.dumps([as_json_object(contact, events, reveal=True) for contact, events in told])
        found: list[dict[str, Json]] = json.loads(printed)
        return found

    async def until(self, holds: Callable[[], Awaitable[Any]], limit: float, what: str) -> Any:
        """Wait until an asynchronous question is answered with something true; that answer."""
        try:
            async with asyncio.timeout(limit):
                while not (answer := await holds()):
                    if self._process is not None and self._process.returncode is not None:
                        raise AssertionError(f"the engine ended:\n{self.told()}")
                    await asyncio.sleep(0.05)
                return answer
        except TimeoutError:
            raise AssertionError(f"waited {limit} s for {what}:\n{self.told()}") from None

    def told(self) -> str:
        """The end of what it wrote on its standard output and error."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    async def _end(self, number: int, limit: float) -> int:
        process = self._process
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        code = await asyncio.wait_for(process.wait(), limit)
        self._process = None
        return code

    def _write(self, settings: dict[str, dict[str, Any]]) -> None:
        config = yaml.safe_load((self.project / "config.yaml").read_text())
        private = self.asterisk.config.asterisk
        config["asterisk"]["fastagi"]["port"] = private.fastagi.port
        config["asterisk"]["ami"] |= {"port": private.ami.port, "secret_file": str(private.ami.secret_file)}
        config["asterisk"]["private"] |= {
            "sip_port": private.private.sip_port,
            "trunk_port": private.private.trunk_port,
        }
        config["http"]["port"] = self.http_port
        config["flows"] = {"path": str(self.project / "dialplans")}
        config.setdefault("speech", {})
        config["speech"] |= {"recordings": str(self.project / "prompts"), "cache": str(ROOT / "var" / "prompts")}
        config["connectors"]["crm"]["settings"]["url"] = "sqlite+aiosqlite:///var/crm.db"
        config["database"] = {"url": "sqlite+aiosqlite:///var/klantlijn.db"}
        config.pop("recordings", None)
        self.config.write_text(yaml.safe_dump(_changed(config, settings)), encoding="utf-8")


def _changed(section: dict[str, Json], changes: dict[str, Json]) -> dict[str, Json]:
    """A section with other values for some of its keys, however deep."""
    merged = {
        key: _changed(section.get(key) or {}, value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    return {**section, **merged}

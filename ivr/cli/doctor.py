"""`ivr doctor`: looks at everything Klantlijn stands on, and says what to fix."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from aiohttp import ClientError, ClientSession, ClientTimeout

from ivr.asterisk.ami_probe import probe
from ivr.cli.opening import wait_for
from ivr.cli.output import print_json
from ivr.clock import SystemClock
from ivr.config.loading import load, secret
from ivr.config.model import Config
from ivr.configured import errand_systems_of, guards_of, sources_of
from ivr.domain.capability import Capability
from ivr.domain.errand import ErrandState
from ivr.domain.index_state import IndexState
from ivr.errors import AmiLoginRefused, AmiUnavailable, ConnectorError, InvalidFiles, SetupError, StoreError
from ivr.flow.loader import examine
from ivr.speech.engines import engine as speech_engine
from ivr.speech.library import PromptLibrary
from ivr.store.recording_folder import OTHERS
from ivr.store.stores import Stores

# From this major version on FastAGI, AMI filters and queues do all that is asked of them.
OLDEST_ASTERISK = 18
ASK_ENGINE = ClientTimeout(total=3)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` is what to do when it is not well."""

    check: str
    ok: bool
    found: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of {check, ok, found, advice}.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Look at Asterisk, the manager login, ports, prompts, database and connectors; say what to fix.

    Exit codes: 0 all is well, 1 something is not.
    """
    findings = wait_for(_examine(ctx.obj))
    if as_json:
        print_json(
            [
                {"check": each.check, "ok": each.ok, "found": each.found, "advice": each.advice or None}
                for each in findings
            ]
        )
    else:
        for each in findings:
            click.echo(f"{'ok   ' if each.ok else 'WRONG'}  {each.check:<14} {each.found}")
            if not each.ok and each.advice:
                click.echo(f"       {'':<14} -> {each.advice}")
    ctx.exit(0 if all(each.ok for each in findings) else 1)


async def _examine(path: Path) -> list[Finding]:
    try:
        config = load(path)
    except InvalidFiles as error:
        count = len(error.problems)
        return [Finding("configuration", False, f"{count} problems in {path}", "run `ivr check` to see them")]
    findings = [Finding("configuration", True, str(path))]
    findings += [found async for found in _each(config)]
    return findings


async def _each(config: Config) -> AsyncIterator[Finding]:
    yield await asyncio.to_thread(_flows, config)
    yield await _prompts(config)
    yield await _database(config)
    yield _spool(config)
    yield _recordings(config)
    async for found in _connectors(config):
        yield found
    async for found in _indexes(config):
        yield found
    yield await asyncio.to_thread(_manager, config)
    engine = await _engine(config)
    yield engine
    if not engine.ok:
        fastagi, http = config.asterisk.fastagi, config.http
        yield _port("FastAGI port", fastagi.host, fastagi.port, "asterisk.fastagi.port")
        yield _port("web port", http.host, http.port, "http.port")


def _flows(config: Config) -> Finding:
    flows, problems = examine(sources_of(config))
    if flows is None:
        return Finding("flows", False, f"{len(problems)} problems", "run `ivr check` to see them")
    return Finding("flows", True, ", ".join(sorted(flows.flows)))


async def _prompts(config: Config) -> Finding:
    library = PromptLibrary(config.speech, speech_engine(config.speech), SystemClock())
    await library.open()
    try:
        problems = await library.problems()
    finally:
        await library.close()
    if problems:
        return Finding("prompts", False, problems[0], "; ".join(problems[1:]) or "see docs/prompts.md")
    return Finding("prompts", True, f"{config.speech.engine}, kept in {config.speech.cache}")


async def _database(config: Config) -> Finding:
    stores = Stores.of(config.database)
    try:
        await stores.database.migrate()
        callbacks = await stores.callbacks.callbacks(only_open=True)
        errands = await stores.errands.counts()
    except StoreError as error:
        return Finding("database", False, str(error), "start it, or change database.url in config.yaml")
    finally:
        await stores.database.close()
    return Finding("database", True, f"{stores.database.shown}, {len(callbacks)} open callbacks, {_told(errands)}")


def _told(errands: Mapping[ErrandState, int]) -> str:
    failed = f"{errands[ErrandState.FAILED]} failed"
    hint = " (`ivr errands --failed` says why)" if errands[ErrandState.FAILED] else ""
    return f"errands: {errands[ErrandState.WAITING]} waiting, {failed}{hint}"


async def _indexes(config: Config) -> AsyncIterator[Finding]:
    stores = Stores.of(config.database)
    try:
        for system in guards_of(config, SystemClock()):
            if Capability.CHANGES in system.capabilities:
                limits = config.connectors[system.name].index
                yield _index(system.name, await stores.index.state(system.name), limits.max_age)
    except StoreError:
        return  # said under "database"
    finally:
        await stores.database.close()


def _index(connector: str, state: IndexState | None, max_age: float) -> Finding:
    name = f"index of {connector}"
    if state is None:
        return Finding(name, True, "not begun yet; the engine builds it")
    if state.synced_at is None or state.full_at is None:
        return Finding(name, True, f"{state.customers} customers so far; it is used once everybody has been read")
    age = (SystemClock().now() - state.synced_at).total_seconds()
    told = f"{state.customers} customers, synced {round(age)} seconds ago"
    if age > max_age:
        advice = (
            "callers are asked for in the system itself until it is synced again; the engine's log says why it is not"
        )
        return Finding(name, False, f"{told}, which is too long", advice)
    return Finding(name, True, told)


def _spool(config: Config) -> Finding:
    folder = config.database.spool
    waiting = sum(1 for path in folder.glob("*") if path.is_file() and path.stat().st_size) if folder.is_dir() else 0
    return Finding("spool", True, f"{folder}, {waiting} files waiting for the database")


def _recordings(config: Config) -> Finding:
    folder = config.recordings.path
    if not folder.exists():
        return Finding("recordings", True, f"{folder} is made at start")
    if folder.stat().st_mode & OTHERS:
        return Finding("recordings", False, f"others can look into {folder}", f"chmod o-rwx {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("recordings", False, f"{folder} cannot be written", "see docs/recordings.md")
    return Finding("recordings", True, f"{folder}, kept for {config.recordings.keep_days} days")


async def _connectors(config: Config) -> AsyncIterator[Finding]:
    clock = SystemClock()
    guards = guards_of(config, clock)
    others = errand_systems_of(config, guards, clock)
    for guard in {system.name: system for system in (*guards, *others.values())}.values():
        name = f"connector {guard.name}"
        try:
            await guard.open()
            await guard.check()
        except ConnectorError as error:
            yield Finding(name, False, str(error), f"see connectors.{guard.name} in config.yaml")
        else:
            yield Finding(name, True, "answers")
        finally:
            await guard.close()


def _manager(config: Config) -> Finding:
    ami = config.asterisk.ami
    where = f"{ami.host}:{ami.port}"
    try:
        result = probe(ami, secret(ami.secret_file))
    except AmiLoginRefused as error:
        return Finding("Asterisk", False, str(error), f"make manager.conf and {ami.secret_file} agree for {ami.user}")
    except AmiUnavailable as error:
        return Finding(
            "Asterisk", False, str(error), f"start Asterisk, or change asterisk.ami in config.yaml ({where})"
        )
    except SetupError as error:
        return Finding("Asterisk", False, str(error), "run `make setup`, or see docs/install.md")
    if result.missing:
        missing = ", ".join(result.missing)
        return Finding("Asterisk", False, f"{ami.user} may not do {missing}", "see manager.conf in docs/install.md")
    found = f"{result.version} on {where}, answers in {result.round_trip * 1000:.0f} ms"
    major = "".join(letter for letter in result.version.removeprefix("Asterisk ").split(".")[0] if letter.isdigit())
    if major and int(major) < OLDEST_ASTERISK:
        return Finding("Asterisk", False, found, f"Asterisk {OLDEST_ASTERISK} or later is needed")
    return Finding("Asterisk", True, found)


async def _engine(config: Config) -> Finding:
    url = f"http://{config.http.host}:{config.http.port}/health"
    try:
        async with ClientSession(timeout=ASK_ENGINE) as session, session.get(url) as answer:
            state = await answer.json()
    except (ClientError, TimeoutError, ValueError):
        return Finding("engine", False, "does not run", "start it with `ivr run`")
    told = f"{state.get('calls')} calls, Asterisk {state.get('asterisk')}, database {state.get('database')}"
    return Finding("engine", bool(state.get("ok")), told, "its log says why")


def _port(check: str, host: str, port: int, key: str) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return Finding(check, True, f"{host}:{port} is free")
    except OSError as error:
        advice = f"stop what uses it, or change {key} in config.yaml"
        return Finding(check, False, f"{host}:{port}: {error.strerror}", advice)

"""A real Asterisk for the tests that need one: its own configuration, ports and state, started once a session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.asterisk.obtain import Installation, obtain
from deploy.asterisk.private import PrivateAsterisk
from deploy.asterisk.render import render
from deploy.asterisk.sounds import make_sounds
from tests.asterisk.asterisk_under_test import HOME, AsteriskUnderTest, config_for
from tests.asterisk.engine_under_test import ROOT, EngineUnderTest


@pytest.fixture(scope="session")
def installation() -> Installation:
    """The Asterisk program: the machine's, or the private one of this checkout."""
    return obtain(HOME, print)


@pytest.fixture(scope="session")
def running_asterisk(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AsteriskUnderTest]:
    """The Asterisk of the session. Tests ask for `asterisk`, which brings it back if the test before ended it."""
    home = tmp_path_factory.mktemp("asterisk")
    config = config_for(home)
    make_sounds(HOME / "sounds", config.organisation.language.value)
    render(config, installation, home, config.asterisk.ami.secret_file, HOME / "sounds", agent_seconds=3)
    with PrivateAsterisk(config, installation, home) as private:
        yield AsteriskUnderTest(config, home, private)


@pytest.fixture
def asterisk(running_asterisk: AsteriskUnderTest) -> AsteriskUnderTest:
    """A real Asterisk that runs."""
    if not running_asterisk.private.is_running():
        running_asterisk.private.restart()
    return running_asterisk


StartEngine = Callable[..., Awaitable[EngineUnderTest]]


@pytest.fixture
async def start_engine(asterisk: AsteriskUnderTest, tmp_path: Path) -> AsyncIterator[StartEngine]:
    """Starts engines beside the real Asterisk: `await start_engine(callbacks={"retry_after": "1s"})`.

    `environment` is what an engine finds in its environment beside what the tests have, `project` the folder of
    another project than the demo.
    """
    engines: list[EngineUnderTest] = []

    async def start(
        *, environment: Mapping[str, str] = {}, project: Path = ROOT, **settings: dict[str, Any]
    ) -> EngineUnderTest:
        engine = EngineUnderTest(asterisk, tmp_path, settings, project)
        engine.environment.update(environment)
        engines.append(engine)
        await engine.start()
        return engine

    yield start
    for engine in engines:
        await engine.kill()
    await asterisk.cli("channel request hangup all")
    await asterisk.quiet()


@pytest.fixture
async def engine(start_engine: StartEngine) -> EngineUnderTest:
    """An engine with the demo's configuration beside the real Asterisk."""
    return await start_engine()

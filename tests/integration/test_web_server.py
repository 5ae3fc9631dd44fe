"""The web server on a real socket."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Counter

from ivr.config.model import Http
from ivr.dashboard.server import WebServer
from ivr.domain.contact import Json
from ivr.errors import SetupError


class Engine:
    """What the web server asks."""

    def __init__(self, folder: Path) -> None:
        self.ok = True
        self.folder = folder

    async def health(self) -> Mapping[str, Json]:
        return {"ok": self.ok}

    def media_file(self, key: str) -> Path | None:
        return self.folder / "sound.wav" if key == "known" else None


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "sound.wav").write_bytes(b"RIFF")
    return Engine(tmp_path)


@pytest.fixture
async def url(engine: Engine) -> AsyncIterator[str]:
    registry = CollectorRegistry()
    Counter("klantlijn_calls", "Calls", registry=registry).inc()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = WebServer(Http(port=port), registry, engine.health, engine.media_file)
    await server.start()
    yield f"http://127.0.0.1:{port}"
    await server.stop()


async def get(url: str) -> tuple[int, str]:
    async with ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_metrics_are_told_in_prometheus_words(url: str) -> None:
    status, text = await get(f"{url}/metrics")
    assert status == 200
    assert "klantlijn_calls_total 1.0" in text


async def test_health_is_503_when_not_well(url: str, engine: Engine) -> None:
    assert await get(f"{url}/health") == (200, '{"ok": true}')
    engine.ok = False
    assert await get(f"{url}/health") == (503, '{"ok": false}')


async def test_a_prompt_is_served_by_its_key(url: str) -> None:
    assert await get(f"{url}/media/known.wav") == (200, "RIFF")


@pytest.mark.parametrize("path", ["/media/unknown.wav", "/media/..%2f..%2fconfig.wav", "/etc/passwd"])
async def test_nothing_else_is_served(url: str, path: str) -> None:
    assert (await get(url + path))[0] == 404


async def test_a_taken_port_is_said_in_one_line(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = WebServer(Http(port=taken.getsockname()[1]), CollectorRegistry(), engine.health, engine.media_file)
        with pytest.raises(SetupError, match=r"is taken; free it or change http\.port"):
            await server.start()
        await server.stop()

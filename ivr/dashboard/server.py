"""The web server's shell: which path is answered by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from ivr.config.model import Http
from ivr.domain.contact import Json
from ivr.errors import SetupError

# What Prometheus asks for: https://prometheus.io/docs/instrumenting/exposition_formats/
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"

Health = Callable[[], Awaitable[Mapping[str, Json]]]


class WebServer:
    """Serves `/metrics` (Prometheus), `/health` (JSON; 503 when not well) and `/media/<key>.wav` (prompts)."""

    def __init__(
        self,
        config: Http,
        registry: CollectorRegistry,
        health: Health,
        media_file: Callable[[str], Path | None],
    ) -> None:
        self._config = config
        self._registry = registry
        self._health = health
        self._media_file = media_file
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises SetupError when the port is taken."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/health", self._healthy),
                web.get("/media/{key}.wav", self._media),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._config.host, self._config.port)
        try:
            await site.start()
        except OSError as error:
            raise SetupError(
                f"port {self._config.port} for the web server is taken; free it or change http.port in config.yaml"
            ) from error

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": EXPOSITION})

    async def _healthy(self, _request: web.Request) -> web.Response:
        state = await self._health()
        return web.json_response(dict(state), status=200 if state.get("ok") else 503)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        path = self._media_file(request.match_info["key"])
        if path is None:
            raise web.HTTPNotFound
        # Asterisk keeps what it fetched and asks whether it changed; nobody else need keep what may be personal.
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

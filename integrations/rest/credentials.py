"""Credentials: what shows a system that it is us. Secrets come from files; tokens are fetched when they are needed."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import structlog
from yarl import URL

from integrations.rest.client import HttpClient, Sent
from integrations.rest.recipe import Auth, BasicAuth, BearerAuth, ClientAuth, HeaderAuth, RefreshAuth
from integrations.rest.templates import Context, Template
from ivr.errors import ConnectorRefused

log = structlog.get_logger()

MARGIN = 30.0
"""Seconds before its end at which a token is not used any more; Exact Online gives no new one earlier than that."""

PATIENCE = 30.0
"""Seconds to wait for a token; longer than for anything else, since an answer that is missed may be lost for good."""

UNLESS_TOLD = 600.0
"""Seconds a token lives when the system does not say."""

Headers = Mapping[str, str]


class Fixed:
    """Credentials that do not change."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    async def headers(self) -> Headers:
        """What to send with every request."""
        return self._headers

    async def renew(self, _refused: Headers) -> bool:
        """There is nothing to renew."""
        return False

    async def close(self) -> None:
        """There is nothing to end."""


class Token:
    """An access token that `fetch` gets, one request for all who wait for it.

    A fetch that was begun is finished, also when nobody waits any more: a refresh token
    that was used up and whose successor was not kept is lost.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._fetching: asyncio.Task[None] | None = None

    async def headers(self) -> Headers:
        """What to send with every request. Raises ConnectorError when there is no token to be had."""
        if self._fetch.valid_until <= time.time():
            await self._fetched()
        return self._bearer()

    async def renew(self, refused: Headers) -> bool:
        """Get another token than the one that was refused. Raises ConnectorError."""
        if self._bearer() == refused:
            await self._fetched()
        return True

    async def close(self) -> None:
        """Wait for a fetch that is under way."""
        if self._fetching:
            await asyncio.wait({self._fetching})

    def _bearer(self) -> Headers:
        return {"Authorization": f"Bearer {self._fetch.token}"}

    async def _fetched(self) -> None:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch.fetch())
            self._fetching.add_done_callback(self._over)
        await asyncio.shield(self._fetching)

    def _over(self, fetching: asyncio.Task[None]) -> None:
        self._fetching = None
        if not fetching.cancelled():
            fetching.exception()  # seen, also when nobody waits for it any more


class Fetch:
    """Gets an access token from `url` for what `form` says; `keep` is the file of a refresh token that changes."""

    def __init__(self, client: HttpClient, url: URL, form: dict[str, str], keep: Path | None = None) -> None:
        self.token = ""
        self.valid_until = 0.0
        self._client = client
        self._url = url
        self._form = form
        self._keep = keep

    async def fetch(self) -> None:
        """Ask for a token, and keep what came with it. Raises ConnectorError."""
        sent = Sent(
            "POST",
            self._url,
            "the request for an access token",
            {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            urlencode(self._form).encode(),
            timeout=PATIENCE,
        )
        answer = self._client.answer(sent, await self._client.send(sent))
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token.isprintable() or not token:
            raise ConnectorRefused("the answer to the request for an access token has none")
        self.token = token
        self.valid_until = time.time() + _lifetime(answer) - MARGIN
        if self._keep:
            refresh = answer.get("refresh_token")
            self._form["refresh_token"] = (
                refresh if isinstance(refresh, str) and refresh else self._form["refresh_token"]
            )
            await self._write(self._keep)

    async def read(self) -> None:
        """Take up what was kept, or the first token that the admin wrote there. Raises ConnectorRefused."""
        if self._keep is None:
            return
        kept = await asyncio.to_thread(_kept, self._keep)
        self._form["refresh_token"] = str(kept["refresh_token"])
        self.token = str(kept.get("access_token", ""))
        until = kept.get("valid_until")
        self.valid_until = float(until) if self.token and isinstance(until, int | float) else 0.0

    async def _write(self, file: Path) -> None:
        kept = {
            "refresh_token": self._form["refresh_token"],
            "access_token": self.token,
            "valid_until": self.valid_until,
        }
        try:
            await asyncio.to_thread(_replace, file, json.dumps(kept))
        except OSError as error:
            # It goes on working until the next start; then the admin has to log in again.
            log.error("connector.token_not_kept", file=file.name, error=error.strerror)


Credentials = Fixed | Token


async def credentials_of(
    auth: Auth | None, context: Context, client: HttpClient, folder: Path, token_url: Callable[[str], URL]
) -> Credentials:
    """The credentials that a recipe asks for, filled in. Raises ConnectorRefused."""
    match auth:
        case None:
            return Fixed({})
        case HeaderAuth():
            return Fixed(_header(auth.name, _filled(auth.value, context)))
        case BasicAuth():
            pair = f"{_filled(auth.user, context)}:{_filled(auth.password, context)}"
            return Fixed(_header("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
        case BearerAuth():
            token = _filled(auth.token, context)
            return Fixed(_header("Authorization", f"Bearer {token}") if token else {})
        case ClientAuth() | RefreshAuth():
            form = {
                "client_id": _filled(auth.client_id, context),
                "client_secret": _filled(auth.client_secret, context),
            }
            keep = None
            if isinstance(auth, ClientAuth):
                further = {name: _filled(value, context) for name, value in auth.form.items()}
                form = {"grant_type": "client_credentials", **form, **further}
            else:
                form = {"grant_type": "refresh_token", "refresh_token": "", **form}
                keep = folder / str(context[auth.keep])
            fetch = Fetch(client, token_url(_filled(auth.token_url, context)), form, keep)
            await fetch.read()
            return Token(fetch)


def _filled(template: Template, context: Context) -> str:
    return str(template.value(context) or "")


def _header(name: str, value: str) -> Headers:
    if not value.isprintable():
        raise ConnectorRefused("a key has a character that no header may have; is its file the right one?")
    return {name: value}


def _lifetime(answer: dict[str, Any]) -> float:
    try:
        return max(0.0, float(answer.get("expires_in", UNLESS_TOLD)))
    except (TypeError, ValueError):
        return UNLESS_TOLD


def _kept(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")[:100_000].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectorRefused(f"{file.name} cannot be read") from error
    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        raise ConnectorRefused(f"{file.name} and its folder must be writable: the token in it changes with every use")
    try:
        kept = json.loads(text) if text.startswith("{") else {"refresh_token": text}
    except ValueError as error:
        raise ConnectorRefused(f"{file.name} is damaged; write a new refresh token in it") from error
    if not kept.get("refresh_token"):
        raise ConnectorRefused(f"{file.name} has no refresh token")
    return dict(kept)


def _replace(file: Path, text: str) -> None:
    """Write a secret whole or not at all, for its owner only."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    new.replace(file)

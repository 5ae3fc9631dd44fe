"""Tryton's JSON-RPC: a session that is renewed when it has ended, and Tryton's errors turned into ours.

Source: trytond's `protocols/dispatcher.py` and `protocols/jsonrpc.py`, 6.0 and 8.2.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from yarl import URL

from ivr.connectors.connector import Surroundings
from ivr.connectors.json_service import Answer, JsonService
from ivr.errors import ConnectorRefused, ConnectorUnavailable

Row = Mapping[str, Any]
"""A record: its fields by name, those of a record it points to in a mapping (or a list of them) under `name.`."""

Domain = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Session:
    """Who we are to Tryton, and the context that the user's preferences make (company, language)."""

    authorization: str
    context: Mapping[str, Any]


class TrytonClient:
    """One database of one Tryton, as one user."""

    def __init__(self, url: URL, database: str, login: str, password: str, surroundings: Surroundings) -> None:
        self._service = JsonService(url, surroundings, object_hook=_decoded, default=_encoded)
        self._database = database
        self._login = login
        self._password = password
        self._paths = ("", "")
        self._session: Session | None = None
        self._logging_in = asyncio.Lock()

    @property
    def server_time(self) -> datetime:
        """The server's clock, when it last answered."""
        return self._service.server_time

    async def open(self) -> str:
        """Find out how to speak with the server, and log in. Returns its version. Raises ConnectorError."""
        # Since 7.0 everything stands below rpc/; each refuses the other's path.
        for root, of_database in (("/rpc/", f"/{self._database}/rpc/"), ("/", f"/{self._database}/")):
            self._paths = (root, of_database)
            answer = await self._post(root, "common.server.version", [])
            version = _result_of(answer)
            if isinstance(version, str):
                await self._renewed(None)
                return version
        raise ConnectorRefused("no Tryton answers there; is url right?")

    async def close(self) -> None:
        """Close every connection."""
        await self._service.close()

    async def search_read(
        self, model: str, domain: Domain, fields: Sequence[str], *, order: Sequence[tuple[str, str]] = (), limit: int
    ) -> Sequence[Row]:
        """The records that a domain describes. Raises ConnectorError."""
        arguments = [domain, 0, limit, order or None, [*fields]]
        rows = await self.call(f"model.{model}.search_read", *arguments)
        if not isinstance(rows, list):
            raise ConnectorRefused(f"Tryton answered no rows of {model}")
        return rows

    async def call(self, method: str, *arguments: object, repeatable: bool = True) -> Any:
        """What a method returns.

        Raises:
            ConnectorRefused: the user may not do this, or Tryton does not accept it.
            ConnectorTimeout, ConnectorUnavailable: there was no answer.
        """
        session = self._session or await self._renewed(None)
        answer = await self._ask(session, method, arguments, repeatable=repeatable)
        if answer.status in (401, 403):
            # Before anything was done: the session has ended, or the user may not call this at all.
            session = await self._renewed(session)
            answer = await self._ask(session, method, arguments, repeatable=repeatable)
        if answer.status in (401, 403):
            raise ConnectorRefused(f"the user {self._login} may not call {method}")
        if answer.status >= 500:
            raise ConnectorUnavailable(f"{method} answered {answer.status}")
        if answer.status == 404:
            raise ConnectorRefused(f"Tryton has no database {self._database}")
        document = answer.document
        if answer.status != 200 or not isinstance(document, dict) or not document.keys() & {"result", "error"}:
            raise ConnectorRefused(f"{method} answered {answer.status}, but not as Tryton does; is url right?")
        if "error" in document:
            raise ConnectorRefused(f"Tryton refused {method}{_kind_of(document['error'])}")
        return document["result"]

    async def _ask(
        self, session: Session, method: str, arguments: Sequence[object], *, repeatable: bool = True
    ) -> Answer:
        headers = {"Authorization": session.authorization}
        return await self._post(
            self._paths[1], method, [*arguments, session.context], headers=headers, repeatable=repeatable
        )

    async def _renewed(self, ended: Session | None) -> Session:
        """Another session than the one that has ended; whoever comes while one logs in gets the same."""
        async with self._logging_in:
            if self._session is None or self._session is ended:
                self._session = await self._logged_in()
            return self._session

    async def _logged_in(self) -> Session:
        login = [self._login, {"password": self._password}]
        answer = await self._post(self._paths[1], "common.db.login", login)
        if answer.status == 401:
            raise ConnectorRefused(f"Tryton does not let {self._login} in; check login and password_file")
        if answer.status in (404, 405):
            raise ConnectorRefused(f"Tryton has no database {self._database}")
        told = _result_of(answer)
        if answer.status == 200 and not isinstance(told, list):  # 6.0 says no more when there is no such database
            raise ConnectorRefused(f"Tryton lets nobody in to the database {self._database}; is its name right?")
        if not isinstance(told, list) or len(told) < 2:
            raise ConnectorUnavailable(f"logging in answered {answer.status}")
        token = base64.b64encode(f"{self._login}:{told[0]}:{told[1]}".encode()).decode()
        session = Session(f"Session {token}", {})
        context = _result_of(await self._ask(session, "model.res.user.get_preferences", [True]))
        if not isinstance(context, dict):
            raise ConnectorRefused(f"Tryton does not tell {self._login} their preferences")
        return Session(session.authorization, context)

    async def _post(
        self, path: str, method: str, params: Sequence[object], *, headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Answer:  # fmt: skip
        document = {"id": 0, "method": method, "params": params}
        return await self._service.post(path, document, headers or {}, label=method, repeatable=repeatable)


def _result_of(answer: Answer) -> Any:
    """What an answer returns; None if it returns nothing that can be used."""
    return answer.document.get("result") if answer.status == 200 and isinstance(answer.document, dict) else None


def _kind_of(error: object) -> str:
    """The kind of an error, such as ` (UserError)`. Its text may hold a customer's data, and is never told."""
    kind = error[0] if isinstance(error, list) and error else ""
    return f" ({kind})" if isinstance(kind, str) and re.fullmatch(r"[A-Z][A-Za-z]{2,40}", kind) else ""


def _decoded(value: dict[str, Any]) -> Any:
    """A value in Tryton's JSON: what JSON has no word for is a mapping with `__class__`. Moments are aware UTC."""
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return date(value["year"], value["month"], value["day"])
        case "datetime":
            return datetime(**{name: value[name] for name in _MOMENT}, tzinfo=UTC)
        case "time":
            return time(**{name: value[name] for name in _MOMENT[3:]})
        case "timedelta":
            return timedelta(seconds=float(value["seconds"]))
        case _:
            return value


def _encoded(value: object) -> Mapping[str, Any]:
    """A moment as Tryton's JSON writes it, in UTC."""
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} is not sent to Tryton")
    moment = value.astimezone(UTC)
    return {"__class__": "datetime", **{name: getattr(moment, name) for name in _MOMENT}}


_MOMENT = ("year", "month", "day", "hour", "minute", "second", "microsecond")

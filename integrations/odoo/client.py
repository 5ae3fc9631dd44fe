"""Odoo's two doors: JSON-2 since Odoo 19, JSON-RPC before; and Odoo's errors turned into ours.

Sources: Odoo 19's documentation "External JSON-2 API", and `addons/rpc` of its source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from yarl import URL

from ivr.connectors.connector import Surroundings
from ivr.connectors.json_service import Answer, JsonService
from ivr.errors import ConnectorRefused, ConnectorUnavailable

Row = Mapping[str, Any]
"""A record: its fields by name. Another record is `[id, name]`; what is not filled in is False."""

Domain = Sequence[Any]

SINCE_JSON2 = 19
SINCE_SPECIFICATIONS = 17
"""The versions in which `/json/2` and `web_search_read` with a specification came."""


class Door(Protocol):
    """A way to call methods."""

    version: int

    async def call(self, model: str, method: str, arguments: Mapping[str, Any], *, repeatable: bool) -> Any:
        """What a method returns, called with named arguments; `ids` are the records it is called on."""


class OdooClient:
    """One database of one Odoo, as one user."""

    def __init__(self, url: URL, database: str, login: str | None, key: str, surroundings: Surroundings) -> None:
        self._service = JsonService(url, surroundings)
        self._doors = (
            Json2(self._service, database, key),
            JsonRpc(self._service, database, login, key),
        )
        self._door: Door = self._doors[0]

    @property
    def version(self) -> int:
        """The version, 19 standing for 19 and later."""
        return self._door.version

    @property
    def server_time(self) -> datetime:
        """The server's clock, when it last answered."""
        return self._service.server_time

    async def open(self) -> None:
        """Find out by which door Odoo can be asked, and whether it lets us in. Raises ConnectorError."""
        json2, json_rpc = self._doors
        if await json2.lets_in():
            self._door = json2
        else:
            await json_rpc.log_in()
            self._door = json_rpc

    async def close(self) -> None:
        """Close every connection."""
        await self._service.close()

    async def call(self, model: str, method: str, *, repeatable: bool = True, **arguments: Any) -> Any:
        """What a method returns.

        Raises:
            ConnectorRefused: the user may not do this, or Odoo does not accept it.
            ConnectorTimeout, ConnectorUnavailable: there was no answer.
        """
        return await self._door.call(model, method, arguments, repeatable=repeatable)

    async def search_read(
        self, model: str, domain: Domain, fields: Sequence[str], *, limit: int, order: str = "id", **context: Any
    ) -> Sequence[Row]:
        """The records that a domain describes. Raises ConnectorError."""
        return _rows(
            await self.call(
                model, "search_read", domain=[*domain], fields=[*fields], limit=limit, order=order, context=context
            ),
            model,
        )

    async def web_read(
        self, model: str, domain: Domain, specification: Mapping[str, Any], *, limit: int, order: str, **context: Any
    ) -> Sequence[Row]:
        """The same with fields of records that these point to; before Odoo 17 without. Raises ConnectorError."""
        if self.version < SINCE_SPECIFICATIONS:
            return await self.search_read(model, domain, [*specification], limit=limit, order=order, **context)
        found = await self.call(
            model, "web_search_read", domain=[*domain], specification=specification, limit=limit, order=order,
            context=context,
        )  # fmt: skip
        return _rows(found.get("records") if isinstance(found, dict) else None, model)


class Json2:
    """`POST /json/2/<model>/<method>`, with an API key."""

    version = SINCE_JSON2

    def __init__(self, service: JsonService, database: str, key: str) -> None:
        self._service = service
        self._database = database
        self._headers = {"Authorization": f"bearer {key}", "X-Odoo-Database": database}

    async def lets_in(self) -> bool:
        """Whether there is such a door; raises ConnectorRefused when the key is no good."""
        answer = await self._post("res.users", "context_get", {}, repeatable=True)
        if answer.status == 404 and not _is_error(answer):
            return False
        self._result(answer, "res.users.context_get")
        return True

    async def call(self, model: str, method: str, arguments: Mapping[str, Any], *, repeatable: bool) -> Any:
        """As in Door."""
        return self._result(await self._post(model, method, arguments, repeatable=repeatable), f"{model}.{method}")

    async def _post(self, model: str, method: str, arguments: Mapping[str, Any], *, repeatable: bool) -> Answer:
        path = f"/json/2/{model}/{method}"
        label = f"{model}.{method}"
        return await self._service.post(path, arguments, self._headers, label=label, repeatable=repeatable)

    def _result(self, answer: Answer, label: str) -> Any:
        if answer.status == 200 and answer.is_json:
            return answer.document
        if answer.status == 401:
            raise ConnectorRefused("Odoo does not take the API key; is it right, and has it not ended?")
        if not _is_error(answer):
            if answer.status >= 500:
                raise ConnectorUnavailable(f"{label} answered {answer.status}")
            raise ConnectorRefused(
                f"{label} answered {answer.status}, but not as Odoo does; are url and database right?"
            )
        raise _refusal(label, answer.document["name"])


class JsonRpc:
    """`POST /jsonrpc`, with a login and its password or API key."""

    def __init__(self, service: JsonService, database: str, login: str | None, key: str) -> None:
        self.version = 0
        self._service = service
        self._database = database
        self._login = login
        self._key = key
        self._user = 0

    async def log_in(self) -> None:
        """Find out the version, and who we are. Raises ConnectorError."""
        told = await self._rpc("common", "version", [], label="version", repeatable=True)
        information = told.get("server_version_info") if isinstance(told, dict) else None
        if not isinstance(information, list) or not information or not isinstance(information[0], int):
            raise ConnectorRefused("no Odoo answers there; is url right?")
        self.version = information[0]
        if self._login is None and self.version >= SINCE_JSON2:
            raise ConnectorRefused(f"Odoo has no database {self._database}; is its name right?")
        if self._login is None:
            raise ConnectorRefused(f"Odoo {self.version} needs to know whose key it is: set login")
        credentials = [self._database, self._login, self._key]
        label = f"logging in to the database {self._database}"
        user = await self._rpc("common", "login", credentials, label=label, repeatable=True)
        if not isinstance(user, int) or not user:
            raise ConnectorRefused(f"Odoo does not let {self._login} in; check login, key_file and database")
        self._user = user

    async def call(self, model: str, method: str, arguments: Mapping[str, Any], *, repeatable: bool) -> Any:
        """As in Door."""
        named = dict(arguments)
        ids = [named.pop("ids")] if "ids" in named else []
        told = [self._database, self._user, self._key, model, method, ids, named]
        return await self._rpc("object", "execute_kw", told, label=f"{model}.{method}", repeatable=repeatable)

    async def _rpc(self, service: str, method: str, arguments: Sequence[Any], *, label: str, repeatable: bool) -> Any:
        document = {
            "jsonrpc": "2.0",
            "method": "call",
            "id": 0,
            "params": {"service": service, "method": method, "args": arguments},
        }
        answer = await self._service.post("/jsonrpc", document, {}, label=label, repeatable=repeatable)
        if answer.status >= 500:
            raise ConnectorUnavailable(f"{label} answered {answer.status}")
        if answer.status != 200 or not isinstance(answer.document, dict):
            raise ConnectorRefused(
                f"{label} answered {answer.status}, but not as Odoo does; are url and database right?"
            )
        error = answer.document.get("error")
        if error is not None:
            data = error.get("data") if isinstance(error, dict) else None
            raise _refusal(label, data.get("name") if isinstance(data, dict) else None)
        return answer.document.get("result")


def _is_error(answer: Answer) -> bool:
    """Whether it is an error as JSON-2 tells it."""
    return isinstance(answer.document, dict) and "name" in answer.document


def _refusal(label: str, kind: object) -> ConnectorRefused | ConnectorUnavailable:
    """What Odoo refused, and the kind of its error. Its text may hold a customer's data, and is never told."""
    name = kind if isinstance(kind, str) and re.fullmatch(r"[A-Za-z0-9_.]{3,80}", kind) else "no reason"
    if name.startswith("psycopg2."):  # its database is away, or two wrote at once
        return ConnectorUnavailable(f"{label}: {name}")
    return ConnectorRefused(f"Odoo refused {label} ({name.rpartition('.')[2]})")


def _rows(rows: Any, model: str) -> Sequence[Row]:
    if not isinstance(rows, list):
        raise ConnectorRefused(f"Odoo answered no rows of {model}")
    return rows

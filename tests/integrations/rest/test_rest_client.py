"""Whatever a server does, a question ends in time with an answer or an error that shows nobody's data."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import ssl
import stat
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from integrations.rest.connector import RestConnector, RestSettings
from integrations.rest.credentials import Fetch, Token
from ivr.clock import SystemClock
from ivr.config.model import Guard as Limits
from ivr.connectors.connector import Surroundings
from ivr.connectors.system import ConnectedSystem
from ivr.domain.line import PhoneNumber
from ivr.errors import ConnectorError, ConnectorRefused, ConnectorTimeout, ConnectorUnavailable
from tests.integrations.rest.conftest import Connect
from tests.integrations.rest.contract_server import Refused
from tests.integrations.rest.vendors_of_finance import Tokens, exact_online
from tests.integrations.rest.vendors_of_sales import dynamics365

ANNA = PhoneNumber("+31612345678")
RECIPE = """
title: A small CRM
values:
  base_url: its address
  key_file: its key
base_url: "{{ base_url }}/api"
auth: {kind: header, name: X-Api-Key, value: "{{ key }}"}
error_code: code
check: {path: /status}
customer: {id: id, name: name, numbers: phone}
find_caller:
  requests:
    - path: /people
      query: {phone: "{{ number }}"}
  records: people
  paging: {next_link: next}
"""

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A server that says whatever `answer` writes; `heads` are the requests it got."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.tls = tls
        self.heads: list[str] = []
        self.sent = 0
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.tls)
        self.base = f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                await self.answer(head, writer)
        finally:
            writer.close()


def says(body: bytes, status: str = "200 OK", kind: str = "application/json", **headers: str) -> Answer:
    """The same answer to everybody."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())

    async def answer(_: str, writer: asyncio.StreamWriter) -> None:
        sizes = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}Connection: close"
        writer.write(f"HTTP/1.1 {status}\r\n{sizes}\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


def people(*numbers: str) -> bytes:
    """An answer with people who have these numbers."""
    found = [{"id": place, "name": f"P{place}", "phone": number} for place, number in enumerate(numbers)]
    return json.dumps({"people": found}).encode()


@pytest.fixture
async def connector_to(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[RestConnector]]]:
    """Opens the small CRM's connector to a server."""
    (tmp_path / "small.yaml").write_text(RECIPE)
    (tmp_path / "key").write_text("S3CRET-KEY\n")
    opened: list[RestConnector] = []

    async def made(server: Server, timeout: float = 3.0) -> RestConnector:
        settings = RestSettings(recipe="small.yaml", values={"base_url": server.base, "key_file": "key"})
        connector = RestConnector(settings, Surroundings(folder=tmp_path, timeout=timeout))
        await connector.open()
        opened.append(connector)
        return connector

    yield made
    for each in opened:
        await each.close()


async def half(_: str, writer: asyncio.StreamWriter) -> None:
    """Half an answer, then the end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n" + people("x")[:9])
    await writer.drain()


async def nothing(_: str, writer: asyncio.StreamWriter) -> None:
    """The end, without an answer."""


async def drips(_: str, writer: asyncio.StreamWriter) -> None:
    """An answer that goes on and on, a little at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    with suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(b"1\r\n \r\n")
            await writer.drain()
            await asyncio.sleep(0.01)


async def floods(_: str, writer: asyncio.StreamWriter) -> None:
    """A hundred megabytes."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n")
    with suppress(ConnectionError):
        for _piece in range(1000):
            writer.write(b" " * 100_000)
            await writer.drain()


HTML = b"<!DOCTYPE html><title>Log in</title>"


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        pytest.param(says(HTML, kind="text/html"), ConnectorRefused, "web page instead of JSON", id="html"),
        pytest.param(says(HTML), ConnectorRefused, "web page instead of JSON", id="html that says it is json"),
        pytest.param(says(b"a,b", kind="text/csv"), ConnectorRefused, "text/csv instead of JSON", id="csv"),
        pytest.param(says(b'{"people": [', kind="application/json"), ConnectorRefused, "not JSON", id="bad json"),
        pytest.param(says(b'{"people": NaN}'), ConnectorRefused, "not JSON", id="not a number"),
        pytest.param(says(b"[" * 200_000), ConnectorRefused, "not JSON", id="deep"),
        pytest.param(says(b'{"people": 7}'), ConnectorRefused, "gives no records", id="no records"),
        pytest.param(says(b"{}", "500 Oops"), ConnectorUnavailable, "answered 500", id="500"),
        pytest.param(says(b"{}", "503 Later"), ConnectorUnavailable, "answered 503", id="503"),
        pytest.param(
            says(b'{"code": "BAD_FIELD"}', "400 No"), ConnectorRefused, r"answered 400 \(BAD_FIELD\)", id="400"
        ),
        pytest.param(says(b'{"code": "0612345678 wrong"}', "400 No"), ConnectorRefused, "answered 400$", id="a number"),
        pytest.param(says(b"{}", "403 No"), ConnectorRefused, "403: check the key", id="403"),
        pytest.param(half, ConnectorUnavailable, "broke off", id="half-closed"),
        pytest.param(nothing, ConnectorUnavailable, "cannot be reached", id="closed"),
        pytest.param(drips, ConnectorTimeout, "GET /people", id="drips"),
        pytest.param(floods, ConnectorRefused, "more than 2 MB", id="100 MB"),
        pytest.param(
            says(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"),
            ConnectorRefused,
            "more than 2 MB",
            id="bomb",
        ),
        pytest.param(
            says(b"", "302 There", Location="http://127.0.0.1:9/people"), ConnectorRefused, "elsewhere", id="redirect"
        ),
        pytest.param(
            says(b"", "302 There", Location="/api/people"), ConnectorRefused, "one address to the next", id="loop"
        ),
        pytest.param(
            says(b'{"people": [], "next": "http://127.0.0.1:9/x"}'),
            ConnectorRefused,
            "another host",
            id="link elsewhere",
        ),
    ],
)
async def test_a_fault_of_the_server_is_an_error_of_ours(
    connector_to: Callable[..., Awaitable[RestConnector]], answer: Answer, kind: type[ConnectorError], told: str
) -> None:
    async with Server(answer) as server:
        connector = await connector_to(server, timeout=0.5 if answer is drips else 3.0)
        with pytest.raises(kind, match=told) as raised:
            await connector.find_caller(ANNA)
    for secret in ("S3CRET", "612345678"):
        assert secret not in str(raised.value)


async def test_a_redirect_on_the_same_host_is_followed(connector_to: Callable[..., Awaitable[RestConnector]]) -> None:
    async def answer(head: str, writer: asyncio.StreamWriter) -> None:
        moved = says(b"", "307 There", Location="/api/v2/people?phone=%2B31612345678")
        await (moved if head.startswith("GET /api/people") else says(people("06-12345678")))(head, writer)

    async with Server(answer) as server:
        (found,) = await (await connector_to(server)).find_caller(ANNA)
        assert found.numbers == (ANNA,)
        assert "GET /api/people?phone=%2B31612345678 " in server.heads[0]
        assert "X-Api-Key: S3CRET-KEY" in server.heads[1]


async def test_pages_that_never_end_are_refused(connector_to: Callable[..., Awaitable[RestConnector]]) -> None:
    async with Server(says(b'{"people": [], "next": "/api/people?page=2"}')) as server:
        with pytest.raises(ConnectorRefused, match="does not select"):
            await (await connector_to(server)).find_caller(ANNA)
        assert len(server.heads) == 5


async def test_everybody_as_an_answer_is_refused(connector_to: Callable[..., Awaitable[RestConnector]]) -> None:
    async with Server(says(people(*["06-12345678"] * 501))) as server:
        with pytest.raises(ConnectorRefused, match="does not select"):
            await (await connector_to(server)).find_caller(ANNA)


async def test_who_does_not_have_the_number_is_left_out(connector_to: Callable[..., Awaitable[RestConnector]]) -> None:
    async with Server(says(people("0612345679", "06 123 45 678", "no number", ""))) as server:
        system = ConnectedSystem("crm", await connector_to(server), Limits(), SystemClock())
        assert [found.name for found in await system.find_caller(ANNA)] == ["P1"]
        await system.close()


async def test_records_that_lack_something_are_left_out_and_nobody_is_named(
    connector_to: Callable[..., Awaitable[RestConnector]],
) -> None:
    body = {"people": [{"id": 1, "name": None, "phone": str(ANNA)}, {"id": 2, "name": "Anna", "phone": str(ANNA)}]}
    async with Server(says(json.dumps(body).encode())) as server:
        connector = await connector_to(server)
        with capture_logs() as logs:
            (found,) = await connector.find_caller(ANNA)
    assert found.id == "2"
    written = str(logs)
    assert "'lacking': {'name': 1}" in written
    assert "612345678" not in written


async def test_a_host_that_is_not_there_is_unavailable(connector_to: Callable[..., Awaitable[RestConnector]]) -> None:
    async with Server(nothing) as server:
        pass
    with pytest.raises(ConnectorUnavailable, match="cannot be reached"):
        await (await connector_to(server)).find_caller(ANNA)


async def test_a_certificate_that_nobody_vouches_for_gets_no_key(
    connector_to: Callable[..., Awaitable[RestConnector]], tmp_path: Path
) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=crm"
    files = tmp_path / "certificate.pem", tmp_path / "certificate.key"
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(files[0]), "-keyout", str(files[1])]
    await asyncio.to_thread(subprocess.run, [*command.split(), *extra], check=True, capture_output=True, timeout=30)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*files)
    async with Server(says(people()), tls) as server:
        with pytest.raises(ConnectorRefused, match=r"certificate of 127\.0\.0\.1 is not trusted"):
            await (await connector_to(server)).find_caller(ANNA)
        assert server.heads == []


async def test_plain_http_to_another_machine_must_be_told(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(RECIPE)
    (tmp_path / "key").write_text("S3CRET-KEY\n")
    values = {"base_url": "http://crm.example", "key_file": "key"}
    connector = RestConnector(RestSettings(recipe="small.yaml", values=values), Surroundings(folder=tmp_path))
    with pytest.raises(ConnectorRefused, match="overheard"):
        await connector.open()
    told = RestSettings(recipe="small.yaml", values=values, plain_http=True)
    connector = RestConnector(told, Surroundings(folder=tmp_path))
    await connector.open()
    await connector.close()


async def test_a_key_with_a_line_break_in_it_becomes_no_header(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(RECIPE)
    (tmp_path / "key").write_text("S3CRET\x01KEY\n")
    values = {"base_url": "http://127.0.0.1:9", "key_file": "key"}
    connector = RestConnector(RestSettings(recipe="small.yaml", values=values), Surroundings(folder=tmp_path))
    with pytest.raises(ConnectorRefused, match="no header may have") as refused:
        await connector.open()
    assert "S3CRET" not in str(refused.value)


async def test_a_token_that_ran_out_is_renewed_once_for_all_who_wait(connect: Connect) -> None:
    crm = await connect(dynamics365())
    await crm.connector.find_caller(ANNA)
    crm.server.vendor.key = ("Authorization", "Bearer another")
    with pytest.raises(ConnectorRefused, match="401"):
        await crm.connector.find_caller(ANNA)
    tokens = [said for said in crm.server.said if said.endswith("/token")]
    assert len(tokens) == 2  # one at first, one after the 401; not one for ever
    crm.server.vendor.key = ("Authorization", "Bearer eyJ0")
    await asyncio.gather(*(crm.connector.find_caller(ANNA) for _ in range(10)))
    assert len([said for said in crm.server.said if said.endswith("/token")]) == 2


async def test_who_hears_late_that_a_token_ran_out_takes_the_new_one() -> None:
    class Counted(Fetch):
        async def fetch(self) -> None:
            self.valid_until = float("inf")
            self.token += "n"

    fetch = Counted.__new__(Counted)
    fetch.token, fetch.valid_until = "", 0.0
    token = Token(fetch)
    old = await token.headers()
    assert old == {"Authorization": "Bearer n"}
    assert await token.renew(old)
    assert await token.renew(old)
    assert await token.headers() == {"Authorization": "Bearer nn"}


async def test_ten_calls_at_once_fetch_one_token(connect: Connect) -> None:
    crm = await connect(dynamics365())
    await asyncio.gather(*(crm.connector.find_caller(ANNA) for _ in range(10)))
    assert len([said for said in crm.server.said if said.endswith("/token")]) == 1


async def test_a_refresh_token_is_kept_whenever_it_changes(connect: Connect, tmp_path: Path) -> None:
    tokens = Tokens()
    crm = await connect(exact_online(tokens))
    await crm.connector.find_caller(ANNA)
    file = tmp_path / "refresh_token_file"
    kept = json.loads(file.read_text())
    assert (kept["refresh_token"], kept["access_token"]) == ("refresh-1", "stamp")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    tokens.too_early = True
    await crm.connector.open()  # as after a restart: the access token is still good, and a new one would be refused
    await crm.connector.find_caller(ANNA)
    assert tokens.given == 1


async def test_a_refresh_token_is_kept_although_the_caller_hung_up(connect: Connect, tmp_path: Path) -> None:
    crm = await connect(exact_online())
    call = asyncio.create_task(crm.connector.find_caller(ANNA))
    await crm.server.asked.wait()
    call.cancel()
    with suppress(asyncio.CancelledError):
        await call
    await crm.connector.close()
    assert json.loads((tmp_path / "refresh_token_file").read_text())["refresh_token"] == "refresh-1"


async def test_a_token_file_that_cannot_be_written_is_told_at_once(connect: Connect) -> None:
    with pytest.raises(ConnectorRefused, match="has no refresh token"):
        await connect(exact_online(), secrets={"refresh_token_file": ""})


async def test_no_secret_is_logged(
    connect: Connect, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    crm = await connect(exact_online())
    await crm.connector.find_caller(ANNA)
    crm.server.refuses = Refused(400, {"error": {"code": str(ANNA)}})
    with pytest.raises(ConnectorRefused):
        await crm.connector.find_caller(ANNA)
    written = caplog.text + "".join(capsys.readouterr())
    for secret in ("ex-secret", "refresh-", "stamp", "612345678"):
        assert secret not in written

"""A server that does not speak LDAP, or says more than was asked, ends the conversation and harms nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sansldap import LDAPClient, LDAPServer, PartialAttribute

from integrations.ldap.conversation import Conversation
from ivr.errors import ConnectorRefused, ConnectorUnavailable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ServedBy = Callable[[Serve], Awaitable[Conversation]]


@pytest.fixture
async def conversation_with() -> AsyncIterator[ServedBy]:
    """Connects to a server of the test's own."""
    servers: list[asyncio.Server] = []
    conversations: list[Conversation] = []

    async def connected(serve: Serve) -> Conversation:
        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.close()

        servers.append(await asyncio.start_server(served, "127.0.0.1", 0))
        port = servers[-1].sockets[0].getsockname()[1]
        _, conversation = await asyncio.get_running_loop().create_connection(Conversation, "127.0.0.1", port)
        conversations.append(conversation)
        return conversation

    yield connected
    for conversation in conversations:
        conversation.end()
    for server in servers:
        server.close()
        await server.wait_closed()


def search(protocol: LDAPClient) -> int:
    return protocol.search_request("dc=x")


async def test_a_web_server_is_no_directory(conversation_with: ServedBy) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>")
        await writer.drain()

    conversation = await conversation_with(serve)
    with pytest.raises(ConnectorUnavailable, match=r"is not LDAP|closed the connection"):
        await conversation.ask(search)
    assert conversation.is_over


async def test_a_message_without_end_is_refused(conversation_with: ServedBy) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x30\x84\x7f\xff\xff\xff")
        while True:
            writer.write(b"\0" * 65536)
            await writer.drain()

    with pytest.raises(ConnectorRefused, match="larger than 16 MB"):
        await (await conversation_with(serve)).ask(search)


async def test_entries_without_end_are_refused(conversation_with: ServedBy) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = LDAPServer()
        protocol.receive(await reader.read(100))
        while True:
            protocol.search_result_entry(1, "cn=x", [PartialAttribute("cn", [b"x" * 500_000])])
            writer.write(protocol.data_to_send())
            await writer.drain()

    with pytest.raises(ConnectorRefused, match="larger than 16 MB"):
        await (await conversation_with(serve)).ask(search)


async def test_a_server_that_hangs_up_within_an_answer_is_unavailable(conversation_with: ServedBy) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = LDAPServer()
        protocol.receive(await reader.read(100))
        protocol.search_result_entry(1, "cn=x", [])
        writer.write(protocol.data_to_send()[:-1])
        await writer.drain()

    conversation = await conversation_with(serve)
    with pytest.raises(ConnectorUnavailable, match="closed the connection"):
        await conversation.ask(search)
    with pytest.raises(ConnectorUnavailable, match="closed the connection"):
        await conversation.ask(search)


async def test_what_is_said_in_clear_after_start_tls_is_refused(conversation_with: ServedBy) -> None:
    """Else whoever sits between could put answers of their own before those that come in secret."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = LDAPServer()
        protocol.receive(await reader.read(100))
        protocol.extended_response(1)
        forged = LDAPServer()
        forged.receive(bind_as_second_question())
        forged.bind_response(2)
        writer.write(protocol.data_to_send() + forged.data_to_send())
        await writer.drain()
        await reader.read()

    conversation = await conversation_with(serve)
    with pytest.raises(ConnectorUnavailable, match="is not LDAP"):
        await conversation.start_tls(ssl.create_default_context(), "127.0.0.1")


def bind_as_second_question() -> bytes:
    protocol = LDAPClient()
    protocol.search_request("dc=x")
    protocol.data_to_send()
    protocol._outstanding_requests.clear()
    protocol.bind_simple("cn=x", "y")
    return protocol.data_to_send()


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_what_is_foreseen(data: bytes) -> None:
    conversation = Conversation()
    conversation.data_received(data)
    conversation.data_received(data)

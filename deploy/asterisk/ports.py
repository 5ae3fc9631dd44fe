"""Taken ports, told in one line: which one, who has it, and which key of `config.yaml` moves ours."""

from __future__ import annotations

import re
import socket
import subprocess
from typing import Literal

from ivr.errors import SetupError

Transport = Literal["tcp", "udp"]


def require_free(transport: Transport, host: str, port: int, *, purpose: str, key: str) -> None:
    """Make sure that `host`:`port` can be bound.

    Raises:
        SetupError: it is taken, or `host` is no address of this machine.
    """
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if transport == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            user = _user(transport, port)
            taken = (
                f"is taken{f' by {user}' if user else ''}"
                if user or _in_use(error)
                else f"cannot be used ({error.strerror})"
            )
            raise SetupError(
                f"{transport.upper()} port {port} on {host}, for {purpose}, {taken}; set another {key} in config.yaml"
            ) from error


def _in_use(error: OSError) -> bool:
    return "in use" in (error.strerror or "")


def _user(transport: Transport, port: int) -> str:
    """The program that has a port, as `ss` sees it, or ''."""
    flags = "-Hlntp" if transport == "tcp" else "-Hlnup"
    try:
        found = subprocess.run(
            ("ss", flags, f"sport = :{port}"), capture_output=True, text=True, timeout=5, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    owner = re.search(r'"([^"]+)",pid=(\d+)', found)
    return f"{owner[1]} (process {owner[2]})" if owner else ""

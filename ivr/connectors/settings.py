"""Settings: what integrations make theirs of."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ivr.config.units import Seconds
from ivr.connectors.connector import Surroundings
from ivr.errors import ConnectorRefused

__all__ = ["Seconds", "Settings", "first_line", "stays_here"]

LONGEST_LINE = 1024


class Settings(BaseModel):
    """What `connectors.<name>.settings` may say. Errors never show what was written: it may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


async def first_line(surroundings: Surroundings, file: Path) -> str:
    """The first line of a file, such as a password. A relative path starts at config.yaml's folder.

    Raises:
        ConnectorRefused: the file cannot be read, or the line is empty.
    """
    line = await asyncio.to_thread(_read_line, surroundings.folder / file)
    if not line:
        raise ConnectorRefused(f"the first line of {file.name} is empty")
    return line


def stays_here(host: str) -> bool:
    """Whether what is sent to a host cannot be overheard on a network."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as lines:
            return lines.readline(LONGEST_LINE).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectorRefused(f"{path.name} cannot be read") from error

"""Versions of flows: what was in force and since when, and which of them calls get now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FILES = ""
"""In the place of a version: whatever the files say."""


class Origin(StrEnum):
    """Where a set of flows came from."""

    FILES = "files"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class KeptFlows:
    """A set of flows that was taken over from the files, or a draft that was tried on a share of the calls.

    `id` is the hash of all its files, `versions` the version of each flow by its name. `by`
    is a user of the operating system, empty when unknown.
    """

    id: str
    at: datetime
    by: str
    origin: Origin
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FlowChoice:
    """What calls that begin in `flow` get, for as long as the files hold its version `files_version`.

    All get `version`, but `percent` of them `candidate`, if there is one. Either may be FILES.
    """

    flow: str
    files_version: str
    version: str
    at: datetime
    by: str
    candidate: str | None = None
    percent: int = 0

"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from ivr.domain.contact import Json
from ivr.domain.line import mask
from ivr.logs import NUMBER

WIDE = 1_000


def utc(moment: datetime | None) -> str | None:
    """A moment in ISO 8601, UTC, such as `2026-11-22T10:00:00.000Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def masked(value: Json) -> Json:
    """A value in which every telephone number has its middle hidden."""
    if isinstance(value, str):
        return NUMBER.sub(lambda found: mask(found[0]), value)
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    return value


def print_json(value: Json) -> None:
    """Print a value as JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print rows under their columns; `empty` is said when there are none."""
    if not rows:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        # A file or another program has no edge to fold at.
        console.width = WIDE
    console.print(table)

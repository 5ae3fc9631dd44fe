"""Since when: a moment as it is written behind `--since`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click

from ivr.config.units import seconds


def since_when(text: str | None, zone: ZoneInfo) -> datetime | None:
    """A moment (`2026-11-22T10:00`, in the zone) or a time ago (`2h`); None for none. Raises click.BadParameter."""
    if text is None:
        return None
    if re.fullmatch(r"[\d.]+\s*[a-z]+", text):
        try:
            return datetime.now(UTC) - timedelta(seconds=seconds(text))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--since") from error
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"'{text}' is not a moment", param_hint="--since") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)

"""Logs: one line an event, with the call it belongs to, and no telephone number in full."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from ivr.config.model import Log
from ivr.domain.line import mask

# What looks like a telephone number, wherever it turns up: E.164, with 00, or national with nine digits or more.
NUMBER = re.compile(r"(?<![\w.+-])(?:\+|00?)[1-9]\d{7,14}(?![\w.-])")


def mask_numbers(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Hide the middle of every telephone number in an event, also inside texts of exceptions."""
    return _masked(event)


def _masked(event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = NUMBER.sub(lambda found: mask(found[0]), value)
    return event


def configure(config: Log) -> None:
    """Set up logging for the whole process, to standard error; libraries' own logs go the same way."""
    last: Processor = (
        structlog.processors.JSONRenderer()
        if config.format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_numbers,
            last,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.level.upper())
    # These speak at length about what is normal.
    for name in ("panoramisk", "aiosqlite", "alembic", "asyncio", "aiohttp.access"):
        logging.getLogger(name).setLevel(logging.WARNING)

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from ivr.config.model import Log
from ivr.logs import configure


@pytest.fixture
def _process_logs() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def logged(capsys: pytest.CaptureFixture[str], **event: str) -> str:
    """What standard error shows of one event, logged the way a process does."""
    configure(Log(format="json"))
    structlog.get_logger().info("happened", **event)
    return capsys.readouterr().err


@pytest.mark.usefixtures("_process_logs")
@pytest.mark.parametrize("number", ["+31612345678", "0031612345678", "0612345678"])
def test_a_number_anywhere_in_a_line_is_masked(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, error=f"no answer from {number}, sorry")
    assert number not in line
    assert "no answer from" in line


@pytest.mark.usefixtures("_process_logs")
def test_a_number_in_a_library_s_own_log_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Log(format="json"))
    logging.getLogger("some.library").warning("dialling %s", "+31612345678")
    assert json.loads(capsys.readouterr().err)["event"] == "dialling +316******78"


@pytest.mark.usefixtures("_process_logs")
def test_a_number_in_a_traceback_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Log(format="json"))
    try:
        raise ValueError("bad number +31612345678")
    except ValueError:
        structlog.get_logger().exception("failed")
    line = capsys.readouterr().err
    assert "+31612345678" not in line
    assert "ValueError" in line


@pytest.mark.usefixtures("_process_logs")
def test_a_line_carries_the_call_it_belongs_to(capsys: pytest.CaptureFixture[str]) -> None:
    with structlog.contextvars.bound_contextvars(call="1700000000.12"):
        assert json.loads(logged(capsys))["call"] == "1700000000.12"


@pytest.mark.usefixtures("_process_logs")
def test_what_is_no_number_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    event = {"order": "4711", "version": "2026-11-22T10:00:00Z", "id": "1700000000.12"}
    assert json.loads(logged(capsys, **event)).items() >= event.items()

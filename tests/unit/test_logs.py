from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from ivr.config.model import Log
from ivr.logs import configure


@pytest.fixture
def _logs_to_json(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:  # captured before the handler takes stderr
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure(Log(format="json"))
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logs_to_json")
class TestLogs:
    def line(self, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
        return json.loads(capsys.readouterr().err.splitlines()[-1])

    @pytest.mark.parametrize("number", ["+31612345678", "0031612345678", "0612345678"])
    def test_a_number_anywhere_in_a_line_is_masked(self, number: str, capsys: pytest.CaptureFixture[str]) -> None:
        structlog.get_logger().info("called", error=f"no answer from {number}, sorry")
        assert number not in capsys.readouterr().err

    def test_a_number_in_a_library_s_own_log_is_masked(self, capsys: pytest.CaptureFixture[str]) -> None:
        logging.getLogger("some.library").warning("dialling %s", "+31612345678")
        assert self.line(capsys)["event"] == "dialling +316******78"

    def test_a_number_in_a_traceback_is_masked(self, capsys: pytest.CaptureFixture[str]) -> None:
        try:
            raise ValueError("bad number +31612345678")
        except ValueError:
            structlog.get_logger().exception("failed")
        assert "+31612345678" not in capsys.readouterr().err

    def test_a_line_carries_the_call_it_belongs_to(self, capsys: pytest.CaptureFixture[str]) -> None:
        with structlog.contextvars.bound_contextvars(call="1700000000.12"):
            structlog.get_logger().info("answered")
        assert self.line(capsys)["call"] == "1700000000.12"

    def test_what_is_no_number_stays_as_it_is(self, capsys: pytest.CaptureFixture[str]) -> None:
        structlog.get_logger().info("order", order="4711", version="2026-11-22T10:00:00Z", id="1700000000.12")
        assert self.line(capsys)["id"] == "1700000000.12"

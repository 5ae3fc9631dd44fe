"""Whole calls: a telephone, a real Asterisk, a real engine, a real database."""

from __future__ import annotations

import pytest

from deploy.demo.crm import NAMED
from ivr.robot.performing import perform
from ivr.robot.script import HangUp, Moment, Script
from ivr.robot.user_agent import UserAgent
from tests.asterisk.engine_under_test import EngineUnderTest

pytestmark = pytest.mark.asterisk


async def test_a_known_caller_is_recognised_and_the_call_is_in_the_journal(engine: EngineUnderTest) -> None:
    async with UserAgent() as telephone:
        call = await telephone.call(engine.sip_uri, caller_number=NAMED[0].number)
        journey = await perform(call, Script((HangUp(Moment(delay=3.0)),), limit=10))

    async def ended() -> object:
        return [call for call in await engine.calls() if call["ended_at"]]

    (contact,) = await engine.until(ended, 10, "the call to be in the journal")
    assert journey.failure == ""
    assert contact["customer"] == NAMED[0].customer_number

"""The kinds of steps, one file each. A new kind is a new file and a line here."""

from __future__ import annotations

from ivr.flow.step import Step
from ivr.flow.steps.ask import Ask
from ivr.flow.steps.branch import Branch
from ivr.flow.steps.call import Call
from ivr.flow.steps.callback import Callback
from ivr.flow.steps.goto import Goto
from ivr.flow.steps.hang_up import HangUp
from ivr.flow.steps.identify import Identify
from ivr.flow.steps.lookup import Lookup
from ivr.flow.steps.menu import Menu
from ivr.flow.steps.message import Message
from ivr.flow.steps.notice import Notice
from ivr.flow.steps.outage import Outage
from ivr.flow.steps.queue import Queue
from ivr.flow.steps.reason import Reason
from ivr.flow.steps.record import Record
from ivr.flow.steps.return_ import Return
from ivr.flow.steps.say import Say
from ivr.flow.steps.set import Set
from ivr.flow.steps.survey import Survey
from ivr.flow.steps.ticket import Ticket
from ivr.flow.steps.transfer import Transfer
from ivr.flow.steps.triage import Triage
from ivr.flow.steps.verify import Verify
from ivr.flow.steps.voicemail import Voicemail
from ivr.flow.steps.wait import Wait

STEPS: tuple[type[Step], ...] = (
    Say,
    Menu,
    Ask,
    Identify,
    Verify,
    Lookup,
    Branch,
    Outage,
    Notice,
    Callback,
    Queue,
    Transfer,
    Goto,
    Call,
    Return,
    HangUp,
    Reason,
    Set,
    Wait,
    Triage,
    Ticket,
    Message,
    Voicemail,
    Record,
    Survey,
)

KINDS: dict[str, type[Step]] = {step.kind: step for step in STEPS}
"""Every kind of step by the word it is written with."""

"""Answered: what the caller answered so far, as text for those who read a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from ivr.domain.language import Language
from ivr.flow.session import Session
from ivr.flow.views import Answers, Missing

REASON = {Language.NL: "reden", Language.EN: "reason"}
YES_NO = {Language.NL: ("ja", "nee"), Language.EN: ("yes", "no")}


def answered(session: Session) -> str:
    """Every answer on a line of its own, and the contact reason; in the organisation's language."""
    return "\n".join(_lines(session))


def _lines(session: Session) -> Iterator[str]:
    language = session.services.language
    if session.reason:
        yield f"{REASON[language]}: {_plain(session.reason)}"
    for question, answer in session.triage_answers:
        yield f"{_plain(question)}: {_plain(answer)}"
    for name, value in session.answers.items():
        if told := _told(value, language):
            yield f"{_plain(name)}: {told}"


def _told(value: Any, language: Language) -> str:
    """A value as text; empty when it is nothing that a caller answers."""
    match value:
        case None | Missing() | Answers():
            return ""
        case bool():
            return YES_NO[language][0 if value else 1]
        case Enum():
            return _plain(str(value.value))
        case tuple() | list():
            return ", ".join(told for item in value if (told := _told(item, language)))
        case _ if is_dataclass(value) and not isinstance(value, type):
            if hasattr(value, "number") and isinstance(value.number, str):
                return value.number
            return " ".join(told for field in fields(value) if (told := _told(getattr(value, field.name), language)))
    return str(value)


def _plain(name: str) -> str:
    return name.replace("_", " ")

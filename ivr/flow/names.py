"""Names that a flow's steps use; each knows what it is the name of, so that one check finds them all."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

MAX_LENGTH = 64


class Name(str):
    """A word of letters, digits, `-` and `_`. Subclasses say what it names."""

    __slots__ = ()
    what: ClassVar[str] = "name"
    pattern: ClassVar[str] = rf"[\w-]{{1,{MAX_LENGTH}}}"
    letters: ClassVar[str] = "letters, digits, - and _"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls.checked, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = (cls.__doc__ or "").splitlines()[0]
        return {**handler(schema), "pattern": f"^{cls.pattern}$", "description": described}

    @classmethod
    def checked(cls, text: str) -> Self:
        """The name that a text is. Raises ValueError."""
        if not re.fullmatch(cls.pattern, text, re.ASCII):
            raise ValueError(f"'{text[:MAX_LENGTH]}' is not a name; use {cls.letters}")
        return cls(text)


class BlockName(Name):
    """A block of the same flow. Expressions name it too (`answers.main`), so it is one word."""

    __slots__ = ()
    what = "block"
    pattern = rf"[A-Za-z]\w{{0,{MAX_LENGTH - 1}}}"
    letters = "letters, digits and _, a letter first"


class AnswerName(Name):
    """What an answer is kept as: `answers.<name>`."""

    __slots__ = ()
    what = "answer"
    pattern = BlockName.pattern
    letters = BlockName.letters


class FlowName(Name):
    """Another flow."""

    __slots__ = ()
    what = "flow"


class PromptName(Name):
    """A prompt: a recording or a text in every language of the flow."""

    __slots__ = ()
    what = "prompt"


class QueueName(Name):
    """A queue of `config.yaml`."""

    __slots__ = ()
    what = "queue"


class TelephoneName(Name):
    """A telephone of `config.yaml`, by its name, or a telephone number."""

    __slots__ = ()
    what = "telephone"
    pattern = rf"\+?[\w-]{{1,{MAX_LENGTH}}}"
    letters = "letters, digits, - and _, or a number such as +31201234567"


class BoxName(Name):
    """A mailbox for messages; it is there as soon as a message is."""

    __slots__ = ()
    what = "mailbox"


class TriageName(Name):
    """A triage: a file with questions."""

    __slots__ = ()
    what = "triage"

"""A recipe: how one vendor's API is asked, and how its answers are read; see README.md for the format."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from integrations.rest.templates import Template
from ivr.domain.capability import Capability
from ivr.domain.errand import MessageKind
from ivr.domain.identity import IdentityKind
from ivr.domain.spelling import Spelling
from ivr.errors import ConnectorRefused


class Expression:
    """A JMESPath expression (https://jmespath.org/specification.html)."""

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        try:
            self._compiled: ParsedResult = jmespath.compile(source)
        except JMESPathError as error:
            wrong = str(error).splitlines()[0].rstrip(":")
            raise ValueError(
                f"this is not JMESPath: {wrong}; a key with '@', '.' or '-' needs double quotes"
            ) from error

    def find(self, answer: Any) -> Any:
        """What it gives for an answer, None where there is nothing. Raises ConnectorRefused."""
        try:
            return self._compiled.search(answer)
        except (JMESPathError, TypeError, ValueError, LookupError, AttributeError) as error:
            # The text of such an error may hold the answer.
            raise ConnectorRefused(f"'{self.source[:80]}' does not fit the answer: {type(error).__name__}") from error


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("a text belongs here; put it in quotes")
    return given


def _path(given: object) -> Template:
    text = _text(given)
    if text and not text.startswith("/"):
        raise ValueError("a path starts with '/'; what comes before it is base_url")
    return Template(text, path=True)


def _body(given: Any) -> Any:
    """A body with a template for every text in it."""
    if isinstance(given, dict):
        return {key: _body(value) for key, value in given.items()}
    if isinstance(given, list):
        return [_body(value) for value in given]
    return Template(given) if isinstance(given, str) else given


Text = Annotated[Template, PlainValidator(lambda given: Template(_text(given)))]
Path = Annotated[Template, PlainValidator(_path)]
Body = Annotated[Any, PlainValidator(_body)]
Found = Annotated[Expression, PlainValidator(lambda given: Expression(_text(given)))]
Status = Annotated[int, Field(ge=200, le=499)]


class Part(BaseModel):
    """A part of a recipe; unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Value(Part):
    """Something that settings give: `about` tells the admin what, `default` is used when they do not."""

    about: str
    default: str | None = None


class Request(Part):
    """One request. With `each`, one for every element of a list, which templates call `item`.

    `link` is an address from an earlier answer, used instead of `path` and `query` when it is not empty;
    `take` are names for what the next requests need; `empty_on` the statuses that mean that there is nothing.
    """

    method: Literal["GET", "POST", "PUT", "PATCH"] = "GET"
    path: Path = Field(default_factory=lambda: Template("", path=True))
    link: Text | None = None
    query: dict[str, Text] = Field(default_factory=dict)
    headers: dict[str, Text] = Field(default_factory=dict)
    body: Body = None
    each: Text | None = None
    take: dict[str, Found] = Field(default_factory=dict)
    empty_on: tuple[Status, ...] = ()


class Paging(Part):
    """How the next page is asked for: by a link in the answer, a cursor in it, or a page's number.

    With `cursor`, templates of the request have `cursor`, None at first. With `page_size`,
    they have `page` (from 1) and `offset` (from 0), and a page that is not full is the last.
    """

    next_link: Found | None = None
    cursor: Found | None = None
    page_size: Annotated[int, Field(ge=1, le=5000)] | None = None
    most_pages: Annotated[int, Field(ge=1, le=1000)] = 5


def _shorthand(key: str) -> BeforeValidator:
    return BeforeValidator(lambda given: {key: given} if isinstance(given, str) else given)


class Source(Part):
    """Where a field comes from. `values` turns the system's words into ours; any other is `otherwise`.

    `format` reads dates: `milliseconds` or `seconds` since 1970, or as strptime has it.
    """

    find: Found
    values: dict[str, str] = Field(default_factory=dict)
    otherwise: str | None = None
    format: str | None = None


Fields = dict[str, Annotated[Source, _shorthand("find")]]
Requests = Annotated[tuple[Request, ...], Field(min_length=1)]


class Question(Part):
    """What is asked, and where the records are in the answer; without `records` the answer is one, or a list."""

    requests: Requests
    records: Found = Field(default_factory=lambda: Expression("@"))
    fields: Fields = Field(default_factory=dict)
    paging: Paging | None = None


class NumberQuestion(Question):
    """A question about a number, as the system may have it: `numbers` are its `spellings`."""

    spellings: Annotated[tuple[Spelling, ...], Field(min_length=1)] = tuple(Spelling)


class ChangesQuestion(Question):
    """A question about what changed since `since`, None at first; at most about `limit` records.

    Where to go on is `resume` of the last page's answer, or else the greatest `mark` of all records.
    `oldest_first` says that the system sorts by it, so that every page can go on from its own last record.
    `gone` finds the ids of customers that were removed.
    """

    mark: Found | None = None
    resume: Found | None = None
    oldest_first: bool = False
    gone: Found | None = None


class Deed(Part):
    """Something to do. The same requests for whatever is written, sent, or opened."""

    requests: Requests


class TicketDeed(Deed):
    """A case to open; `number` finds what people call it, in the last answer."""

    number: Found


class MessageDeed(Deed):
    """A message to send; of these kinds."""

    kinds: Annotated[tuple[MessageKind, ...], Field(min_length=1)] = tuple(MessageKind)


class HeaderAuth(Part):
    """A key in a header of its own."""

    kind: Literal["header"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "Authorization"
    value: Text


class BasicAuth(Part):
    """A name and a password (RFC 7617)."""

    kind: Literal["basic"]
    user: Text
    password: Text


class BearerAuth(Part):
    """A token that does not expire (RFC 6750)."""

    kind: Literal["bearer"]
    token: Text


class ClientAuth(Part):
    """OAuth 2 client credentials (RFC 6749, 4.4); `form` are further parameters, such as scope."""

    kind: Literal["client_credentials"]
    token_url: Text
    client_id: Text
    client_secret: Text
    form: dict[str, Text] = Field(default_factory=dict)


class RefreshAuth(Part):
    """An OAuth 2 refresh token (RFC 6749, 6) that changes when it is used; `keep` names the value with its file."""

    kind: Literal["refresh_token"]
    token_url: Text
    client_id: Text
    client_secret: Text
    keep: str


Auth = Annotated[HeaderAuth | BasicAuth | BearerAuth | ClientAuth | RefreshAuth, Field(discriminator="kind")]


class Recipe(Part):
    """A vendor's API. `customer` are the fields of every customer, whichever question found them.

    `error_code` finds a vendor's code in an answer that refuses, `overloaded` is true for one that only means
    "later"; `limit_resets` is the header that tells, in milliseconds since 1970, when more may be asked.
    """

    title: str
    values: dict[str, Annotated[Value, _shorthand("about")]] = Field(default_factory=dict)
    base_url: Text
    auth: Auth | None = None
    headers: dict[str, Text] = Field(default_factory=dict)
    error_code: Found | None = None
    overloaded: Found | None = None
    limit_resets: str | None = None
    check: Request
    customer: Fields = Field(default_factory=dict)
    find_caller: NumberQuestion | None = None
    find_customer: dict[IdentityKind, Question] = Field(default_factory=dict)
    changes: ChangesQuestion | None = None
    orders: Question | None = None
    invoices: Question | None = None
    cases: Question | None = None
    faults: Question | None = None
    appointments: Question | None = None
    log_contact: Deed | None = None
    create_ticket: TicketDeed | None = None
    send_message: MessageDeed | None = None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it says how to do."""
        return frozenset(each for each in Capability if getattr(self, each.value))

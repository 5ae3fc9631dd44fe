"""Reading: a YAML file as located nodes, or as problems; never as a traceback.

Every scalar stays text: `12:30`, `010`, `no` and `+31…` are what was written, and the schema
gives them a type. Built on libyaml's events, so depth and size are limited while reading.
Anchors, aliases, tags and further documents have no use in these files and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import yaml

from ivr.errors import InvalidFiles
from ivr.yamlfile.nodes import Listing, Node, Place, Scalar, Source, Table
from ivr.yamlfile.problem import Problem, in_order, refuse

MAX_BYTES = 2_000_000
MAX_DEPTH = 32
MAX_NODES = 400_000

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
DOCS = "docs/flows.md#yaml"

QUOTE_IT = "write it in quotes: "
WORDS = {
    "mapping values are not allowed": (
        "a ':' here starts a second value",
        "put a text that holds ': ' in quotes, or check how far this line is indented",
    ),
    "block sequence entries are not allowed": ("a list cannot start here", "put '- ' on a line of its own"),
    "did not find expected '-' indicator": (
        "this does not line up with the list above it",
        "check how far it is indented",
    ),
    "did not find expected key": ("this does not line up with what is above it", "check how far it is indented"),
    "did not find expected <document start>": (
        "this does not line up with what is above it",
        "check how far it is indented",
    ),
    "could not find expected ':'": ("a key without a ':'", "write 'key: value'"),
    "unexpected end of stream": ("this quote is never closed", "add the closing quote"),
    "did not find expected ',' or ']'": ("this '[' is never closed", "add a ']' or the ',' that is missing"),
    "did not find expected ',' or '}'": ("this '{' is never closed", "add a '}' or the ',' that is missing"),
    "found unknown escape character": ("a '\\' in double quotes starts a code", "use single quotes, or write '\\\\'"),
}
"""What libyaml says, and what an admin is told."""


@dataclass(frozen=True, slots=True)
class Document:
    """What could be read of a file: its top node, unless nothing could, and every problem met.

    `data` is the file's bytes, `digest` their SHA-256 in hexadecimal.
    """

    root: Node | None
    problems: tuple[Problem, ...]
    digest: str = ""
    data: bytes = b""


def read(path: Path, *, shown: str | None = None) -> Node:
    """The top node of a file, which problems call `shown` or else `path`.

    Raises:
        InvalidFiles: it cannot be read, or is not what YAML may be here.
    """
    return complete(read_document(path, shown=shown))


def read_text(text: str, file: str) -> Node:
    """The top node of a text; `file` is its name in problems. Raises InvalidFiles."""
    return complete(parse(text, file))


def complete(document: Document) -> Node:
    """The top node of a document without problems. Raises InvalidFiles."""
    refuse(document.problems)
    if document.root is None:
        raise InvalidFiles(document.problems)
    return document.root


def read_document(path: Path, *, shown: str | None = None) -> Document:
    """What can be read of a file; every mistake is a problem, also that the file is not there."""
    file = shown or str(path)
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        return _only(file, "unreadable", f"cannot be read: {error.strerror or error}")
    except ValueError:
        return _only(file, "unreadable", "is not the name of a file")
    return parse_bytes(data, file)


def parse_bytes(data: bytes, file: str) -> Document:
    """What can be read of a file's bytes."""
    if len(data) > MAX_BYTES:
        return _only(file, "too-large", f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"the file is not UTF-8: byte {data[error.start]:#04x} cannot be read"
        return Document(None, (Problem(file, line, 1, 2, "encoding", message, "save it as UTF-8", DOCS),))
    return replace(parse(text, file), digest=sha256(data).hexdigest(), data=data)


def parse(text: str, file: str) -> Document:
    """What can be read of a text."""
    source = Source(file, tuple(LINE_BREAK.split(text)))
    if len(text) > MAX_BYTES:
        return _only(file, "too-large", f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    unfit = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if unfit:
        line = len(LINE_BREAK.findall(text, 0, unfit.start())) + 1
        column = unfit.start() - max((m.end() for m in LINE_BREAK.finditer(text, 0, unfit.start())), default=0) + 1
        place = Place(source, line, column, line, column + 1)
        message = f"a control character (U+{ord(unfit[0]):04X}) stands here"
        return Document(None, (place.problem("character", message, "remove it", DOCS),))
    builder = _Builder(source)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if not builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_syntax_problem(source, error))
    except yaml.YAMLError as error:
        builder.problems.append(Problem(file, 1, 1, 2, "syntax", f"this is not YAML: {error}", "", DOCS))
    problems = [*builder.problems, *_comments_that_were_keys(source, builder.texts)]
    if builder.root is None and not problems:
        return _only(file, "empty", "the file is empty")
    return Document(builder.root, tuple(in_order(problems)))


def _only(file: str, rule: str, message: str) -> Document:
    return Document(None, (Problem(file, 1, 1, 2, rule, message, "", DOCS),))


@dataclass(slots=True)
class _Open:
    """A list or table whose end has not been read yet."""

    event: yaml.Event
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    key: Scalar | None = None
    awaits_value: bool = False


class _Builder:
    """Makes nodes of events, without recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.texts: set[int] = set()  # numbers of the lines that are inside a text of several lines
        self._open: list[_Open] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> bool:
        """Take the next event; False when reading must stop here."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(event, "document", "a second document starts here", "a file holds one; remove '---'")
                return False
        elif isinstance(event, yaml.AliasEvent):
            word = f"*{event.anchor}"
            self._refuse(event, "alias", f"'{word}' has a meaning of its own in YAML", f'{QUOTE_IT}"{word}"')
            self._place(Scalar(self._of(event), word, quoted=True))
        elif isinstance(event, yaml.NodeEvent):
            return self._take_node(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close(event)
        return True

    def _take_node(self, event: yaml.NodeEvent) -> bool:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(event, "too-large", f"the file holds more than {MAX_NODES} values")
            return False
        if event.anchor is not None:
            hint = f'{QUOTE_IT}"&{event.anchor}"'
            self._refuse(event, "anchor", f"'&{event.anchor}' has a meaning of its own in YAML", hint)
        tag = getattr(event, "tag", None)
        if tag is not None and not (isinstance(event, yaml.ScalarEvent) and event.style in ("'", '"') and tag == "!"):
            self._refuse(
                event, "tag", f"'{tag}' has a meaning of its own in YAML", "put a text that starts with ! in quotes"
            )
        if isinstance(event, yaml.ScalarEvent):
            self._place(self._scalar(event))
            return True
        if len(self._open) >= MAX_DEPTH:
            self._refuse(event, "too-deep", f"more than {MAX_DEPTH} lists and tables inside each other")
            return False
        self._open.append(_Open(event))
        return True

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        place = self._of(event)
        quoted = event.style in ("'", '"', "|", ">")
        if event.style in ("|", ">"):
            self.texts.update(range(place.line + 1, place.end_line + 1))
        elif place.end_line > place.line:
            self.texts.update(range(place.line, place.end_line + 1))
        if not event.value and not quoted:
            rest = self.source.line(place.line)[place.column - 1 :].lstrip()
            if re.match(r"#(\S|\s*$)", rest):
                word = rest.split()[0]
                hint = f'{QUOTE_IT}"{word}"'
                self.problems.append(
                    place.problem("comment", "'#' starts a comment, so nothing is written here", hint, DOCS)
                )
        return Scalar(place, event.value, quoted)

    def _close(self, event: yaml.Event) -> None:
        opened = self._open.pop()
        place = self._of(opened.event, event)
        if isinstance(opened.event, yaml.SequenceStartEvent):
            self._place(Listing(place, tuple(opened.items)))
        else:
            self._place(Table(place, opened.entries))

    def _place(self, node: Node) -> None:
        """Put a finished node into what is open around it."""
        if not self._open:
            self.root = node
            return
        around = self._open[-1]
        if isinstance(around.event, yaml.SequenceStartEvent):
            around.items.append(node)
        elif not around.awaits_value:
            around.awaits_value = True
            around.key = self._key(node)
        else:
            key, around.key, around.awaits_value = around.key, None, False
            if key is None:
                return
            if key.text in around.entries:
                first = around.entries[key.text][0].place.line
                self.problems.append(
                    key.place.problem("duplicate-key", f"'{key.text}' is written twice", f"first on line {first}", DOCS)
                )
            else:
                around.entries[key.text] = (key, node)

    def _key(self, node: Node) -> Scalar | None:
        if isinstance(node, Scalar):
            if node.text or node.quoted:
                return node
            self.problems.append(node.place.problem("key", "the key before this ':' is missing", "", DOCS))
            return None
        hint = 'put an expression in quotes: "{{ … }}"' if isinstance(node, Table) else "write it in quotes"
        self.problems.append(node.place.problem("key", "a key must be a word", hint, DOCS))
        return None

    def _refuse(self, event: yaml.Event, rule: str, message: str, hint: str = "") -> None:
        self.problems.append(self._of(event).problem(rule, message, hint, DOCS))

    def _of(self, first: yaml.Event, last: yaml.Event | None = None) -> Place:
        start, end = first.start_mark, (last or first).end_mark
        if start is None or end is None:  # libyaml marks every event; only the type says otherwise
            return Place(self.source, 1, 1, 1, 2)
        return Place(self.source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _syntax_problem(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    """What libyaml refused, in an admin's words and at the place where it went wrong."""
    said, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    known = next((words for start, words in WORDS.items() if start in said), None)
    unclosed = known and "never closed" in known[0]
    if unclosed and error.context_mark:
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if line > len(source.lines):
        line, column = len(source.lines), 1
    place = Place(source, line, column, line, column + 1)
    letter = source.line(line)[column - 1 : column]
    if "alias" in context or "anchor" in context:
        column = error.context_mark.column + 1 if error.context_mark else column
        place = Place(source, line, column, line, column + 1)
        letter = source.line(line)[column - 1 : column]
        message = f"'{letter}' has a meaning of its own in YAML"
        return place.problem("syntax", message, f'{QUOTE_IT}"{letter}"', DOCS)
    if "cannot start any token" in said and letter == "\t":
        return place.problem("tab", "a tab cannot indent", "use spaces", DOCS)
    if "cannot start any token" in said:
        return place.problem("syntax", f"a value cannot start with '{letter}'", "write it in quotes", DOCS)
    if known:
        return place.problem("syntax", known[0], known[1], DOCS)
    return place.problem("syntax", f"this is not YAML: {said or context or error}", "", DOCS)


def _comments_that_were_keys(source: Source, texts: set[int]) -> Iterator[Problem]:
    """Lines such as `#: { goto: main }`: meant as the key '#', read as a comment."""
    for number, line in enumerate(source.lines, start=1):
        found = re.match(r"\s*(#)\s*:(\s|$)", line)
        if found and number not in texts:
            place = Place(source, number, found.start(1) + 1, number, found.end(1) + 1)
            yield place.problem("comment", "'#' starts a comment, so this line says nothing", f'{QUOTE_IT}"#"', DOCS)

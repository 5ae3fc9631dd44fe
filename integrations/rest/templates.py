"""Templates: what a recipe sends, filled with values that can become nothing but values.

Jinja2 in a sandbox. A text that is one expression gives that expression's value, with its
type; in any other text each value must say by a filter of `quoting` how it is written
there. Nothing can be called, and loops run over lists that are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment

from integrations.rest.quoting import OTHER, QUOTING
from ivr.errors import ConnectorRefused

MOST_SENT = 100_000
"""Characters of one rendered text."""

OF_JINJA = (
    "default",
    "first",
    "int",
    "last",
    "length",
    "list",
    "lower",
    "max",
    "min",
    "string",
    "trim",
    "upper",
)

Context = Mapping[str, Any]


def _environment(**options: Any) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, **options)
    made.globals.clear()
    made.tests.clear()
    made.filters.clear()
    made.filters.update({name: FILTERS[name] for name in OF_JINJA})
    made.filters.update(QUOTING)
    made.filters.update(OTHER)
    return made


def _segment(value: object) -> str:
    """A value inside a path: one segment of it, or part of one."""
    text = "" if value is None else str(value)
    if text in ("", ".", ".."):
        raise ConnectorRefused("a value that the path needs is missing")
    return quote(text, safe="")


TEXTS = _environment()
PATHS = _environment(finalize=_segment)


class Template:
    """A text with expressions in it.

    `names` are those it needs, `attributes` what it reads of them, such as `("note", "text")`;
    `unquoted` are the values in the middle of a text that do not say how they are quoted: their
    name, or "" for a longer expression.

    Raises:
        ValueError: it cannot be read; what follows "; " is advice.
    """

    __slots__ = ("_expression", "_text", "attributes", "names", "source", "unquoted")

    def __init__(self, source: str, *, path: bool = False) -> None:
        environment = PATHS if path else TEXTS
        self.source = source = source.strip()
        try:
            tree = environment.parse(source)
            self._text = environment.from_string(source)
        except TemplateSyntaxError as error:
            raise ValueError(f"this template cannot be read: {error.message}") from error
        _refuse_what_does_more(tree)
        self.names = frozenset(meta.find_undeclared_variables(tree))
        self.attributes = frozenset(
            (read.node.name, read.attr) for read in tree.find_all(nodes.Getattr) if isinstance(read.node, nodes.Name)
        )
        self._expression = None
        parts = [part for output in tree.body if isinstance(output, nodes.Output) for part in output.nodes]
        alone = len(tree.body) == len(parts) == 1 and not isinstance(parts[0], nodes.TemplateData)
        if path and any("?" in data.data or "#" in data.data for data in tree.find_all(nodes.TemplateData)):
            raise ValueError("a path has no '?' or '#'; put parameters under query")
        if alone and not path:
            inside = re.sub(r"^\{\{-?|-?\}\}$", "", source)
            self._expression = environment.compile_expression(inside)
            self.unquoted = frozenset(_joined(parts[0]))
        else:
            self.unquoted = frozenset(_unquoted(tree, whole_segments=path))

    def value(self, context: Context) -> Any:
        """Its value: text, or what its only expression gives. Raises ConnectorRefused."""
        try:
            found = self._expression(context) if self._expression else self._text.render(context)
        except (TemplateError, SecurityError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            # The text of such an error may hold a value.
            raise ConnectorRefused(f"'{self.source[:80]}' cannot be filled in: {type(error).__name__}") from error
        if isinstance(found, str) and len(found) > MOST_SENT:
            raise ConnectorRefused(f"'{self.source[:80]}' becomes longer than {MOST_SENT} characters")
        return found


def _refuse_what_does_more(tree: nodes.Template) -> None:
    for node in tree.find_all(nodes.Node):
        if isinstance(node, nodes.Stmt) and not isinstance(node, nodes.Output | nodes.For | nodes.If):
            raise ValueError(f"a template has no '{type(node).__name__.lower()}'; there are 'for', 'if' and filters")
        if isinstance(node, nodes.Call):
            raise ValueError("a template cannot call anything; use a filter")


def _unquoted(tree: nodes.Template, *, whole_segments: bool) -> Iterator[str]:
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    for output in tree.find_all(nodes.Output):
        for place, part in enumerate(output.nodes):
            if whole_segments and _is_segment(output.nodes, place):
                continue
            yield from (("" if name in own else name) for name in _bare(part))


def _joined(expression: nodes.Expr) -> Iterator[str]:
    """The bare values in an expression that makes one text of several."""
    if isinstance(expression, nodes.Filter) and expression.name in QUOTING:
        return
    for node in (expression, *expression.find_all(nodes.Expr)):
        if isinstance(node, nodes.Concat):
            operands = node.nodes
        elif isinstance(node, nodes.Add | nodes.Mod) and (_is_text(node.left) or _is_text(node.right)):
            operands = [node.left, node.right]
        else:
            continue
        for operand in operands:
            yield from _bare(operand)


def _is_text(part: nodes.Expr) -> bool:
    return isinstance(part, nodes.Const) and isinstance(part.value, str)


def _bare(part: nodes.Expr | None) -> Iterator[str]:
    """The names of values that go out as they are; "" for anything that has no name of its own."""
    match part:
        case None | nodes.Const() | nodes.TemplateData():
            return
        case nodes.Filter(name=name) if name in QUOTING:
            return
        case nodes.CondExpr(expr1=one, expr2=other):
            yield from _bare(one)
            yield from _bare(other)
        case nodes.Name(name=name):
            yield name
        case _:
            yield ""


def _is_segment(parts: list[nodes.Expr], place: int) -> bool:
    before = parts[place - 1] if place else None
    after = parts[place + 1] if place + 1 < len(parts) else None
    return (
        isinstance(before, nodes.TemplateData)
        and before.data.endswith("/")
        and (after is None or (isinstance(after, nodes.TemplateData) and after.data.startswith("/")))
    )

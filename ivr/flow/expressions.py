"""Expressions and texts: Jinja2 in a sandbox, compiled once when a flow is loaded.

Nothing can be called, and there are no loops but over lists that the call has, so an
expression ends and touches nothing. A value that is missing where it would be spoken is
refused: a caller hears a whole sentence or another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes, pass_context
from jinja2.environment import TemplateExpression
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ivr.errors import ExpressionFailed
from ivr.flow.expression_types import Findings, Names, examine, reads
from ivr.flow.filters import FILTERS
from ivr.flow.views import PERSONAL, Missing
from ivr.yamlfile.problem import did_you_mean

MAX_SOURCE = 2000
MAX_SPOKEN = 2000
MAX_WRITTEN = 10_000
MAX_DEPTH = 40

Values = Mapping[str, Any]
"""The context an expression is evaluated in: names and their values at this moment of the call."""


@pass_context  # and so never called for constants while compiling
def _spoken(_context: Context, value: Any) -> Any:
    """Jinja's last look at each value that becomes speech."""
    if value is None or isinstance(value, Missing):
        raise ExpressionFailed("there is nothing to say where a value belongs")
    return value


@pass_context
def _written(_context: Context, value: Any) -> Any:
    """Jinja's last look at each value that is written: what is not there leaves its place empty."""
    return "" if value is None else value


def _environment(finalize: Callable[[Context, Any], Any]) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=finalize, optimized=False, autoescape=False
    )
    made.globals.clear()
    made.tests.clear()
    made.filters.clear()
    made.filters.update({name: known.call for name, known in FILTERS.items()})
    return made


ENVIRONMENT = _environment(_spoken)
WRITING = _environment(_written)


class Expression:
    """A condition or value such as `caller.open_orders | first`."""

    __slots__ = ("_compiled", "source", "tree")

    def __init__(self, source: str) -> None:
        """Compile it. Raises ValueError in an admin's words."""
        if "{{" in source or "{%" in source:
            raise ValueError("an expression stands here without braces; leave out {{ and }}")
        _check_size(source)
        self.source = source
        try:
            parser = Parser(ENVIRONMENT, source, state="variable")
            self.tree: nodes.Node = parser.parse_expression()
            if not parser.stream.eos:
                raise ValueError(f"'{source}' says more than one thing; join conditions with 'and' or 'or'")
            _check_parts(self.tree)
            self._compiled: TemplateExpression = ENVIRONMENT.compile_expression(source, undefined_to_none=False)
        except (TemplateError, SyntaxError, RecursionError) as error:
            raise ValueError(f"'{source[:80]}' is not an expression: {_reason(error)}") from error

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(compiled, core_schema.str_schema())

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def examine(self, names: Names) -> Findings:
        """What is to be said about it, given the names it may use."""
        return examine(self.tree, names)

    def value(self, values: Values) -> Any:
        """What it comes to now.

        Raises:
            ExpressionFailed: a value it needs is not there.
        """
        try:
            return self._compiled(values)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ExpressionFailed(f"'{self.source}': {_reason(error)}") from error

    def holds(self, values: Values) -> bool:
        """Whether it is true now. Raises ExpressionFailed."""
        try:
            return bool(self.value(values))
        except TemplateError as error:
            raise ExpressionFailed(f"'{self.source}': {_reason(error)}") from error


@lru_cache(maxsize=4096)
def compiled(source: str) -> Expression:
    """The expression that a text is; the same text is compiled once. Raises ValueError."""
    return Expression(source)


class Text:
    """Something to say or write, with places for values: `Dag {{ caller.name }}.`"""

    __slots__ = ("_template", "_writing", "fixed", "personal", "reads", "source", "tree")

    def __init__(self, source: str) -> None:
        """Compile it. Raises ValueError in an admin's words."""
        _check_size(source)
        self.source = source
        try:
            self.tree: nodes.Node = ENVIRONMENT.parse(source)
            _check_parts(self.tree)
            self._template: Template = ENVIRONMENT.from_string(source)
            self._writing: Template | None = None
        except (TemplateError, SyntaxError, RecursionError) as error:
            raise ValueError(f"this text cannot be read: {_reason(error)}") from error
        self.reads: frozenset[str] = frozenset(reads(self.tree))
        """The names and fields it uses."""
        only_words = all(isinstance(node, nodes.Output | nodes.TemplateData) for node in self.tree.find_all(nodes.Node))
        self.fixed: str | None = tidy("".join(_data(self.tree))) if only_words else None
        """The text itself when it is the same in every call."""
        own = {"answers", "given", *(f"caller.{name}" for name in PERSONAL)}
        self.personal: bool = not own.isdisjoint(self.reads)
        """Whether it tells about the caller."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(text_of, core_schema.str_schema(min_length=1))

    def __repr__(self) -> str:
        return f"Text({self.source!r})"

    def examine(self, names: Names) -> Findings:
        """What is to be said about it, given the names it may use."""
        return examine(self.tree, names)

    def spoken(self, values: Values) -> str:
        """The words to say in this call.

        Raises:
            ExpressionFailed: a value it needs is not there, or there is nothing to say.
        """
        if self.fixed is not None:
            return self.fixed
        words = tidy(_rendered(self._template, values))
        if not words or len(words) > MAX_SPOKEN:
            raise ExpressionFailed("nothing is left to say" if not words else "it is too long to say")
        return words

    def written(self, values: Values) -> str:
        """The words to write in this call, on the lines they were given; a value that is not there is left out.

        Raises:
            ExpressionFailed: a value cannot be worked out, or there is nothing to write.
        """
        self._writing = self._writing or WRITING.from_string(self.source)
        words = "\n".join(tidy(line) for line in _rendered(self._writing, values).strip().splitlines())
        if not words or len(words) > MAX_WRITTEN:
            raise ExpressionFailed("nothing is left to write" if not words else "it is too long to write")
        return words


@lru_cache(maxsize=4096)
def text_of(source: str) -> Text:
    """The text that a source is; the same source is compiled once. Raises ValueError."""
    return Text(source)


def _rendered(template: Template, values: Values) -> str:
    try:
        return template.render(values)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ExpressionFailed(_reason(error)) from error


def tidy(text: str) -> str:
    """A text on one line, single spaces."""
    return " ".join(text.split())


def _data(tree: nodes.Node) -> Iterator[str]:
    for node in tree.find_all(nodes.TemplateData):
        yield node.data


def _check_size(source: str) -> None:
    if len(source) > MAX_SOURCE:
        raise ValueError(f"{len(source)} characters are too many; {MAX_SOURCE} are the most")


def _check_parts(tree: nodes.Node) -> None:
    """Refuse what cannot be compiled, and what is nested so deep that compiling it would be a danger in itself."""
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError("this is nested too deep to understand; split it")
        for node in level:
            if isinstance(node, nodes.Filter) and node.name not in FILTERS:
                raise ValueError(f"unknown filter '{node.name}'; {did_you_mean(node.name, FILTERS)}".rstrip("; "))
            if isinstance(node, nodes.Test):
                raise ValueError(f"'is {node.name}' has no place here; compare with == or !=")
        level = [child for node in level for child in node.iter_child_nodes()]


def _reason(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0]

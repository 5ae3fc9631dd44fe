"""Expression types: what would go wrong in a call, found at load by walking an expression with its names' types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal

from jinja2 import nodes

from ivr.flow.filters import FILTERS
from ivr.flow.kinds import Kind, bare, called, choices_of, element_of, fields_of, fits, is_list, may_be_empty
from ivr.yamlfile.problem import did_you_mean

Names = Mapping[str, Kind]
"""The names an expression may use, and their types."""

ADVICE = {date: "spoken_date", datetime: "clock", time: "clock"}
ALIKE = ((int, float, Decimal), (date,), (datetime,), (time,))
"""The types that can be compared, each with those of its own line; texts only with texts."""

PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.List,
    nodes.Tuple,
    nodes.Operand,
)
"""Parts that are fine when what they hold is fine."""

ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with an expression; `word` is the part of it to point at."""

    word: str
    message: str
    hint: str = ""


PROOF = "caller.verified"


@dataclass
class Findings:
    """What was found in an expression: complaints, the type of its value, and what it reads (`caller.name`).

    `open_reads` and `open_fields` (of which type, and its name) are what it uses without a condition of its own that
    the caller is verified.
    """

    complaints: list[Complaint] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    kind: Kind = object
    open_reads: set[str] = field(default_factory=set)
    open_fields: set[tuple[type, str]] = field(default_factory=set)


def examine(tree: nodes.Node, names: Names) -> Findings:
    """What is to be said about an expression or text, given the names it may use."""
    walk = _Walk(names)
    walk.findings.kind = walk.visit(tree, frozenset())
    return walk.findings


def reads(tree: nodes.Node) -> set[str]:
    """The names and fields a text reads, without their types: `caller`, `caller.name`."""
    # `find_all` leaves out the node itself, which is all there is of `caller.open_orders`.
    return {path for node in (tree, *tree.find_all((nodes.Name, nodes.Getattr))) if (path := path_of(node))}


class _Walk:
    """One walk over one expression."""

    def __init__(self, names: Names) -> None:
        self.names = dict(names)
        self.findings = Findings()

    def complain(self, word: str, message: str, hint: str = "") -> Kind:
        self.findings.complaints.append(Complaint(word, message, hint))
        return object

    def visit(self, node: nodes.Node, sure: frozenset[str]) -> Kind:
        """The type of a part; `sure` are the paths a condition around it has found to be there."""
        path = path_of(node)
        if path:
            self.findings.reads.add(path)
            if PROOF not in sure:
                self.findings.open_reads.add(path)
        match node:
            case nodes.Name():
                return self._name(node)
            case nodes.Getattr():
                return self._getattr(node, sure)
            case nodes.Getitem():
                return self._getitem(node, sure)
            case nodes.Const():
                return type(node.value)
            case nodes.Filter():
                return self._filter(node, sure)
            case nodes.Compare():
                return self._compare(node, sure)
            case nodes.And() | nodes.Or():
                left = self.visit(node.left, sure)
                more = _certain(node.left) if isinstance(node, nodes.And) else _denied(node.left)
                right = self.visit(node.right, sure | more)
                return left if left == right else object
            case nodes.Not():
                self.visit(node.node, sure)
                return bool
            case nodes.CondExpr():
                self.visit(node.test, sure)
                kind = self.visit(node.expr1, sure | _certain(node.test))
                if node.expr2 is not None:
                    self.visit(node.expr2, sure | _denied(node.test))
                return kind
            case nodes.If():
                self._if(node, sure)
                return object
            case nodes.For():
                self._for(node, sure)
                return object
            case nodes.Concat():
                for part in node.nodes:
                    self.visit(part, sure)
                return str
            case nodes.Output():
                for part in node.nodes:
                    self._output(part, sure)
                return object
        return self._rest(node, sure)

    def _rest(self, node: nodes.Node, sure: frozenset[str]) -> Kind:
        if isinstance(node, ARITHMETIC):
            kinds = [bare(self.visit(part, sure)) for part in node.iter_child_nodes()]
            wrong = [kind for kind in kinds if kind is str or is_list(kind)]
            if wrong:
                self.complain("", f"{called(wrong[0])} cannot be reckoned with", "join texts with ~")
            if Decimal in kinds and float in kinds:
                self.complain("", "an amount is only reckoned with amounts and whole numbers", "leave out the point")
            return next((kind for kind in (Decimal, float, int) if kind in kinds), object)
        if isinstance(node, PLAIN):
            for part in node.iter_child_nodes():
                self.visit(part, sure)
            return object
        if isinstance(node, nodes.Call):
            return self.complain("", "an expression calls nothing", "use a filter: value | filter")
        return self.complain("", f"'{type(node).__name__.lower()}' has no place in an expression")

    def _name(self, node: nodes.Name) -> Kind:
        if node.name in self.names:
            return self.names[node.name]
        return self.complain(node.name, f"unknown name '{node.name}'", did_you_mean(node.name, self.names))

    def _getattr(self, node: nodes.Getattr, sure: frozenset[str]) -> Kind:
        holder = bare(self.visit(node.node, sure))
        word = node.attr
        if isinstance(holder, dict):
            if word in holder:
                return holder[word]
            return self.complain(word, f"'{_shown(node.node)}' has no '{word}'", did_you_mean(word, holder))
        if holder is object:
            return object
        if is_list(holder):
            hint = f"use '{_shown(node.node)} | first', or {{% for … %}} in a text"
            return self.complain(word, f"'{_shown(node.node)}' is a list; it has no '{word}'", hint)
        if not isinstance(holder, type) or not is_dataclass(holder):
            return self.complain(word, f"'{_shown(node.node)}' is {called(holder)}; it has no '{word}'", "use a filter")
        if PROOF not in sure:
            self.findings.open_fields.add((holder, word))
        fields = fields_of(holder)
        if word not in fields:
            return self.complain(word, f"'{_shown(node.node)}' has no '{word}'", did_you_mean(word, fields))
        return fields[word]

    def _getitem(self, node: nodes.Getitem, sure: frozenset[str]) -> Kind:
        holder = bare(self.visit(node.node, sure))
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int) and is_list(holder):
            return element_of(holder)
        return self.complain("[", "square brackets only take an element of a list", "write such as caller.name")

    def _filter(self, node: nodes.Filter, sure: frozenset[str]) -> Kind:
        given = self.visit(node.node, sure) if node.node is not None else object
        known = FILTERS[node.name]
        for argument in node.args:
            self.visit(argument, sure)
        if len(node.args) != known.arguments or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.complain(node.name, f"filter '{node.name}' takes {known.arguments} arguments, not {len(node.args)}")
        if may_be_empty(given) and node.node is not None and path_of(node.node) not in sure and known.gives is str:
            self._empty(node.node)
        kind = bare(given)
        if not fits(kind, known.accepts):
            self.complain(node.name, f"filter '{node.name}' cannot take {called(kind)}")
        if known.gives is None:
            return element_of(kind) | None if is_list(kind) else object
        return known.gives | None if known.gives is date and may_be_empty(given) else known.gives

    def _compare(self, node: nodes.Compare, sure: frozenset[str]) -> Kind:
        left = bare(self.visit(node.expr, sure))
        for operand in node.ops:
            right = bare(self.visit(operand.expr, sure))
            if operand.op in ("eq", "ne") and isinstance(operand.expr, nodes.Const):
                self._compare_with(node.expr, left, operand.expr.value)
            elif operand.op not in ("in", "notin") and _are_never_alike(left, right):
                word = _shown(operand.expr)
                message = f"'{_shown(node.expr)}' is {called(left)} and '{word}' {called(right)}"
                moment = {left, right} == {date, datetime}
                hint = "write moment | date for the day of a moment" if moment else ""
                self.complain(word, f"{message}, so they cannot be compared", hint)
        return bool

    def _compare_with(self, node: nodes.Node, left: Kind, value: object) -> None:
        choices = choices_of(left)
        word = str(value)
        if choices and value not in choices:
            self.complain(word, f"'{_shown(node)}' is never '{word}'", did_you_mean(word, choices))
        elif left is str and not isinstance(value, str):
            self.complain(word, f"'{_shown(node)}' is text, so it never equals {word}", f'write "{word}" in quotes')
        elif left in (int, float, Decimal) and isinstance(value, str):
            self.complain(word, f"'{_shown(node)}' is a number, so it never equals a text", "write it without quotes")

    def _if(self, node: nodes.If, sure: frozenset[str]) -> None:
        self.visit(node.test, sure)
        for part in node.body:
            self.visit(part, sure | _certain(node.test))
        for part in (*node.elif_, *node.else_):
            self.visit(part, sure | _denied(node.test))

    def _for(self, node: nodes.For, sure: frozenset[str]) -> None:
        kind = bare(self.visit(node.iter, sure))
        if not isinstance(node.target, nodes.Name) or node.recursive:
            self.complain("for", "a loop takes one name: {% for order in caller.orders %}")
            return
        if kind is not object and not is_list(kind):
            self.complain(_shown(node.iter), f"'{_shown(node.iter)}' is {called(kind)}, not a list")
        before = dict(self.names)
        self.names[node.target.name] = element_of(kind) if is_list(kind) else object
        for part in ([node.test] if node.test else []) + [*node.body, *node.else_]:
            self.visit(part, sure)
        self.names = before

    def _output(self, node: nodes.Node, sure: frozenset[str]) -> None:
        """What is spoken must be text or a number, and must be there."""
        if isinstance(node, nodes.TemplateData):
            return
        given = self.visit(node, sure)
        kind = bare(given)
        word = _shown(node)
        if may_be_empty(given) and path_of(node) not in sure:
            self._empty(node)
        elif is_list(kind):
            self.complain(word, f"'{word}' is a list; it cannot be spoken as it is", "use | count, | first or | join")
        elif isinstance(kind, dict) or is_dataclass(kind):
            self.complain(word, f"'{word}' as a whole cannot be spoken", f"choose a field: {word}.…")
        elif kind in ADVICE:
            self.complain(
                word, f"'{word}' is {called(kind)}; say how it is spoken", f"add | {ADVICE[kind]}, or | written"
            )

    def _empty(self, node: nodes.Node) -> None:
        word = _shown(node)
        self.complain(
            word.rpartition(".")[2], f"'{word}' may be empty", f"say it within {{% if {word} %}} … {{% endif %}}"
        )


def _are_never_alike(left: Kind, right: Kind) -> bool:
    kinds = [
        next((line for line in ALIKE if kind in line), str if fits(kind, (str,)) else None) for kind in (left, right)
    ]
    return object not in (left, right) and None not in kinds and kinds[0] != kinds[1]


def path_of(node: nodes.Node | None) -> str:
    """`caller.name` for such a chain of names; empty for anything else."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        above = path_of(node.node)
        return f"{above}.{node.attr}" if above else ""
    return ""


def _shown(node: nodes.Node) -> str:
    if isinstance(node, nodes.Filter) and node.node is not None:
        return f"{_shown(node.node)} | {node.name}"
    if isinstance(node, nodes.Const):
        return str(node.value)
    return path_of(node) or "this"


def _certain(test: nodes.Node) -> frozenset[str]:
    """The paths that are there when a condition holds."""
    if isinstance(test, nodes.And):
        return _certain(test.left) | _certain(test.right)
    if isinstance(test, nodes.Not):
        return _denied(test.node)
    path = path_of(test)
    return frozenset({path}) if path else frozenset()


def _denied(test: nodes.Node) -> frozenset[str]:
    """The paths that are there when a condition does not hold."""
    if isinstance(test, nodes.Or):
        return _denied(test.left) | _denied(test.right)
    return _certain(test.node) if isinstance(test, nodes.Not) else frozenset()

"""Loading: a recipe's file read and looked through, every mistake with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from integrations.rest.mapping import fields_of, words_of
from integrations.rest.recipe import ChangesQuestion, Deed, Fields, Paging, Question, Recipe, RefreshAuth, Request
from integrations.rest.templates import Template
from ivr.domain.caller import Customer
from ivr.domain.dossier import Appointment, Case, Fault, Invoice, Order
from ivr.domain.errand import ContactNote, Message, Ticket
from ivr.yamlfile.binding import bind, place_problem
from ivr.yamlfile.nodes import Listing, Node, Table
from ivr.yamlfile.problem import did_you_mean, refuse
from ivr.yamlfile.reading import read

BUNDLED = Path(__file__).parent / "recipes"
DOCS = "integrations/rest/README.md#recipes"
OF_A_FILE = "_file"
"""How the name of a value ends that is a file with a secret on its first line."""

Loc = tuple[str | int, ...]

DOSSIER: Mapping[str, type] = {
    "orders": Order,
    "invoices": Invoice,
    "cases": Case,
    "faults": Fault,
    "appointments": Appointment,
}
NAMES: Mapping[str, frozenset[str]] = {
    "check": frozenset(),
    "find_caller": frozenset({"number", "numbers", "significant"}),
    "find_customer": frozenset({"value"}),
    "changes": frozenset({"since", "limit"}),
    **{part: frozenset({"customer"}) for part in DOSSIER},
    "log_contact": frozenset({"note", "customer"}),
    "create_ticket": frozenset({"ticket", "customer"}),
    "send_message": frozenset({"message"}),
}
"""What templates may name, by what they are for."""

ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "note": frozenset(field.name for field in fields(ContactNote)),
    "ticket": frozenset(field.name for field in fields(Ticket)),
    "message": frozenset(field.name for field in fields(Message)),
}
RESERVED = frozenset().union(*NAMES.values(), {"item", "cursor", "page", "offset", "loop"})


def recipe_path(name: str, folder: Path) -> Path:
    """The file of a recipe: one that comes with Klantlijn by its name, any other by its path from `folder`."""
    return BUNDLED / f"{name}.yaml" if re.fullmatch(r"[a-z0-9_]+", name) else folder / name


def bundled() -> list[str]:
    """The names of the recipes that come with Klantlijn."""
    return sorted(path.stem for path in BUNDLED.glob("*.yaml"))


def load(path: Path) -> Recipe:
    """The recipe in a file. Raises InvalidFiles with every problem in it."""
    node = _typed(read(path))
    recipe, problems = bind(node, Recipe, docs=DOCS)
    if recipe is not None:
        problems += [place_problem(node, loc, "value", message, hint, DOCS) for loc, message, hint in _checked(recipe)]
    refuse(problems)
    assert recipe is not None
    return recipe


def mistakes_in(values: Mapping[str, str], recipe: Recipe) -> list[str]:
    """What is wrong with the values that settings give. What was written is not shown: it may be a secret."""
    wrong = [
        f"the recipe has no value '{name}': {did_you_mean(name, recipe.values)}"
        for name in values
        if name not in recipe.values
    ]
    wrong += [
        f"the recipe needs a value '{name}': {value.about}"
        for name, value in recipe.values.items()
        if value.default is None and name not in values
    ]
    return wrong


def _typed(node: Node, *, in_body: bool = False) -> Node:
    """The same tree; in bodies a number, true or false that is written without quotes keeps its type.

    Files are read as texts. An expression, as templates know it, carries the type further.
    """
    if isinstance(node, Table):
        entries = {
            key: (scalar, _typed(value, in_body=in_body or key == "body"))
            for key, (scalar, value) in node.entries.items()
        }
        return replace(node, entries=entries)
    if isinstance(node, Listing):
        return replace(node, items=tuple(_typed(item, in_body=in_body) for item in node.items))
    literal = re.fullmatch(r"-?(0|[1-9]\d{0,17})(\.\d{1,17})?|true|false", node.text)
    return replace(node, text=f"{{{{ {node.text} }}}}") if in_body and literal and not node.quoted else node


Wrong = tuple[Loc, str, str]


def _checked(recipe: Recipe) -> Iterator[Wrong]:
    """What no single value shows: names, fields, and what belongs together."""
    plain = {name for name in recipe.values if not name.endswith(OF_A_FILE)}
    secret = {name.removesuffix(OF_A_FILE) for name in recipe.values if name.endswith(OF_A_FILE)}
    for name in recipe.values:
        if name.removesuffix(OF_A_FILE) in RESERVED:
            yield ("values", name), f"'{name}' has a meaning of its own in templates", "choose another name"
    yield from _templates(recipe.base_url, ("base_url",), plain, plain)
    yield from _templates(recipe.headers, ("headers",), plain, plain)
    if recipe.auth:
        yield from _templates(recipe.auth, ("auth",), plain | secret, plain | secret)
        if isinstance(recipe.auth, RefreshAuth) and recipe.auth.keep not in recipe.values:
            yield ("auth", "keep"), f"there is no value '{recipe.auth.keep}'", did_you_mean(recipe.auth.keep, secret)
    yield from _requests((recipe.check,), ("check",), NAMES["check"], plain, at=())
    for loc, question in _questions(recipe):
        names = NAMES[str(loc[0])]
        paged = _paging_names(question.paging) if isinstance(question, Question) else frozenset[str]()
        yield from _requests(question.requests, (*loc, "requests"), names | paged, plain)
        if isinstance(question, Question):
            yield from _mapped(question, loc, recipe)
    if not recipe.capabilities:
        yield (), "the recipe asks nothing", f"give one of: {', '.join(sorted(set(NAMES) - {'check'}))}"


def _questions(recipe: Recipe) -> Iterator[tuple[Loc, Question | Deed]]:
    for kind, question in recipe.find_customer.items():
        yield ("find_customer", kind.value), question
    for name in NAMES:
        found = getattr(recipe, name)
        if isinstance(found, Question | Deed):
            yield (name,), found


def _mapped(question: Question, loc: Loc, recipe: Recipe) -> Iterator[Wrong]:
    name = str(loc[0])
    kind = DOSSIER.get(name, Customer)
    if kind is Customer:
        yield from _fields({**recipe.customer, **question.fields}, Customer, ("customer",) if recipe.customer else loc)
    else:
        yield from _fields(question.fields, kind, (*loc, "fields"))
    paging = question.paging
    if paging and sum(way is not None for way in (paging.next_link, paging.cursor, paging.page_size)) != 1:
        yield (*loc, "paging"), "there is one way to the next page", "give next_link, cursor or page_size"
    if paging and question.requests[-1].each:
        yield (*loc, "paging"), "a request with 'each' has no pages", ""
    if isinstance(question, ChangesQuestion) and (question.mark is None) == (question.resume is None):
        yield loc, "changes go on from somewhere", "give either mark or resume"


def _fields(sources: Fields, kind: type, loc: Loc) -> Iterator[Wrong]:
    known = fields_of(kind)
    title = kind.__name__.lower()
    for name in known:
        if known[name] and name not in sources:
            yield loc, f"there is no '{name}', without which there is no {title}", f"add '{name}: …'"
    for name, source in sources.items():
        if name not in known:
            yield (*loc, name), f"{title} has no field '{name}'", did_you_mean(name, known)
            continue
        words = words_of(kind, name)
        for key, word in [*source.values.items(), *([("", source.otherwise)] if source.otherwise else [])]:
            if words and word not in words:
                at = (*loc, name, "values", key) if key else (*loc, name, "otherwise")
                yield at, f"'{word}' is no {name} of {title}", f"there are: {', '.join(words)}"
        if source.format and "%z" in source.format.lower():
            yield (*loc, name, "format"), "a format has no zone", "leave format out for ISO 8601, which may have one"


def _paging_names(paging: Paging | None) -> frozenset[str]:
    if paging is None:
        return frozenset()
    pages = frozenset({"page", "offset"}) if paging.page_size else frozenset[str]()
    return pages | ({"cursor"} if paging.cursor else frozenset())


def _requests(
    requests: tuple[Request, ...], loc: Loc, names: frozenset[str], plain: set[str], *, at: Loc | None = None
) -> Iterator[Wrong]:
    taken: set[str] = set()
    for place, request in enumerate(requests):
        here = loc if at is not None else (*loc, place)
        known = names | plain | taken | ({"item"} if request.each else set())
        yield from _templates(request, here, known, plain)
        for name in request.take:
            if name in RESERVED or name in plain:
                yield (*here, "take", name), f"'{name}' has a meaning of its own in templates", "choose another name"
        taken |= set(request.take)


def _templates(part: Any, loc: Loc, names: set[str] | frozenset[str], trusted: set[str]) -> Iterator[Wrong]:
    if isinstance(part, Template):
        yield from _template(part, loc, names, trusted)
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _templates(getattr(part, name), (*loc, name), names, trusted)
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _templates(value, (*loc, key), names, trusted)
    elif isinstance(part, list | tuple):
        for place, value in enumerate(part):
            yield from _templates(value, (*loc, place), names, trusted)


def _template(template: Template, loc: Loc, names: set[str] | frozenset[str], trusted: set[str]) -> Iterator[Wrong]:
    for name in sorted(template.names - names):
        yield loc, f"there is nothing called '{name}' here", did_you_mean(name, names)
    for name, attribute in sorted(template.attributes):
        if name in ATTRIBUTES and attribute not in ATTRIBUTES[name]:
            yield loc, f"'{name}' has no '{attribute}'", did_you_mean(attribute, ATTRIBUTES[name])
    for name in sorted(template.unquoted - trusted):
        what = f"'{name}'" if name else "a value"
        yield (
            loc,
            f"{what} stands in the middle of a text and does not say how it is quoted",
            f"end it with a filter, such as '{{{{ {name or '…'} | odata }}}}'; '| plain' where only people read it",
        )

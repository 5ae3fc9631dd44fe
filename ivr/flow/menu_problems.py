"""Menu problems: menus that tell other keys than they have, or more than callers remember."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ivr.domain.language import Language
from ivr.flow.drafts import DOCS, DraftStep, DraftTexts
from ivr.flow.expressions import Text
from ivr.flow.menu_order import with_keys
from ivr.flow.spoken_keys import named_keys, told_keys
from ivr.flow.steps.menu import ListedOption, Menu
from ivr.flow.triage import Ask
from ivr.flow.triage_drafts import DOCS as TRIAGE_DOCS
from ivr.flow.triage_drafts import DraftTriage
from ivr.yamlfile.nodes import Loc, Node, Place, place_of, word_place
from ivr.yamlfile.problem import Problem

MOST_OPTIONS = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """An option as a caller meets it: its key if that is written, where that is, the prompt that tells it.

    `always`: it is offered to everybody.
    """

    key: str | None
    place: Place
    say: str | None = None
    always: bool = True


@dataclass(frozen=True)
class Question:
    """A menu or a question of a triage: the prompts that every caller hears, and what can be pressed."""

    place: Place
    prompts: Sequence[str]
    offers: Sequence[Offer]
    docs: str
    keys: Collection[str] = field(default=())

    def problems(self, languages: Collection[Language], texts: Mapping[Language, DraftTexts]) -> Iterator[Problem]:
        """What is wrong with it in the languages it is asked in."""
        if len(self.offers) > MOST_OPTIONS:
            message = f"{len(self.offers)} options are more than callers remember; {MOST_OPTIONS} are the most"
            yield self.place.warning("long-menu", message, "let a menu follow for the others", self.docs)
        for language in languages:
            yield from self._told(texts[language])

    def _told(self, texts: DraftTexts) -> Iterator[Problem]:
        asked = {name: _fixed(texts, name) for name in self.prompts}
        offered = {offer.say: _fixed(texts, offer.say) for offer in self.offers if offer.say}
        told = [(name, key) for name, text in (asked | offered).items() if text for key in told_keys(text)]
        for name, spoken in told:
            if spoken.key not in self.keys:
                place = word_place(texts.entries[name][1], (), spoken.word)
                asking = f"{self.place.source.file}:{self.place.line}"
                message = f"'{name}' tells callers to press {spoken.key}, and {asking} has no such option"
                yield place.problem("told-key", message, f"its keys: {', '.join(sorted(self.keys))}", self.docs)
        if not told:
            return
        named = {key for text in (asked | offered).values() if text for key in named_keys(text)}
        for offer in self.offers:
            other = list(self._other_key(offer, offered[offer.say], texts)) if offer.say else []
            yield from other
            if other or not offer.always or offer.key is None or not offer.key.isdigit() or offer.key in named:
                continue
            if None in asked.values() or (offer.say and offered[offer.say] is None):
                continue  # what a recording or a value says is not known here
            message = f"no text in {texts.language.name} tells callers to press {offer.key}"
            yield offer.place.warning("untold-key", message, f"say it in {texts.file}", self.docs)

    def _other_key(self, offer: Offer, text: str | None, texts: DraftTexts) -> Iterator[Problem]:
        """An option whose own text tells the key of another one."""
        told = told_keys(text or "")
        if offer.key is None or offer.say is None or not text or not told or offer.key in named_keys(text):
            return
        if all(spoken.key in self.keys for spoken in told):
            place = word_place(texts.entries[offer.say][1], (), told[0].word)
            at = f"{offer.place.source.file}:{offer.place.line}"
            message = f"'{offer.say}' tells callers to press {told[0].key}, and its option at {at} has key {offer.key}"
            yield place.problem("told-key", message, f"write {offer.key} here, or there", self.docs)


def of_menu(found: DraftStep, menu: Menu) -> Question:
    """A menu as a question."""
    options: Sequence[tuple[Loc, str | None, str | None, bool]]
    if isinstance(menu.options, Mapping):
        options = [(("options", key), key, option.say, option.when is None) for key, option in menu.options.items()]
        keys: Collection[str] = menu.options.keys()
    else:
        options = [
            (("options", at, "key"), option.key, option.say, option.when is None)
            for at, option in enumerate(menu.options)
        ]
        keys = with_keys([option.key for option in menu.options if isinstance(option, ListedOption)])
    offers = [Offer(key, place_of(found.value, loc, key=True), say, always) for loc, key, say, always in options]
    return Question(found.item.key(menu.kind), menu.prompt, offers, f"{DOCS}#menu", keys)


def of_triage(draft: DraftTriage) -> Iterator[Question]:
    """The questions of a triage."""
    if draft.triage is None or draft.root is None:
        return
    for name, question in draft.triage.questions.items():
        if isinstance(question, Ask):
            at = ("questions", name)
            offers = [Offer(key, place_of(draft.root, (*at, "choices", key), key=True)) for key in question.choices]
            place = place_of(draft.root, at, key=True)
            yield Question(place, (question.ask,), offers, TRIAGE_DOCS, question.choices.keys())


def _fixed(texts: DraftTexts, name: str) -> str | None:
    """What a prompt says in every call; None when a recording or a value decides that."""
    entry: tuple[Text, Node] | None = texts.entries.get(name)
    return None if entry is None or name in texts.recordings else entry[0].fixed

"""Prompt problems: what a flow says and nobody wrote, or wrote in one language only, or so that it cannot be said."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ivr.domain.language import Language
from ivr.flow.drafts import DOCS, DraftTexts
from ivr.flow.expression_types import Complaint, Names
from ivr.flow.step import Said
from ivr.yamlfile.nodes import Place, word_place
from ivr.yamlfile.problem import Problem, did_you_mean

PAGE = f"{DOCS}#texts"


@dataclass
class PromptProblems:
    """Looks at prompts where they are said. `said` are those that were, `unknown` those of them that nobody wrote."""

    texts: Mapping[Language, DraftTexts]
    said: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    _seen: set[tuple[str, Language, str]] = field(default_factory=set)

    def of(
        self,
        said: Said,
        place: Place,
        languages: Collection[Language],
        names: Names,
        *,
        flow: str = "",
    ) -> Iterator[Problem]:
        """Whether a prompt can be said in these languages, with the names it has here.

        A text is looked at once in each `flow` (the name of its file) that says it with the same names.
        """
        self.said.add(said.prompt)
        having = [language for language in languages if self._has(language, said.prompt)]
        for language in languages:
            if language in having:
                yield from self._text(flow, language, said, names)
                yield from self._unsaid(language, said, place)
                continue
            file = self.texts[language].file
            if not having:
                self.unknown.add(said.prompt)
                entries = self.texts[language].entries.items()
                # Not those that come with Klantlijn: who says a prompt means one of their own.
                hint = did_you_mean(
                    said.prompt, [name for name, (_, node) in entries if node.place.source.file == file]
                )
                hint = hint if hint.startswith("did") else f"add it to {file}"
                yield place.problem("unknown-prompt", f"unknown prompt '{said.prompt}'", hint, PAGE)
                return
            message = f"prompt '{said.prompt}' is not there in {language.name}"
            yield place.problem("missing-text", message, f"add it to {file}", PAGE)

    def _has(self, language: Language, prompt: str) -> bool:
        texts = self.texts[language]
        return prompt in texts.entries or prompt in texts.recordings

    def _text(self, flow: str, language: Language, said: Said, names: Names) -> Iterator[Problem]:
        entry = self.texts[language].entries.get(said.prompt)
        if entry is None:
            return
        text, node = entry
        use = (flow, language, f"{said.prompt} {sorted((name, str(kind)) for name, kind in said.names.items())}")
        if text.fixed is not None or use in self._seen:
            return
        self._seen.add(use)
        for complaint in text.examine({**names, **said.names}).complaints:
            place = word_place(node, (), complaint.word)
            yield place.problem("expression", _in_text(complaint, said), complaint.hint, f"{DOCS}#expressions")

    def _unsaid(self, language: Language, said: Said, place: Place) -> Iterator[Problem]:
        """A prompt that has to tell something, and does not."""
        if not said.must_say:
            return
        texts = self.texts[language]
        text, node = texts.entries.get(said.prompt, (None, None))
        if text is None:
            message = f"a recording cannot say its {said.must_say}, and '{said.prompt}' has one in {language.name}"
            yield place.problem("unsaid", message, f"write the {said.must_say} here, or remove the recording", DOCS)
        elif node is not None and said.must_say not in text.reads:
            message = f"'{said.prompt}' does not say its {said.must_say}, and a menu decides it"
            hint = f"write {{{{ {said.must_say} }}}} where it belongs"
            yield node.place.problem("unsaid", message, hint, f"{DOCS}#menu")


def _in_text(complaint: Complaint, said: Said) -> str:
    own = ", ".join(sorted(said.names))
    return f"{complaint.message} in '{said.prompt}'" + (f" (which also has {own})" if own else "")

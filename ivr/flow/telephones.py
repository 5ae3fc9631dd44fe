"""Telephones: steps that would take a caller to a telephone where nobody may be taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ivr.domain.hand_over import Destinations, read_destination
from ivr.flow.drafts import DOCS, Draft
from ivr.flow.names import TelephoneName
from ivr.flow.steps.transfer import Transfer
from ivr.yamlfile.nodes import place_of
from ivr.yamlfile.problem import Problem, did_you_mean

PREFIXES = "transfers.prefixes in config.yaml"


def forbidden_telephones(draft: Draft, known: Destinations) -> Iterator[Problem]:
    """The `transfer` steps that no call could be taken on by."""
    for steps in draft.blocks.values():
        for found in steps:
            if not isinstance(found.step, Transfer):
                continue
            to = found.step.to
            if to is None and not known.prefixes:
                place = place_of(found.value, ("number",))
                message = "callers may not be taken to any number"
                yield place.problem(
                    "telephone", message, f"write how allowed ones begin under {PREFIXES}", f"{DOCS}#transfer"
                )
            elif to is not None and known.find(to) is None:
                message, hint = _refusal(to, known)
                yield place_of(found.value, ("to",)).problem("telephone", message, hint, f"{DOCS}#transfer")


def _refusal(to: TelephoneName, known: Destinations) -> tuple[str, str]:
    """Why nobody is taken there, and what would help."""
    if re.match("[A-Za-z]", to):
        hint = did_you_mean(to, known.named) or "name it under transfers.telephones in config.yaml"
        return f"unknown telephone '{to}'", hint
    number = read_destination(to, known.country)
    if number is None:
        return f"'{to}' is not a telephone number", "write it with its country: +31201234567"
    return f"callers may not be taken to {number}", f"write how it begins under {PREFIXES}"

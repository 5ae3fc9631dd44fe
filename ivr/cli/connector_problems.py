"""Connector problems: what is wrong with the connectors in config.yaml, and with what they are named for."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.config.model import Config
from ivr.configured import surroundings_of
from ivr.connectors.catalog import Catalog
from ivr.connectors.system import capabilities_of
from ivr.errors import SetupError
from ivr.yamlfile.problem import Problem

DOCS = "docs/connectors.md"


def connector_problems(config: Config) -> Iterator[Problem]:
    """Every mistake in `connectors`, and every errand for a connector that cannot do it; nothing is opened."""
    catalog = Catalog()
    wrong: set[str] = set()
    for name, configured in config.connectors.items():
        for each in catalog.problems(configured):
            wrong.add(name)
            place = config.place("connectors", name, *each.path)
            yield place.problem("connector", each.message, each.hint, DOCS)
    for at, name, capability in config.errands.named():
        if name in wrong:
            continue
        configured = config.connectors[name]
        try:
            can = capabilities_of(catalog.build(configured, surroundings_of(config, configured)))
        except SetupError as error:
            yield config.place("connectors", name).problem("connector", str(error), "", DOCS)
            wrong.add(name)
            continue
        if capability not in can:
            message = f"connector '{name}' ({configured.integration}) does not have '{capability}'"
            hint = "name one that has it, or leave this out"
            yield config.place("errands", *at).problem("capability", message, hint, "docs/errands.md")

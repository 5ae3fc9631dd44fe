"""Connector problems: what is wrong with the connectors in config.yaml, and with what they are named for."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.config.model import Config
from ivr.configured import surroundings_of
from ivr.connectors.catalog import Catalog
from ivr.connectors.system import capabilities_of
from ivr.domain.capability import Capability
from ivr.errors import InvalidFiles, SetupError
from ivr.yamlfile.problem import Problem

DOCS = "docs/connectors.md"


def connector_problems(config: Config) -> Iterator[Problem]:
    """Every mistake in `connectors`, and every errand for a connector that cannot do it; nothing is opened."""
    catalog = Catalog()
    can: dict[str, frozenset[Capability]] = {}
    for name, configured in config.connectors.items():
        problems = catalog.problems(configured)
        for each in problems:
            yield config.place("connectors", name, *each.path).problem("connector", each.message, each.hint, DOCS)
        if problems:
            continue
        try:
            can[name] = capabilities_of(catalog.build(configured, surroundings_of(config, configured)))
        except SetupError as error:
            if isinstance(error.__cause__, InvalidFiles):  # a file that the settings name, such as a recipe
                yield from (each for each in error.__cause__.problems if isinstance(each, Problem))
            else:
                yield config.place("connectors", name).problem("connector", str(error), "", DOCS)
    for at, name, capability in config.errands.named():
        if capability not in can.get(name, {capability}):
            configured = config.connectors[name]
            message = f"connector '{name}' ({configured.integration}) does not have '{capability}'"
            hint = "name one that has it, or leave this out"
            yield config.place("errands", *at).problem("capability", message, hint, "docs/errands.md")

"""The catalog: which integrations there are, and how a connector is built from its place in config.yaml."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ivr.config.model import Connector as Configured
from ivr.connectors.connector import CAPABILITIES, Capability, Connector, Surroundings
from ivr.connectors.manifest import FILE_NAME, Manifest, read_manifest
from ivr.errors import SetupError

FINDS = frozenset({Capability.FIND_CALLER, Capability.FIND_CUSTOMER})
"""One of these is what identification needs of a connector."""


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """A mistake under `connectors.<name>` in config.yaml.

    `path` leads there from `connectors.<name>`, such as `("settings", "url")`.
    The message never holds a setting's value, which may be a secret.
    """

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


class Catalog:
    """The integrations in a package: one folder each, imported when a connector first needs it."""

    def __init__(self, package: str = "integrations") -> None:
        self._package = package

    def names(self) -> Sequence[str]:
        """The integrations that can be connected, sorted.

        Raises:
            SetupError: the package is not installed.
        """
        return sorted(path.parent.name for path in self.folder.glob(f"*/{FILE_NAME}"))

    def manifest(self, integration: str) -> Manifest:
        """What an integration says about itself. Raises SetupError when there is none of this name or it is wrong."""
        if integration not in self.names():
            raise SetupError(f"there is no integration '{integration}'. {self._suggestion(integration)}")
        return read_manifest(self.folder / integration)

    def parts(self, integration: str) -> tuple[Manifest, type[BaseModel], type[Any]]:
        """An integration's manifest, its settings' model, and its connector's class. Raises SetupError."""
        manifest = self.manifest(integration)
        return manifest, self._settings_model(manifest), self._connector_class(manifest)

    def problems(self, configured: Configured, *, find_caller: bool = False) -> Sequence[SettingProblem]:
        """Every mistake in a connector's part of config.yaml; nothing is opened.

        `find_caller` says that `identify.connectors` lists it.
        """
        integration = configured.integration
        if integration not in self.names():
            return [
                SettingProblem(
                    ("integration",), f"there is no integration '{integration}'", self._suggestion(integration)
                )
            ]
        try:
            manifest, settings, _ = self.parts(integration)
        except SetupError as error:
            return [SettingProblem(("integration",), str(error))]
        found: list[SettingProblem] = []
        if find_caller and manifest.capabilities.isdisjoint(FINDS):
            message = f"'{integration}' cannot find callers (find_caller) nor customers (find_customer)"
            found.append(SettingProblem(("integration",), message))
        try:
            settings.model_validate(configured.settings)
        except ValidationError as error:
            found += [_problem(each["loc"], each["msg"], settings) for each in error.errors(include_input=False)]
        return found

    def build(self, configured: Configured, surroundings: Surroundings) -> Connector:
        """A connector, not yet opened.

        Raises:
            SetupError: the integration or its settings are wrong; the message lists everything.
        """
        manifest, model, connector_class = self.parts(configured.integration)
        try:
            settings = model.model_validate(configured.settings)
        except ValidationError as error:
            wrong = [_problem(each["loc"], each["msg"], model) for each in error.errors(include_input=False)]
            listed = "; ".join(f"{'.'.join(map(str, each.path))}: {each.message} {each.hint}".strip() for each in wrong)
            raise SetupError(f"connector of '{manifest.name}': {listed}") from None  # the cause shows secret values
        connector = connector_class(settings, surroundings)
        for capability in manifest.capabilities:
            if not isinstance(connector, CAPABILITIES[capability]):
                raise SetupError(f"integration '{manifest.name}' declares {capability}, but does not implement it")
        if not isinstance(connector, Connector):
            raise SetupError(f"integration '{manifest.name}' has no open, close and check")
        return connector

    @property
    def folder(self) -> Path:
        """Where the integrations lie. Raises SetupError."""
        spec = importlib.util.find_spec(self._package)
        if spec is None or not spec.submodule_search_locations:
            raise SetupError(f"the package '{self._package}' is not installed")
        return Path(spec.submodule_search_locations[0])

    def _suggestion(self, integration: str) -> str:
        names = self.names()
        close = get_close_matches(integration, names, n=1)
        return f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names) or 'none'}"

    def _settings_model(self, manifest: Manifest) -> type[BaseModel]:
        model = self._named(manifest, manifest.settings)
        if not issubclass(model, BaseModel):
            raise SetupError(f"integration '{manifest.name}': {manifest.settings} is not a pydantic model")
        return model

    def _connector_class(self, manifest: Manifest) -> type[Any]:
        return self._named(manifest, manifest.connector)

    def _named(self, manifest: Manifest, place: str) -> type[Any]:
        module_name, _, class_name = place.partition(":")
        try:
            module = importlib.import_module(f"{self._package}.{manifest.name}.{module_name}")
        except ImportError as error:
            raise SetupError(f"integration '{manifest.name}' cannot be imported: {error}") from error
        found = getattr(module, class_name, None)
        if not isinstance(found, type):
            raise SetupError(f"integration '{manifest.name}': there is no class {place}")
        return found


def _problem(loc: tuple[str | int, ...], message: str, model: type[BaseModel]) -> SettingProblem:
    """A pydantic error as a person reads it, with the nearest known key for an unknown one."""
    hint = ""
    if message == "Field required":
        message = f"the setting '{'.'.join(map(str, loc))}' is missing"
    if message.startswith("Extra inputs") and len(loc) == 1:
        message = "there is no such setting"
        close = get_close_matches(str(loc[0]), model.model_fields, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(model.model_fields)}"
    return SettingProblem(("settings", *loc), message.removeprefix("Value error, "), hint)

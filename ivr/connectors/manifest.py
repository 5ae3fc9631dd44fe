"""A manifest: what `integrations/<name>/manifest.yaml` says about an integration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ivr.connectors.connector import Capability
from ivr.errors import SetupError

FILE_NAME = "manifest.yaml"
MAX_BYTES = 64 * 1024

Place = Annotated[str, Field(pattern=r"^[a-z_]+:[A-Za-z]+$")]
"""A class in the integration's package, such as `connector:SqlConnector`."""


class Manifest(BaseModel):
    """What an integration is called, can do, and where its classes are.

    `settings` names the pydantic model of the connector's `settings` in config.yaml,
    `connector` the class built from them, `docs` its page, beside the manifest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    title: Annotated[str, Field(min_length=1)]
    capabilities: Annotated[frozenset[Capability], Field(min_length=1)]
    settings: Place
    connector: Place
    docs: Annotated[str, Field(pattern=r"^[\w.-]+\.md$")] = "README.md"


def read_manifest(folder: Path) -> Manifest:
    """The manifest in an integration's folder.

    Raises:
        SetupError: it is missing or wrong; the message lists everything that is.
    """
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise SetupError(f"{path} is larger than {MAX_BYTES} bytes")
        manifest = Manifest.model_validate(yaml.safe_load(text))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise SetupError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}" for each in error.errors())
        raise SetupError(f"{path}: {wrong}") from error
    if manifest.name != folder.name:
        raise SetupError(f"{path}: name is '{manifest.name}', but its folder is '{folder.name}'")
    if not (folder / manifest.docs).is_file():
        raise SetupError(f"{path}: docs names {manifest.docs}, which is not beside it")
    return manifest

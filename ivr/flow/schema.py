"""The schemas of flow files and of texts: what an editor offers and refuses in them."""

from __future__ import annotations

import inspect
import json
from typing import Any

from ivr.flow.drafts import ON_ERROR, FlowFile, Modifiers
from ivr.flow.names import Name
from ivr.flow.step import Step
from ivr.flow.steps import KINDS
from ivr.yamlfile.schema import DIALECT, Schema, schemas_of


def flow_schema() -> Schema:
    """The schema of `dialplans/*.yaml`: every kind of step with its settings."""
    refer, defs = schemas_of([FlowFile, Modifiers, *KINDS.values()])
    flow = defs.pop(FlowFile.__name__)
    modifiers = defs.pop(Modifiers.__name__)
    on_error = next(option for option in modifiers["anyOf"] if "properties" in option)["properties"][ON_ERROR]
    steps: Schema = {kind: {**refer[step], **_described(step)} for kind, step in KINDS.items()}
    steps[ON_ERROR] = {**on_error, "description": "The block where the call goes on when this step fails."}
    defs["Step"] = {
        "description": "One step: its kind and what it needs.",
        "type": "object",
        "properties": steps,
        "additionalProperties": False,
        "oneOf": [{"required": [kind]} for kind in KINDS],
    }
    _replace_any(flow["properties"]["blocks"], {"$ref": "#/$defs/Step"})
    return {"$schema": DIALECT, "title": "A flow", **flow, "$defs": defs}


def texts_schema() -> Schema:
    """The schema of `prompts/<language>/texts.yaml`: names and what is said."""
    return {
        "$schema": DIALECT,
        "title": "Texts",
        "description": "What callers hear, by the name of the prompt.",
        "type": "object",
        "propertyNames": {"pattern": f"^{Name.pattern}$"},
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    }


def _described(step: type[Step]) -> Schema:
    """A kind of step in the words of its own file."""
    description = inspect.cleandoc(step.__doc__ or "")
    return {"description": description.split("\n\n")[0].replace("\n", " "), "markdownDescription": description}


def _replace_any(schema: Schema, what: Schema) -> None:
    """Put `what` wherever a schema has lists of anything."""
    if schema.get("type") == "array" and not schema.get("items"):
        schema["items"] = what
    inner: list[Any] = list(schema.values())
    for value in inner:
        if isinstance(value, dict):
            _replace_any(value, what)


def written(schema: Schema) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"

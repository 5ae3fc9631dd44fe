"""JSON Schema: what a model lets people write in YAML, for editors that complete and check while one types.

Dialect 2020-12 (https://json-schema.org/draft/2020-12). An editor gives YAML's own types to what is written, while
here every value is text until a model reads it: so where a text belongs a number or true will do, and where a model
reads a value from a text, such as a duration, the text will do.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

REFERENCE = "#/$defs/{model}"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def schema_of(model: type[BaseModel], title: str) -> Schema:
    """The schema of a file that a model reads."""
    made = model.model_json_schema(schema_generator=_AsWritten)
    return {"$schema": DIALECT, **made, "title": title}


def schemas_of(models: Sequence[type[BaseModel]]) -> tuple[Mapping[type[BaseModel], Schema], Schema]:
    """What refers to the schema of each model, and the definitions of all together, to be put under `$defs`."""
    made, together = models_json_schema(
        [(model, "validation") for model in models], schema_generator=_AsWritten, ref_template=REFERENCE
    )
    return {model: made[model, "validation"] for model in models}, together["$defs"]


def or_else(*schemas: Schema) -> Schema:
    """What fits one of these, without repeating what is already among them."""
    options: list[Schema] = []
    for schema in schemas:
        inner = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
        options += [option for option in inner if option not in options]
    return {"anyOf": options} if len(options) > 1 else options[0]


class _AsWritten(GenerateJsonSchema):
    """A model as it is written: with short forms, texts for values, and nothing where nothing is needed."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        return {**super().str_schema(schema), "type": ["string", "number", "boolean"]}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return {**made, "additionalProperties": False} if "patternProperties" in made else made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])  # a default is not written as it is kept: 5.0 is 5s

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if _of_model(schema["schema"]):
            return inner  # its short form is told by the model
        if inner.get("type") == "array" and "items" in inner:
            return or_else(inner["items"], inner)  # one will do for a list of one
        return or_else({"type": ["string", "number"]}, inner)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = dict(super().model_schema(schema))
        made.pop("title", None)
        model = schema["cls"]
        if model.__doc__:
            made["description"] = _paragraph(model)
        short = getattr(model, "shorthand", "")
        needed = set(made.get("required", ()))
        options: list[Schema] = []
        if short and needed <= {short}:
            options.append(made["properties"][_written_as(model, short)])
        if not needed:
            options.append({"type": "null"})
        return or_else(*options, made) if options else made

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _of_model(schema: Any) -> bool:
    """Whether a validator stands before a model's fields: its own, not that of a value."""
    while schema["type"].startswith("function-"):
        schema = schema["schema"]
    return bool(schema["type"] == "model-fields")


def _written_as(model: type[BaseModel], field: str) -> str:
    return model.model_fields[field].alias or field


def _paragraph(model: type[BaseModel]) -> str:
    """The first paragraph of a model's docstring, on one line."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").split("\n\n")[0].split())

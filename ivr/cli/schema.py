"""`ivr schema`: JSON Schemas of everything that is written in YAML, for editors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from ivr.cli.opening import config_of
from ivr.config.model import Config
from ivr.flow.schema import flow_schema, texts_schema, written
from ivr.flow.triage import Triage
from ivr.simulation.scenario import ScenarioFile
from ivr.yamlfile.schema import Schema, schema_of

FOLDER = "schema"
"""Where the schemas are, in the folder of the flows."""

SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "flow": flow_schema,
    "triage": lambda: schema_of(Triage, "A triage"),
    "texts": texts_schema,
    "scenarios": lambda: schema_of(ScenarioFile, "Scenarios"),
    "config": lambda: schema_of(Config, "config.yaml"),
}


@click.command()
@click.argument("kind", required=False, type=click.Choice(list(SCHEMAS)))
@click.option("--write", is_flag=True, help="Write all of them beside the flows, where the files refer to them.")
@click.pass_context
def command(ctx: click.Context, kind: str | None, write: bool) -> None:
    """Print the JSON Schema of a KIND of file: flow, triage, texts, scenarios or config; or write them all.

    A YAML language server completes and checks a file whose first line is, for a flow:

    # yaml-language-server: $schema=schema/flow.json
    """
    if write:
        folder = config_of(ctx).flows.path / FOLDER
        for name in SCHEMAS:
            click.echo(_write(folder / f"{name}.json", text_of(name)))
    elif kind is None:
        raise click.UsageError(f"say which: {', '.join(SCHEMAS)}; or --write")
    else:
        click.echo(text_of(kind), nl=False)


def text_of(kind: str) -> str:
    """The schema of a kind of file, as it stands in its own file."""
    return written(SCHEMAS[kind]())


def _write(path: Path, text: str) -> str:
    """Write a schema, if it is another one. Raises FileError."""
    try:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return f"{path.name} is as it was"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error
    return f"{path.name} is written"

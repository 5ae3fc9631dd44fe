"""`ivr voicemails`: the messages that callers left, and the other recordings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import masked, print_json, print_table, utc
from ivr.domain.contact import Json
from ivr.domain.recording import Purpose, RecordingId
from ivr.store.recordings import Spoken


class NoSuchRecording(click.ClickException):
    """There is no recording with this id."""

    exit_code = 1


@click.group(invoke_without_command=True)
@click.option("--all", "heard", is_flag=True, help="Also those that were heard.")
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    default=Purpose.VOICEMAIL.value,
    show_default=True,
    help="Messages, open answers of surveys, or recorded calls.",
)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--reveal", is_flag=True, help="Show telephone numbers in full.")
@click.pass_context
def command(ctx: click.Context, heard: bool, purpose: str, limit: int, as_json: bool, reveal: bool) -> None:
    """Show the messages that callers left, newest first: those that nobody has heard yet."""
    if ctx.invoked_subcommand is not None:
        return
    config = config_of(ctx)
    zone, folder = ZoneInfo(config.organisation.time_zone), config.recordings.path

    async def read() -> Sequence[Spoken]:
        async with stores_of(ctx) as stores:
            return await stores.recordings.recordings(Purpose(purpose), heard=heard, limit=limit)

    found = wait_for(read())
    if as_json:
        print_json([as_json_object(spoken, folder, reveal=reveal) for spoken in found])
        return
    rows = [
        [
            f"{spoken.recording.made_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            spoken.recording.id,
            str(_number(spoken, reveal=reveal) or "-"),
            spoken.recording.box or "-",
            f"{spoken.recording.seconds:.0f} s",
            f"{spoken.recording.heard_at.astimezone(zone):%Y-%m-%d %H:%M}" if spoken.recording.heard_at else "-",
            str(folder / spoken.recording.file),
        ]
        for spoken in found
    ]
    columns = ["left", "recording", "caller", "box", "length", "heard", "sound"]
    print_table(columns, rows, empty="No recordings." if heard else "Nothing new.")


@command.command("heard")
@click.argument("recording_id", metavar="ID")
@click.pass_context
def mark_heard(ctx: click.Context, recording_id: str) -> None:
    """Note that somebody has heard recording ID."""

    async def mark() -> bool:
        async with stores_of(ctx) as stores:
            return await stores.recordings.mark_heard(RecordingId(recording_id), datetime.now(UTC))

    if not wait_for(mark()):
        raise NoSuchRecording(f"there is no recording {recording_id}")
    click.echo(f"{recording_id} was heard")


def as_json_object(spoken: Spoken, folder: Path, *, reveal: bool) -> Json:
    """A recording in the stable shape of `ivr voicemails --json`."""
    recording = spoken.recording
    return {
        "id": recording.id,
        "call": recording.contact_id,
        "purpose": recording.purpose.value,
        "made_at": utc(recording.made_at),
        "caller": _number(spoken, reveal=reveal),
        "step": recording.step,
        "language": recording.language.value,
        "box": recording.box,
        "seconds": recording.seconds,
        "heard_at": utc(recording.heard_at),
        "path": str(folder / recording.file),
    }


def _number(spoken: Spoken, *, reveal: bool) -> Json:
    return spoken.number if reveal or spoken.number is None else masked(spoken.number)

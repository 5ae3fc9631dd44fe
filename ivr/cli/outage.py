"""`ivr outage`: open, close and list outages; running engines follow within a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import click

from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import print_json, print_table, utc
from ivr.domain.contact import Json
from ivr.domain.language import Language
from ivr.domain.outage import Outage, OutageId


@click.group()
def command() -> None:
    """Open, close and list outages. Running engines follow within a second."""


@command.command("open")
@click.option("--region", help="A region from config.yaml; without it the whole country.")
@click.option("--product", help="A product; without it all of them.")
@click.option("--nl", help="What Dutch callers are told; without it the standard announcement.")
@click.option("--en", help="What English callers are told.")
@click.option("--until", help="When it is expected to be over: 17:00 today, or 2026-11-22T17:00.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def open_(
    ctx: click.Context,
    region: str | None,
    product: str | None,
    nl: str | None,
    en: str | None,
    until: str | None,
    as_json: bool,
) -> None:
    """Open an outage: from now on callers it concerns are told."""
    config = config_of(ctx)
    if region is not None and region not in config.regions:
        known = ", ".join(config.regions) or "none"
        raise click.BadParameter(f"'{region}' is not a region in config.yaml (known: {known})", param_hint="--region")
    outage = Outage(
        id=OutageId(uuid4().hex[:8]),
        opened_at=datetime.now(UTC),
        region=region,
        product=product,
        text={language: text for language, text in ((Language.NL, nl), (Language.EN, en)) if text},
        expected_end=_moment(until, ZoneInfo(config.organisation.time_zone)),
    )

    async def add() -> None:
        async with stores_of(ctx) as stores:
            await stores.outages.add(outage)

    wait_for(add())
    if as_json:
        print_json(as_json_object(outage))
    else:
        click.echo(f"Outage {outage.id} is open: {_where(outage)}. Close it with: ivr outage close {outage.id}")


@command.command()
@click.argument("outage_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def close(ctx: click.Context, outage_id: str, as_json: bool) -> None:
    """Close an outage: it is over."""

    async def end() -> tuple[bool, int]:
        async with stores_of(ctx) as stores:
            closed = await stores.outages.close(OutageId(outage_id), datetime.now(UTC))
            return closed, (await stores.outages.to_call()).get(OutageId(outage_id), 0)

    closed, to_call = wait_for(end())
    if not closed:
        raise click.ClickException(f"there is no open outage {outage_id}; `ivr outage list` shows those there are")
    if as_json:
        print_json({"id": outage_id, "closed": True, "to_call": to_call})
    else:
        click.echo(f"Outage {outage_id} is closed.{_calls(to_call)}")


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are over.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_(ctx: click.Context, everything: bool, as_json: bool) -> None:
    """List the open outages."""
    zone = ZoneInfo(config_of(ctx).organisation.time_zone)

    async def read() -> tuple[Sequence[Outage], Mapping[OutageId, int]]:
        async with stores_of(ctx) as stores:
            return await stores.outages.outages(only_open=not everything), await stores.outages.to_call()

    outages, to_call = wait_for(read())
    if as_json:
        print_json([as_json_object(outage, to_call.get(outage.id, 0)) for outage in outages])
        return
    rows = [
        [
            outage.id,
            outage.region or "everywhere",
            outage.product or "all",
            _local(outage.opened_at, zone),
            _local(outage.expected_end, zone),
            _local(outage.closed_at, zone),
            str(to_call.get(outage.id, 0)),
            outage.text.get(Language.NL, ""),
        ]
        for outage in outages
    ]
    columns = ["outage", "region", "product", "open since", "expected end", "closed", "to call", "text"]
    print_table(columns, rows, empty="No outages.")


def as_json_object(outage: Outage, to_call: int = 0) -> Json:
    """An outage in the stable shape of `--json`. `to_call`: how many want, or wanted, to be called when it is over."""
    return {
        "id": outage.id,
        "region": outage.region,
        "product": outage.product,
        "text": {language.value: text for language, text in outage.text.items()},
        "opened_at": utc(outage.opened_at),
        "expected_end": utc(outage.expected_end),
        "closed_at": utc(outage.closed_at),
        "to_call": to_call,
    }


def _calls(number: int) -> str:
    if not number:
        return ""
    return f" {number} {'caller is' if number == 1 else 'callers are'} called now, or when you open: ivr callbacks"


def _where(outage: Outage) -> str:
    return f"{outage.product or 'all products'} in {outage.region or 'every region'}"


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%a %d-%m %H:%M") if moment else "-"


def _moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    now = datetime.now(zone)
    try:
        moment = datetime.fromisoformat(text if "-" in text else f"{now.date()}T{text}")
    except ValueError as error:
        message = f"'{text}' is not a time such as 17:00 or 2026-11-22T17:00"
        raise click.BadParameter(message, param_hint="--until") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if moment <= now:
        raise click.BadParameter(f"{text} has passed", param_hint="--until")
    return moment.astimezone(UTC)

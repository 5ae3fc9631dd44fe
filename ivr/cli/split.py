"""`ivr split`: show and set the share of a queue's calls each site gets; the next call follows."""

from __future__ import annotations

import click

from ivr.cli.opening import config_of, stores_of, wait_for
from ivr.cli.output import print_json, print_table
from ivr.config.model import Config
from ivr.domain.site import Split


@click.command()
@click.argument("queue", required=False)
@click.argument("shares", nargs=-1, metavar="[SITE=PERCENT]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, queue: str | None, shares: tuple[str, ...], as_json: bool) -> None:
    """Show the split of every queue, or set one: `ivr split support own=60 partner=40`."""
    config = config_of(ctx)
    if queue is not None and queue not in config.queues:
        raise click.BadParameter(f"'{queue}' is not a queue (known: {', '.join(config.queues)})", param_hint="QUEUE")
    if queue is not None and shares:
        split = Split(queue, _percents(config, queue, shares))

        async def put() -> None:
            async with stores_of(ctx) as stores:
                await stores.splits.set(split)

        wait_for(put())

    async def read() -> dict[str, Split]:
        async with stores_of(ctx) as stores:
            return {split.queue: split for split in await stores.splits.splits()}

    chosen = wait_for(read())
    splits = [
        chosen.get(name, Split(name, {str(site): percent for site, percent in configured.split.items()}))
        for name, configured in config.queues.items()
        if queue in (None, name)
    ]
    if as_json:
        print_json(
            [{"queue": split.queue, "percent": dict(split.percent), "set": split.queue in chosen} for split in splits]
        )
        return
    rows = [
        [
            split.queue,
            ", ".join(f"{site} {percent} %" for site, percent in split.percent.items()),
            "set" if split.queue in chosen else "from config.yaml",
        ]
        for split in splits
    ]
    print_table(["queue", "split", ""], rows, empty="No queues.")


def _percents(config: Config, queue: str, shares: tuple[str, ...]) -> dict[str, int]:
    percent: dict[str, int] = {}
    for share in shares:
        site, equals, number = share.partition("=")
        number = number.removesuffix("%")
        if not equals or not number.isdigit():
            raise click.BadParameter(f"'{share}' is not such as own=60", param_hint="SITE=PERCENT")
        if site not in config.sites or queue not in config.sites[site].queues:
            known = ", ".join(name for name, site_queues in config.sites.items() if queue in site_queues.queues)
            raise click.BadParameter(f"no site '{site}' serves {queue} (known: {known})", param_hint="SITE=PERCENT")
        percent[site] = int(number)
    if sum(percent.values()) != 100:
        raise click.BadParameter(f"the shares add up to {sum(percent.values())}, not 100", param_hint="SITE=PERCENT")
    return percent

"""Sites: chooses who takes each call, by a split that supervisors may change at any moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from structlog.stdlib import get_logger

from ivr.config.model import Queue, SiteQueues
from ivr.domain.site import Site, Split
from ivr.errors import StepFailed
from ivr.ports import SplitStore
from ivr.routing.split import Shares

log = get_logger()


def problem_with(split: Split, sites: Mapping[str, SiteQueues], queues: Mapping[str, Queue]) -> str | None:
    """Why a split cannot be used with this configuration, in words for people; None when it can."""
    if split.queue not in queues:
        return f"there is no queue '{split.queue}'; there are: {', '.join(sorted(queues))}"
    for name, percent in split.percent.items():
        if name not in sites:
            return f"there is no site '{name}'; there are: {', '.join(sorted(sites))}"
        if split.queue not in sites[name].queues:
            return f"site '{name}' does not serve queue '{split.queue}'"
        if not 0 <= percent <= 100:
            return f"{percent} is not a percentage"
    total = sum(split.percent.values())
    return None if total == 100 else f"the split adds up to {total}, not 100"


class LiveSites:
    """Chooses sites (an `ivr.ports.SiteChooser`) by the stored split of a queue, else by the configured one.

    A run of a queue begins when its split is set, and is exact to within one call from
    there on (see `ivr.routing.split`); reading the same split again does not break it.
    Every node runs its own.
    """

    def __init__(self, sites: Mapping[str, SiteQueues], queues: Mapping[str, Queue], store: SplitStore) -> None:
        """`sites` and `queues` as in `config.yaml`."""
        self._site_queues = sites
        self._queues = queues
        self._store = store
        self._sites = {name: Site(name, dict(site.queues)) for name, site in sites.items()}
        self._shares = {name: Shares(queue.split) for name, queue in queues.items()}

    def choose(self, queue: str) -> Site:
        """The site for the next call of a queue, by its split.

        Raises:
            StepFailed: the configuration has no such queue.
        """
        if queue not in self._shares:
            raise StepFailed(f"there is no queue '{queue}'")
        return self._sites[self._shares[queue].next()]

    def splits(self) -> Sequence[Split]:
        """The split that each queue follows now."""
        return [Split(queue, dict(shares.percent)) for queue, shares in self._shares.items()]

    async def refresh(self) -> None:
        """Follow what is stored now. A stored split that no longer fits the configuration is not followed.

        Raises:
            StoreUnavailable: the splits stay as they are.
        """
        wanted = {name: dict(queue.split) for name, queue in self._queues.items()}
        for split in await self._store.splits():
            problem = problem_with(split, self._site_queues, self._queues)
            if problem is None:
                wanted[split.queue] = dict(split.percent)
            else:
                log.warning("stored split not followed", queue=split.queue, problem=problem)
        for queue, percent in wanted.items():
            if self._shares[queue].percent != percent:
                log.info("split changed", queue=queue, percent=percent)
                self._shares[queue] = Shares(percent)

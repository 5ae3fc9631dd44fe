"""A phone book: the copy of an address book that callers are found in, kept by asking what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import blake2b

import structlog

from integrations.carddav.client import CarddavClient, Listing, Mark, TokenForgotten
from integrations.carddav.mapping import customer_from
from ivr.connectors.directory import Directory
from ivr.domain.caller import Customer
from ivr.errors import ConnectorRefused

log = structlog.get_logger()

MOST_CARDS = 100_000
"""Cards that are held; more than that is no address book."""


class PhoneBook:
    """What the address book held when it was last asked. Nothing changes in it when asking fails."""

    def __init__(self, client: CarddavClient, country: str) -> None:
        self._client = client
        self._country = country
        self._mark: Mark | None = None
        self._versions: Mapping[str, str] = {}
        self._customers: Mapping[str, Customer | None] = {}
        self.directory = Directory()

    async def refresh(self) -> None:
        """Take over what changed since the last time. Raises ConnectorError."""
        mark = await self._client.mark()
        if mark == self._mark and (mark.sync_token or mark.ctag):
            return
        listing, is_complete = await self._listing(mark)
        held = {} if is_complete else {path: tag for path, tag in self._versions.items() if path not in listing.gone}
        versions = {**held, **listing.cards}
        if len(versions) > MOST_CARDS:
            raise ConnectorRefused(f"the address book has more than {MOST_CARDS} cards")
        # A card without a version may be another each time.
        wanted = [path for path, tag in versions.items() if not tag or self._versions.get(path) != tag]
        cards = await self._client.contents(wanted)
        # Who is not told now is asked for again.
        versions = {path: tag for path, tag in versions.items() if path in cards or path not in wanted}
        await asyncio.to_thread(self._take, versions, cards)
        self._mark = Mark(listing.sync_token, mark.ctag)

    def _take(self, versions: Mapping[str, str], cards: Mapping[str, str]) -> None:
        read = {path: customer_from(card, path, self._country) for path, card in cards.items()}
        customers = {path: read[path] if path in read else self._customers[path] for path in versions}
        if left_out := sum(customer is None for customer in read.values()):
            log.warning("carddav.cards_left_out", cards=left_out)
        told = "".join(f"{path} {tag}\n" for path, tag in sorted(versions.items())) + self._country
        found = [customer for customer in customers.values() if customer is not None]
        self.directory = self.directory.followed_by(found, blake2b(told.encode(), digest_size=16).hexdigest())
        self._versions, self._customers = versions, customers

    async def _listing(self, mark: Mark) -> tuple[Listing, bool]:
        """What changed, and whether it is all there is."""
        if not mark.sync_token:
            return await self._client.all_cards(), True
        if self._mark is not None and self._mark.sync_token:
            try:
                return await self._client.cards_since(self._mark.sync_token), False
            except TokenForgotten:
                pass
        return await self._client.cards_since(""), True

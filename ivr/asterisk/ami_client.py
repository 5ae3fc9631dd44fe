"""The manager client: one connection to an Asterisk, kept up; actions with a limit, events for subscribers."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable

import structlog

from ivr.asterisk.ami_link import AmiLink
from ivr.asterisk.ami_rights import READ_CLASSES
from ivr.asterisk.ami_subscription import ROOM, Subscription
from ivr.asterisk.ami_wire import AmiMessage, HeaderValue
from ivr.config.model import Ami
from ivr.errors import AmiActionFailed, AmiLoginRefused, AmiUnavailable, AsteriskError, SetupError
from ivr.ports import Clock

FIRST_PAUSE = 0.5
_RANDOM = random.SystemRandom()

log = structlog.get_logger()


class AmiClient:
    """Keeps one connection to an Asterisk's manager interface.

    It is connected once it has logged in, Asterisk has started up wholly, and filters
    for what is subscribed are in place. After a loss it connects again, with pauses
    that double up to `reconnect_max`, each shortened by up to half at random; a
    refused login waits `reconnect_max`. No action is ever sent a second time.
    """

    def __init__(
        self, config: Ami, secret: str, clock: Clock, random_share: Callable[[], float] = _RANDOM.random
    ) -> None:
        """Raises SetupError when `tls_ca_file` cannot be used. `secret` is the login's password."""
        self._config = config
        self._secret = secret
        self._clock = clock
        self._random_share = random_share
        self._tls = tls_context(config)
        self._subscriptions: list[Subscription] = []
        self._link: AmiLink | None = None
        self._running: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._tried = asyncio.Event()
        self._booted = asyncio.Event()
        self._last_failure: AsteriskError | None = None

    @property
    def connected(self) -> bool:
        """Whether actions can be done now."""
        return self._link is not None and not self._link.lost.is_set()

    @property
    def in_flight(self) -> int:
        """How many actions wait for their answer."""
        return 0 if self._link is None else self._link.in_flight

    @property
    def dropped_events(self) -> int:
        """How many events slow subscribers lost, since the start."""
        return sum(subscription.dropped for subscription in self._subscriptions)

    async def start(self) -> None:
        """Begin. Returns after the first attempt to connect, whether it worked or not; attempts go on."""
        self._running = asyncio.create_task(self._keep_connected(), name="ami")
        await self._tried.wait()

    async def stop(self) -> None:
        """End the connection and every subscription."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        for subscription in self._subscriptions:
            subscription.close()

    async def wait_connected(self, timeout: float) -> None:
        """Wait until connected, `timeout` seconds at most.

        Raises:
            AmiLoginRefused: the last attempt was refused.
            AmiUnavailable: there is no connection yet.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._up.wait()
        except TimeoutError as error:
            raise self._last_failure or AmiUnavailable(f"{self._config.host}:{self._config.port}") from error

    async def action(self, name: str, **headers: HeaderValue) -> AmiMessage:
        """Do an action and return Asterisk's response. A header given a list is sent once for each item.

        Raises:
            UnsafeValue: a value cannot be sent; nothing was.
            AmiUnavailable: not connected; nothing was sent.
            AmiAnswerLost: Asterisk may have done it; the connection was lost, or `action_timeout` is over.
            AmiActionFailed: Asterisk refused it.
        """
        return (await self._require_link(name).request(name, headers))[0]

    async def action_list(self, name: str, **headers: HeaderValue) -> list[AmiMessage]:
        """Do an action that answers with a list and return its items; a list cut short is AmiActionFailed.

        Raises:
            As `action`.
        """
        return (await self._require_link(name).request(name, headers, as_list=True))[1:-1]

    def subscribe(self, *names: str, room: int = ROOM) -> Subscription:
        """Events by name, from the next login on; so subscribe before `start`. The first thing read is GAP."""
        subscription = Subscription(frozenset(names), room)
        self._subscriptions.append(subscription)
        return subscription

    def _require_link(self, name: str) -> AmiLink:
        if self._link is None:
            raise AmiUnavailable(name)
        return self._link

    async def _keep_connected(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self._clock.monotonic()
            try:
                await self._one_connection()
            except AmiLoginRefused as error:
                self._last_failure = error
                pause = self._config.reconnect_max
                log.error("ami_login_refused", host=self._config.host, user=self._config.user)
            except AsteriskError as error:
                self._last_failure = error
                log.warning("ami_connection_failed", host=self._config.host, reason=str(error))
            except Exception:
                # The border to panoramisk: whatever it raises, Asterisk is connected again.
                log.exception("ami_connection_broke", host=self._config.host)
            self._tried.set()
            if self._clock.monotonic() - began >= self._config.ping_interval:
                pause = FIRST_PAUSE
            await self._clock.sleep(pause * (1 - self._random_share() / 2))
            pause = min(pause * 2, self._config.reconnect_max)

    async def _one_connection(self) -> None:
        self._booted.clear()
        link = AmiLink(self._config, self._tls, self._deliver)
        try:
            await link.open(self._secret, events="system")
            await self._wait_booted(link)
            await self._ask_for_events(link)
            self._link = link
            self._last_failure = None
            self._up.set()
            self._tried.set()
            log.info("ami_connected", host=self._config.host, port=self._config.port)
            for subscription in self._subscriptions:
                subscription.mark_gap()
            await self._watch(link)
        finally:
            self._link = None
            self._up.clear()
            link.close()

    async def _wait_booted(self, link: AmiLink) -> None:
        waiting = [asyncio.create_task(event.wait()) for event in (self._booted, link.lost)]
        try:
            done, _ = await asyncio.wait(
                waiting, timeout=self._config.action_timeout, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in waiting:
                task.cancel()
        if not done:
            log.warning("ami_boot_unseen", hint="give the manager user `read = system`")

    async def _ask_for_events(self, link: AmiLink) -> None:
        """Let Asterisk send what is subscribed and nothing else. Filters come first, so no flood precedes them."""
        names = sorted(frozenset().union(*(subscription.names for subscription in self._subscriptions)))
        try:
            for name in names:
                # An Asterisk before 20.10 knows no MatchCriteria and takes this as "everything": slower, not wrong.
                criteria = f"action(include),name({name})"
                await link.request("Filter", {"Operation": "Add", "MatchCriteria": criteria})
        except AmiActionFailed as error:
            log.warning("ami_unfiltered", reason=str(error), hint="give the manager user `write = system`")
        await link.request("Events", {"EventMask": ",".join(READ_CLASSES) if names else "off"})

    async def _watch(self, link: AmiLink) -> None:
        """Until the link is lost; a Ping that is not answered in `action_timeout` is a loss."""
        lost = asyncio.create_task(link.lost.wait())
        try:
            while not lost.done():
                pause = asyncio.ensure_future(self._clock.sleep(self._config.ping_interval))
                try:
                    await asyncio.wait((pause, lost), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    pause.cancel()
                if not lost.done():
                    await link.request("Ping", {})
        finally:
            lost.cancel()
        raise AmiUnavailable("connection lost")

    def _deliver(self, event: AmiMessage) -> None:
        if event.event == "FullyBooted":
            self._booted.set()
        for subscription in self._subscriptions:
            if event.event in subscription.names:
                subscription.put(event)


def tls_context(config: Ami) -> ssl.SSLContext | None:
    """What proves Asterisk to us, or None without TLS. Raises SetupError when `tls_ca_file` cannot be used."""
    if not config.tls:
        return None
    try:
        return ssl.create_default_context(cafile=config.tls_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(f"asterisk.ami.tls_ca_file {config.tls_ca_file} cannot be used: {error}") from error

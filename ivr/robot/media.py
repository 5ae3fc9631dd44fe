"""One call's sound: a UDP socket that sends a packet each 20 ms and lays what comes on a timeline."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from ivr.errors import CallFailed
from ivr.robot.dtmf import PAUSE, KeyEar, KeyPacket, key_packets
from ivr.robot.g711 import Samples, decode, encode
from ivr.robot.rtp import FRAME, RATE, RtpPacket, Timeline, parse_rtp
from ivr.robot.sdp import Codec, Media

MAX_DATAGRAM = 2048
AT_ONCE = 64
"""Datagrams read in a row before other calls have their turn."""
MOST_BEHIND = 5
"""Packets that are sent in a row after a delay; what is older was a gap, and stays one."""
SO_TIMESTAMPNS = 35
"""Linux's asm-generic/socket.h; Python does not name it."""
QUIET = 6
"""Amplitude of the noise that a silent microphone gives, about -78 dBFS before coding."""


class MediaPort:
    """The sound of one call.

    `clock` gives seconds; `timeline`'s zero is the moment of opening. Keys that the
    other side presses go to `on_key` with their time in seconds since then.
    """

    def __init__(self, host: str, clock: Callable[[], float]) -> None:
        self.host = host
        self.on_key: Callable[[str, float], None] = lambda key, at: None
        self._clock = clock
        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        # The kernel's own time of arrival: a busy process must not make a silence of its own.
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self.opened_at = clock()
        self.timeline = Timeline()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._read)
        self._open = True
        self._peer: tuple[str, int] | None = None
        self._codec = Codec.PCMA
        self._known: dict[int, Codec] = {}
        self._keys_out: int | None = None
        self._keys_in: int | None = None
        self._ear = KeyEar()
        self._source = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(31)
        self._sent = 0
        self._started: float | None = None
        self._pressing: deque[KeyPacket | None] = deque()
        self._saying: deque[Samples] = deque()
        noise = np.random.default_rng(1).integers(-QUIET, QUIET + 1, RATE).astype(np.int16)
        self._noise = {codec: encode(noise, codec) for codec in Codec}

    def direct(self, peer: Media, *, ours: tuple[Codec, ...], keys_in: int | None) -> None:
        """Send to the other side what both can do; expect its keys with payload type `keys_in`.

        Raises:
            CallFailed: there is no codec that both know.
        """
        shared = [codec for codec in peer.codecs if codec in ours]
        if not shared:
            raise CallFailed("the two sides share no codec")
        self._peer = (peer.host, peer.port)
        self._codec = shared[0]
        self._known = {codec.payload_type: codec for codec in Codec}
        self._keys_out, self._keys_in = peer.keys, keys_in

    @property
    def takes_keys(self) -> bool:
        """Whether the other side takes telephone events."""
        return self._keys_out is not None

    @property
    def now(self) -> float:
        """Seconds since the media opened."""
        return self._clock() - self.opened_at

    @property
    def busy(self) -> bool:
        """Whether keys or sound still wait to be sent."""
        return bool(self._pressing or self._saying)

    def press(self, keys: str) -> None:
        """Send keys, one after the other, 100 ms each with 80 ms between. Raises ValueError on an unknown key."""
        for key in keys:
            self._pressing += [*key_packets(key), *[None] * PAUSE]

    def say(self, samples: Samples) -> None:
        """Send sound after what is already waiting."""
        padded = np.pad(samples, (0, -len(samples) % FRAME))
        self._saying.extend(padded.reshape(-1, FRAME))

    def tick(self) -> None:
        """Send the packets that are due, at the pace of the clock and not of the caller of this method."""
        if self._peer is None or not self._open:
            return
        if self._started is None:
            self._started = self._clock()
        # To the nearest packet: a tick that comes a little early or late still sends one, not none and then two.
        due = round((self._clock() - self._started) * RATE / FRAME) + 1 - self._sent
        if due > MOST_BEHIND:
            self._sent += due - MOST_BEHIND
            self._timestamp += FRAME * (due - MOST_BEHIND)
            due = MOST_BEHIND
        for _ in range(due):
            self._send_one(self._peer)

    def _send_one(self, peer: tuple[str, int]) -> None:
        key = self._pressing.popleft() if self._pressing else None
        if key is not None and self._keys_out is not None:
            self._put(peer, self._keys_out, self._timestamp - key.behind, key.payload, marker=key.marker)
        elif self._saying:
            payload = encode(self._saying.popleft(), self._codec)
            self._put(peer, self._codec.payload_type, self._timestamp, payload)
        else:
            start = self._sent * FRAME % RATE
            payload = self._noise[self._codec][start : start + FRAME]
            self._put(peer, self._codec.payload_type, self._timestamp, payload, marker=self._sent == 0)
        self._sent += 1
        self._timestamp += FRAME

    def _put(self, peer: tuple[str, int], kind: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        packet = RtpPacket(kind, self._sequence, timestamp & 0xFFFF_FFFF, self._source, payload, marker)
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            self._socket.sendto(packet.encode(), peer)
        except OSError:
            # A full buffer or an unreachable peer loses a packet, as networks do; the signalling ends the call.
            return

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            try:
                datagram, extra, _, _ = self._socket.recvmsg(MAX_DATAGRAM, socket.CMSG_SPACE(16))
            except OSError:
                return
            packet = parse_rtp(datagram)
            if packet is None:
                continue
            arrival = self.now - _age(extra)
            if packet.payload_type in self._known:
                self.timeline.lay(packet, decode(packet.payload, self._known[packet.payload_type]), arrival)
            elif packet.payload_type == self._keys_in:
                key = self._ear.hear(packet.payload, packet.timestamp)
                if key:
                    self.on_key(key, arrival)

    def close(self) -> None:
        """Stop sending and receiving. What was received stays."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()


def _age(extra: list[tuple[int, int, bytes]]) -> float:
    """Seconds between a datagram's arrival in the kernel and now; 0 when the kernel does not tell."""
    for level, kind, content in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(content) >= 16:
            seconds, nanoseconds = struct.unpack_from("qq", content)
            age = time.time() - (seconds + nanoseconds / 1e9)
            # The wall clock may be set in between: an age of more than a second is no age.
            return age if 0 <= age < 1 else 0.0
    return 0.0

"""RTP: packets (RFC 3550 section 5.1), and the timeline on which those received are laid by when they came."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from ivr.robot.g711 import Samples

RATE = 8000
FRAME = 160
"""Samples in 20 ms."""
TOLERANCE = 800
"""Samples (100 ms) that a packet may come off its timestamp before its arrival counts instead."""
LONGEST = RATE * 3600 * 4
"""Four hours of sound: no stream of packets makes a timeline longer."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. `timestamp` counts samples modulo 2**32, `sequence` packets modulo 2**16."""

    payload_type: int
    sequence: int
    timestamp: int
    source: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        """The bytes to send."""
        second = self.payload_type | (0x80 if self.marker else 0)
        return struct.pack("!BBHII", 0x80, second, self.sequence, self.timestamp, self.source) + self.payload


def parse_rtp(datagram: bytes) -> RtpPacket | None:
    """The packet in a datagram, or None when it is not RTP (RTCP, STUN, noise)."""
    if len(datagram) < 12 or datagram[0] >> 6 != 2 or 200 <= datagram[1] <= 204:
        return None
    first, second, sequence, timestamp, source = struct.unpack_from("!BBHII", datagram)
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if len(datagram) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4], "big")
    end = len(datagram) - (datagram[-1] if first & 0x20 else 0)
    if start > end:
        return None
    return RtpPacket(second & 0x7F, sequence, timestamp, source, datagram[start:end], bool(second & 0x80))


class Timeline:
    """What was received, on an axis of samples since the call's media opened.

    Packets that follow each other by their timestamps lie side by side, as a telephone
    plays them, however their arrival jitters. A packet that comes more than 100 ms off,
    or from another source, lies where it arrived: a pause of the sender stays a pause.
    """

    def __init__(self) -> None:
        self._samples: Samples = np.zeros(RATE * 10, np.int16)
        self._covered = np.zeros(RATE * 10, np.bool_)
        self._anchor: tuple[int, int, int] | None = None
        self.end = 0
        self.packets = 0

    def lay(self, packet: RtpPacket, samples: Samples, arrival: float) -> None:
        """Put a packet's samples where they belong; `arrival` is in seconds since the media opened."""
        # Its first sample can be heard from the moment it came.
        came = round(arrival * RATE)
        place = self._place(packet, came)
        if place < 0 or place + len(samples) > LONGEST:
            return
        self._anchor = (packet.source, packet.timestamp, place)
        stop = place + len(samples)
        self._grow(stop)
        self._samples[place:stop] = samples
        self._covered[place:stop] = True
        self.end = max(self.end, stop)
        self.packets += 1

    def _place(self, packet: RtpPacket, came: int) -> int:
        if self._anchor is None or self._anchor[0] != packet.source:
            return max(came, self.end)
        _, timestamp, place = self._anchor
        # The difference modulo 2**32, as a signed number: packets may be reordered.
        step = (packet.timestamp - timestamp + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000
        follows = place + step
        if abs(came - follows) <= TOLERANCE or -RATE < step < 0:
            return follows
        return max(came, self.end)

    def _grow(self, needed: int) -> None:
        while needed > len(self._samples):
            self._samples = np.concatenate([self._samples, np.zeros_like(self._samples)])
            self._covered = np.concatenate([self._covered, np.zeros_like(self._covered)])

    def samples(self, start: int, stop: int) -> Samples:
        """Samples start..stop; where nothing was received, zeros."""
        self._grow(stop)
        return self._samples[max(start, 0) : stop]

    def received(self, start: int, stop: int) -> float:
        """Which share of start..stop was received, 0 to 1."""
        self._grow(stop)
        return float(self._covered[max(start, 0) : stop].mean()) if stop > start else 0.0

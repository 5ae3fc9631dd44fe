"""Keys on the wire: telephone events in RTP (RFC 4733 section 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

KEYS = "0123456789*#ABCD"
STEP = 160
"""A packet each 20 ms: samples at 8 kHz."""
HELD = 5
"""Packets while the key is down: 100 ms, twice the least that receivers must take (ITU-T Q.24)."""
ENDS = 3
"""How often the end is told, for packets get lost (section 2.5.1.4)."""
PAUSE = 4
"""Packets of silence before the next key: 80 ms."""
VOLUME = 10
"""-10 dBm0."""


def seconds_for(keys: str) -> float:
    """From pressing the first of some keys to letting the last one go."""
    return ((len(keys) - 1) * (HELD + ENDS + PAUSE) + HELD) * 0.020


@dataclass(frozen=True, slots=True)
class KeyPacket:
    """A packet of a telephone event: its payload, its marker, and how far its timestamp lies behind the sound's."""

    payload: bytes
    marker: bool
    behind: int


def key_packets(key: str) -> list[KeyPacket]:
    """The packets of one key press, one each 20 ms.

    Raises:
        ValueError: there is no such key.
    """
    if len(key) != 1 or key not in KEYS:
        raise ValueError(f"'{key}' is not a key; keys are {KEYS}")
    code = KEYS.index(key)
    packets = []
    for index in range(HELD + ENDS):
        ending = index >= HELD
        duration = STEP * min(index + 1, HELD)
        payload = struct.pack("!BBH", code, VOLUME | (0x80 if ending else 0), duration)
        packets.append(KeyPacket(payload, index == 0, STEP * index))
    return packets


class KeyEar:
    """Hears keys in telephone events, each once, at its first packet."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None

    def hear(self, payload: bytes, timestamp: int) -> str:
        """The key that this packet begins, or '' when it continues one or is none."""
        if len(payload) < 4 or payload[0] >= len(KEYS) or self._last == (timestamp, payload[0]):
            return ""
        self._last = (timestamp, payload[0])
        return KEYS[payload[0]]

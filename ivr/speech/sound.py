"""Sound: samples and the rate they were taken at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono samples, full scale is 1.0; one dimension."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Mono samples (full scale 1.0) at `rate` samples a second."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate

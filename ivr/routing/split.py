"""The share of calls each site gets, exact to within one call at every moment.

Method: R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980)
323-330. A site whose share is due may be chosen from the moment it is 1/(2n-2) of a call
behind; among those that may, the one goes first that would be the first to fall further
behind than 1 - 1/(2n-2) of a call. No site is ever further than that from its share, for
n sites that get calls, at any length of the run. Smooth weighted round robin, as in
nginx, is simpler but not exact: 7, 52, 39, 1 and 1 percent bring it 1.06 calls off.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction


class Shares:
    """Divides calls between sites. `percent` are whole numbers per name, not all zero; none is negative.

    A run begins when this is made. With two sites every stretch of a run is within one
    call of the target, too; with more, a stretch that does not begin with the run is
    within two, which is as good as it gets for some targets.
    """

    def __init__(self, percent: Mapping[str, int]) -> None:
        """Raises ValueError when nobody would get a call, or somebody less than none."""
        if min(percent.values(), default=0) < 0 or not any(percent.values()):
            raise ValueError("a split needs a site that gets calls, and no site below zero")
        self.percent = dict(percent)
        self._weights = {name: weight for name, weight in percent.items() if weight}
        self._total = sum(self._weights.values())
        self._steps = max(1, 2 * len(self._weights) - 2)
        # How far each is behind its share, in units of 1/total of a call, so that whole numbers do.
        self._behind = dict.fromkeys(self._weights, 0)

    def next(self) -> str:
        """Who takes the next call. Of several that are equally urgent, the first named."""
        for name, weight in self._weights.items():
            self._behind[name] += weight
        chosen = min(self._due(), key=self._slack)
        self._behind[chosen] -= self._total
        return chosen

    def _due(self) -> list[str]:
        return [name for name, behind in self._behind.items() if behind * self._steps >= self._total]

    def _slack(self, name: str) -> Fraction:
        # How many calls may still pass before it is 1 - 1/steps of a call behind; times steps.
        return Fraction(self._total * (self._steps - 1) - self._behind[name] * self._steps, self._weights[name])

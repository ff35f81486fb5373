"""How many reads travel in one bundle: no limit is published, so it is found by real work and remembered."""

from __future__ import annotations

import math
from dataclasses import dataclass

FIRST = 50
LARGEST = 100
LIKELY = 20
"""What is reckoned with while the limit is not known."""
LIKELY_REFUSALS = 4
"""Bundles refused for their size until the limit is found."""


@dataclass(slots=True)
class BundleSize:
    """``accepted``: the largest size that was taken; ``refused``: the smallest that was not, or None."""

    accepted: int = 0
    refused: int | None = None

    @property
    def is_useless(self) -> bool:
        """Whether a bundle saves nothing: not even two reads fit in one."""
        return self.refused is not None and self.refused <= 2

    @property
    def is_found(self) -> bool:
        """Whether there is no size left that is worth trying."""
        return self.accepted >= LARGEST or (
            self.refused is not None and self.refused - self.accepted <= max(1, self.accepted // 10)
        )

    def next(self) -> int:
        """The size to send now: larger than ever while the limit is not found, half of what was refused."""
        if self.is_found:
            return max(1, self.accepted)
        if self.refused is not None:
            return max(1, (self.accepted + self.refused) // 2)
        return min(LARGEST, max(FIRST, self.accepted * 2))

    def take(self, size: int) -> None:
        """A bundle of this size was answered."""
        self.accepted = max(self.accepted, size)
        if self.refused is not None and self.refused <= size:
            self.refused = None

    def refuse(self, size: int) -> None:
        """A bundle of this size was refused as a whole."""
        self.refused = size if self.refused is None else min(self.refused, size)
        if self.accepted >= self.refused:
            self.accepted = self.refused - 1

    def unit(self) -> float:
        """Requests for one read."""
        return 1 / max(1, self.accepted if self.is_found else max(self.accepted, LIKELY))

    def requests(self, reads: int) -> int:
        """Requests expected for so many reads, with those refused while the limit is being found."""
        finding = 0 if self.is_found or self.accepted >= reads else LIKELY_REFUSALS
        return math.ceil(reads * self.unit()) + finding if reads else 0

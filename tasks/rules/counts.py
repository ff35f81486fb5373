"""What became of every asset read: the counts that must add up (law 1)."""

from __future__ import annotations

from dataclasses import dataclass


class CountsError(ValueError):
    """The counts do not add up: an asset was lost or counted twice. The run fails."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Every asset read ends in exactly one of the six outcomes."""

    read: int = 0
    created: int = 0
    modified: int = 0
    unchanged: int = 0
    ambiguous: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def accounted(self) -> int:
        """The sum of the outcomes."""
        return self.created + self.modified + self.unchanged + self.ambiguous + self.skipped + self.failed

    def check(self) -> Counts:
        """The counts themselves, if the outcomes sum up to the number read and none is negative.

        Raises:
            CountsError: they do not.
        """
        values = self.as_dict()
        if self.accounted != self.read or min(values.values()) < 0:
            told = ", ".join(f"{name} {count}" for name, count in values.items())
            raise CountsError(f"{self.accounted} of {self.read} assets read are accounted for: {told}.")
        return self

    def as_dict(self) -> dict[str, int]:
        """In the order in which reports show them."""
        return {name: getattr(self, name) for name in self.__slots__}


def final_counts(
    planned: Counts, *, failed_creations: int, failed_modifications: int, kept: int = 0
) -> Counts:
    """The plan's counts after the writes: what failed moves over to ``failed``.

    ``kept``: planned modifications that the fresh re-read showed to be done already; they end unchanged.

    Raises:
        CountsError: more failed than was planned.
    """
    return Counts(
        read=planned.read,
        created=planned.created - failed_creations,
        modified=planned.modified - failed_modifications - kept,
        unchanged=planned.unchanged + kept,
        ambiguous=planned.ambiguous,
        skipped=planned.skipped,
        failed=planned.failed + failed_creations + failed_modifications,
    ).check()

"""What became of every asset read: the counts that must add up (law 1).

What a run did, as a value: small enough to be the result of a flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


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


@dataclass(frozen=True, slots=True)
class Failure:
    """One asset that could not be written, with the vendor's own words."""

    asset_key: str
    name: str
    operation: str
    message: str
    code: str = ""
    configuration_id: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One configuration that the run created or modified (``action``)."""

    asset_key: str
    name: str
    action: str
    configuration_id: int | None = None


@dataclass(slots=True)
class RunReport:
    """The outcome of a run. ``counts`` add up; a report can't be made of counts that don't.

    ``duplicates``: asset keys that more than one configuration holds. ``notes``: what a person should know
    (the canary stopped bulk, a field moved meanwhile, ...). ``requests_used`` and ``writes`` are those that
    the clients sent to ConnectWise; ``requests_predicted`` is the plan's number.
    """

    counts: Counts
    dry_run: bool = False
    failures: list[Failure] = field(default_factory=list)
    references_created: dict[str, list[str]] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    requests_predicted: int = 0
    requests_used: int = 0
    writes: int = 0
    checksum: str = ""
    run_id: str = ""
    written: Sequence[Written] = ()

    def __post_init__(self) -> None:
        self.counts.check()

    @property
    def failed(self) -> bool:
        """Whether the run ends as Failed; ambiguous and skipped assets alone do not make it so."""
        return self.counts.failed > 0

    @property
    def state_name(self) -> str:
        """The name of the run's last state."""
        count = self.counts.failed
        if not count:
            return "Completed"
        return f"Finished with {count} failure{'s' if count != 1 else ''}"

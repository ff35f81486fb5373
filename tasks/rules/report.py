"""What a run did, as a value: small enough to be the result of a flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.rules.counts import Counts


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

"""What an enrichment did, as a value: small enough to be the result of a flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.rules.enrichment_plan import EnrichmentCounts
from tasks.rules.report import Failure, Written
from tasks.rules.wording import counted


@dataclass(frozen=True, slots=True)
class SearchCost:
    """How the agreements or the tickets were found, and what it cost in requests to ConnectWise.

    ``asked`` and ``remembered`` are tickets; ``last_reconcile`` is the time, in words, of the last run that
    asked about every ticket, empty where that has no meaning.
    """

    what: str
    way: str
    predicted: int
    used: int
    asked: int | None = None
    remembered: int | None = None
    last_reconcile: str = ""


@dataclass(slots=True)
class EnrichmentReport:
    """The outcome of a run. ``counts`` add up; a report can't be made of counts that don't.

    ``fields_created``: Lansweeper custom fields that the run made, or in a dry run would make. Requests are
    those that the clients sent, probes and repeated ones included.
    """

    counts: EnrichmentCounts
    dry_run: bool = False
    failures: list[Failure] = field(default_factory=list)
    written: Sequence[Written] = ()
    fields_created: list[str] = field(default_factory=list)
    searches: list[SearchCost] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    connectwise_predicted: int = 0
    connectwise_used: int = 0
    lansweeper_predicted: int = 0
    lansweeper_used: int = 0
    mutations: int = 0
    run_id: str = ""

    def __post_init__(self) -> None:
        self.counts.check()

    @property
    def failed(self) -> bool:
        """Whether the run ends as Failed; contested and gone assets alone do not make it so."""
        return self.counts.failed > 0

    @property
    def state_name(self) -> str:
        """The name of the run's last state."""
        failed = self.counts.failed
        return f"Finished with {counted(failed, 'failure')}" if failed else "Completed"

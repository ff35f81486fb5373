"""The counts and the report of asset-synchronization: every asset read has one outcome.

Equal warnings of a plan are told once, with how many assets they concern.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from tasks.rules.edits import Edit
from tasks.rules.report import Counts, Report
from tasks.rules.values import AssetRecord

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SyncCounts(Counts):
    """Every asset read ends in exactly one of the six outcomes."""

    unit: ClassVar[str] = "assets"
    planned_names: ClassVar[Mapping[str, str]] = {"created": "to create", "modified": "to modify"}

    read: int = 0
    created: int = 0
    modified: int = 0
    unchanged: int = 0
    ambiguous: int = 0
    skipped: int = 0
    failed: int = 0

    def after_writes(self, *, failed_creations: int, failed_modifications: int, kept: int = 0) -> SyncCounts:
        """A plan's counts after the writes: what failed moves over to ``failed``.

        ``kept``: planned modifications that the fresh re-read showed to be done already; they end unchanged.

        Raises:
            CountsError: more failed than was planned.
        """
        return replace(
            self,
            created=self.created - failed_creations,
            modified=self.modified - failed_modifications - kept,
            unchanged=self.unchanged + kept,
            failed=self.failed + failed_creations + failed_modifications,
        ).check()


@dataclass(slots=True)
class SyncReport(Report[SyncCounts]):
    """The report of asset-synchronization.

    ``duplicates``: asset keys that more than one configuration holds. ``requests_used`` and ``writes`` are
    those that the clients sent to ConnectWise; ``requests_predicted`` is the plan's number, and
    ``lansweeper_used`` and ``lansweeper_predicted`` are the same of Lansweeper. ``findings``: what was read
    and does not fit to what is known from before. ``edits_kept``: fields with the authority ``merge`` that
    only people changed since both sides agreed; ``conflicts``: those that both sides changed.
    ``plan_id``: of the stored plan.
    """

    references_created: dict[str, list[str]] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)
    requests_predicted: int = 0
    requests_used: int = 0
    lansweeper_predicted: int = 0
    lansweeper_used: int = 0
    writes: int = 0
    checksum: str = ""
    plan_id: str = ""
    findings: list[str] = field(default_factory=list)
    edits_kept: int = 0
    conflicts: Sequence[Edit] = ()

    @property
    def planned(self) -> int:
        """How many records a plan writes."""
        return self.counts.created + self.counts.modified


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """One warning, the number of assets it concerns and up to three of them."""

    text: str
    count: int
    examples: tuple[AssetRecord, ...]


class WarningTally:
    """Counts equal warnings, so that 15,000 assets at one unknown location make one line."""

    def __init__(self) -> None:
        self._assets: dict[str, list[AssetRecord]] = {}

    def add(self, text: str, asset: AssetRecord) -> None:
        self._assets.setdefault(text, []).append(asset)

    def listed(self) -> list[PlanWarning]:
        """The most frequent first, then by text; the examples are the first names in sorting order."""
        found = [
            PlanWarning(
                text,
                len(assets),
                tuple(sorted(assets, key=lambda each: (each.name or each.key, each.key))[:_EXAMPLES]),
            )
            for text, assets in self._assets.items()
        ]
        return sorted(found, key=lambda each: (-each.count, each.text))

"""What one run of asset-synchronization works with: settings, company, compiled mapping, open connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.ledger.store import Ledger
from tasks.rules.mapping import CompiledMapping
from tasks.rules.plan import Modification
from tasks.rules.records import FieldChange
from tasks.rules.references import References
from tasks.synchronization.reference_actions import reference_actions
from tasks.synchronization.settings import AssetSynchronizationSettings

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Company:
    """The ConnectWise company of the run."""

    id: int
    identifier: str
    name: str


class SyncRun:
    """Handed from step to step. A class of its own, so that Prefect does not look into it.

    ``connectwise`` and ``lansweeper`` are block names; ``highest_id`` is the highest configuration id that
    this run has seen of its company; ``reference_actions`` read and create reference records, and
    ``references`` are their ids, by target path; ``whole_site``: whether every asset of the site was read, so
    that one not among them is gone; ``notes`` is what a person should know of the run beside its counts.
    """

    def __init__(
        self,
        settings: AssetSynchronizationSettings,
        *,
        run_id: str,
        connectwise: str,
        lansweeper: str,
        company: Company,
        mapping: CompiledMapping,
        client: ConnectWiseClient,
        ledger: Ledger,
    ) -> None:
        self.settings = settings
        self.run_id = run_id
        self.connectwise = connectwise
        self.lansweeper = lansweeper
        self.company = company
        self.mapping = mapping
        self.client = client
        self.ledger = ledger
        self.reference_actions = reference_actions(connectwise, settings.structure_level_id)
        self.references: References = {}
        self.highest_id = 0
        self.whole_site = False
        self.notes: list[str] = []

    def __repr__(self) -> str:
        return f"SyncRun({self.company.identifier}, {self.run_id})"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one record that was to be written; ``message`` says why it failed."""

    asset_key: str
    ok: bool
    record_id: int | None = None
    message: str = ""
    written: bool = True


@dataclass(frozen=True, slots=True)
class Ready:
    """One modification as it is written now: the record as just read, and with the changes laid over."""

    modification: Modification
    fresh: Record
    changes: tuple[FieldChange, ...]
    record: Record

"""Undoes a run of tickets-agreements-sla-sync: puts the earlier texts of its assets back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.connectwise.client import ConnectWiseClient
from connectors.lansweeper.client import LansweeperClient
from connectors.ledger.models import JournalledWrite
from connectors.ledger.store import Ledger
from tasks.asset_sync.run import Company
from tasks.enrichment.custom_fields import custom_field_keys
from tasks.enrichment.edit import edit_assets
from tasks.enrichment.read import read_states
from tasks.enrichment.run import EnrichmentRun
from tasks.enrichment.settings import EnrichmentSettings, EnrichmentWaiting
from tasks.rules.enrichment.plan import ASSET, TextUndo, plan_text_undo
from tasks.shared.action import Inventory
from tasks.shared.connections import current_run_id
from tasks.shared.retry import Waiting, retry


@dataclass(slots=True)
class TextUndoing:
    """The undo of one run: what it wrote to assets, and the plan by the texts that they have now.

    ``lansweeper`` is the name of the block that the run wrote through, as the journal has it.
    """

    run: EnrichmentRun
    writes: Sequence[JournalledWrite]
    plan: TextUndo = field(default_factory=TextUndo)

    async def prepare(self) -> None:
        """Plan the reverse by the journal and the assets as they are now."""
        assets = await read_states(self.run)
        self.plan = plan_text_undo(self.writes, {each.key: each for each in assets}, self.run.field_keys)

    async def apply(self) -> list[str]:
        """Write the reverse; returns what failed, in words. The plan becomes what was done."""
        results = (await edit_assets(self.run, Inventory(self.plan.updates))).by_key
        failed = [each for each in self.plan.updates if not results[each.asset.key].ok]
        self.plan.updates = [each for each in self.plan.updates if results[each.asset.key].ok]
        return [f"{each.name}: {results[each.asset.key].message}" for each in failed]

    def counts(self) -> dict[str, int]:
        """Steps, refusals, and what needs nothing."""
        plan = self.plan
        return {
            "steps": len(plan.updates),
            "refused": len(plan.refused),
            "undone_already": plan.undone_already,
        }

    def asset_url(self, place: int | str | None) -> str | None:
        """The page of the asset at that place of the plan."""
        return None if place is None else self.plan.updates[int(place)].asset.url


def journalled_connection(writes: Sequence[JournalledWrite]) -> str:
    """The name of the Lansweeper Connection block that the run wrote through."""
    return next(each.connection for each in writes if each.record_kind == ASSET)


async def text_undoing(
    writes: Sequence[JournalledWrite],
    *,
    connectwise: str,
    client: ConnectWiseClient,
    assets: LansweeperClient,
    ledger: Ledger,
    waiting: Waiting,
) -> TextUndoing:
    """The undo of the run that made these writes, planned."""
    first = next(each for each in writes if each.record_kind == ASSET)
    site = await retry(assets.site, waiting)
    patience = EnrichmentWaiting(
        pause_seconds=waiting.pause_seconds,
        lease_seconds=waiting.lease_seconds,
        patience_seconds=waiting.patience_seconds,
    )
    run = EnrichmentRun(
        EnrichmentSettings(waiting=patience),
        run_id=current_run_id(),
        connectwise=connectwise,
        lansweeper=first.connection,
        company=Company(first.company_id, "", ""),
        site_id=site["id"],
        client=client,
        assets=assets,
        ledger=ledger,
    )
    run.field_keys = (await custom_field_keys(first.connection, run.site_id, create=False)).keys
    undoing = TextUndoing(run, writes)
    await undoing.prepare()
    return undoing

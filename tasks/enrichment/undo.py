"""Undo of a run of tickets-agreements-sla-sync: the earlier texts of its assets go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.http import HttpSession
from connectors.lansweeper.client import LansweeperClient
from connectors.ledger.models import JournalledWrite
from connectors.ledger.store import Ledger
from tasks.connectwise.list_companies import Company
from tasks.enrichment.custom_fields import custom_field_keys
from tasks.enrichment.forecast import forecast_edits
from tasks.enrichment.plan import edit_texts
from tasks.enrichment.read import read_states
from tasks.enrichment.run import EnrichmentRun
from tasks.enrichment.safety import forget_texts
from tasks.enrichment.settings import EnrichmentSettings, EnrichmentWaiting
from tasks.rules.enrichment.undo import ASSET, TextUndoPlan, plan_text_undo
from tasks.rules.forecast import Forecast
from tasks.rules.undo import UndoPlan
from tasks.rules.undo_entries import narrowed_undo
from tasks.shared.connections import current_run_id
from tasks.shared.journalled import WriteResult
from tasks.shared.lease import LANSWEEPER, writing_lease
from tasks.shared.retry import Waiting, retry
from tasks.shared.stored_plans import PlanOwner
from tasks.shared.undo_plans import UNDO_FEATURE


@dataclass(slots=True)
class TextUndo:
    """The undo of one run: what it wrote to assets, and the plan by the texts that they have now."""

    run: EnrichmentRun
    writes: Sequence[JournalledWrite]
    texts: TextUndoPlan = field(default_factory=TextUndoPlan)

    @property
    def session(self) -> HttpSession:
        """Whose requests write the reverse."""
        return self.run.assets.session

    async def forecast(self, *, again: bool = False) -> Forecast:
        """What the whole undo takes by its plan; ``again``: it is still to be prepared once more."""
        assets = f"POST {self.run.assets.settings.path} assetResources"
        reads = self.session.sent[assets] if again else 0
        return await forecast_edits(self.run, self.texts.updates, more_reads=reads)

    def lease(self, wait_seconds: float) -> AbstractAsyncContextManager[None]:
        """The lease that a writing undo holds."""
        return writing_lease(
            self.run.site_tenant,
            self.run.company.id,
            wait_seconds,
            system=LANSWEEPER,
            connection=self.run.lansweeper,
        )

    @property
    def plan(self) -> UndoPlan:
        """The plan as ``undo_markdown`` shows it."""
        return self.texts.as_undo_plan()

    def address(self, record_id: Any) -> str | None:
        """The page of the asset at that place of the plan; refusals have none."""
        return None if record_id is None else self.texts.updates[int(record_id)].asset.url

    async def prepare(self) -> UndoPlan:
        """Plan the reverse by the journal and the assets as they are now."""
        assets = await read_states(self.run)
        self.texts = plan_text_undo(self.writes, {each.key: each for each in assets}, self.run.field_keys)
        return self.plan

    async def owner(self) -> PlanOwner:
        """Whose a stored plan of this undo is."""
        run = self.run
        company = await run.ledger.plans.company_of(run.tenant, run.company.id)
        named = company or f"company {run.company.id}"
        return PlanOwner(UNDO_FEATURE, run.tenant, run.company.id, named, run.site_tenant)

    def leave(self, left: Mapping[str, str]) -> None:
        """Take these steps (key -> why) out of the plan."""
        narrowed = narrowed_undo(self.plan, left)
        self.texts.updates = [self.texts.updates[each.record_id] for each in narrowed.steps]
        self.texts.refused = narrowed.refused

    async def apply(self) -> list[str]:
        """Write the reverse; returns what failed, in words. The plan becomes what was done."""
        updates = self.texts.updates
        results = await edit_texts(self.run, updates)
        await forget_texts(self.run)
        unknown = WriteResult("", False, message="Nothing is known of this edit.", written=False)
        ended = [(each, results.get(each.asset.key, unknown)) for each in updates]
        self.texts.updates = [each for each, result in ended if result.ok]
        return [f"{each.name}: {result.message}" for each, result in ended if not result.ok]


class OtherSiteError(ValueError):
    """The block that a run wrote through leads to another Lansweeper site by now."""


def journalled_connection(writes: Sequence[JournalledWrite]) -> str:
    """The name of the Lansweeper Connection block that the run wrote through, as the journal has it."""
    return next(each.connection for each in writes if each.record_kind == ASSET)


async def text_undo(
    writes: Sequence[JournalledWrite],
    connectwise: str,
    lansweeper: str,
    *,
    client: ConnectWiseClient,
    assets: LansweeperClient,
    ledger: Ledger,
    waiting: Waiting,
) -> TextUndo:
    """The undo of the run that made these writes, ready to be prepared.

    OtherSiteError: the block ``lansweeper`` does not lead to the site that the run wrote to.
    """
    first = next(each for each in writes if each.record_kind == ASSET)
    site = await retry(assets.site, waiting)
    if first.tenant not in (None, assets.settings.tenant_key(site["id"])):
        raise OtherSiteError(
            f"The run wrote to another Lansweeper site than {site['name']} ({site['id']}), to which the "
            f"connection {lansweeper!r} leads. Give the name of a connection to that site as Lansweeper."
        )
    policy = EnrichmentWaiting(
        pause_seconds=waiting.pause_seconds,
        lease_seconds=waiting.lease_seconds,
        patience_seconds=waiting.patience_seconds,
    )
    run = EnrichmentRun(
        EnrichmentSettings(waiting=policy),
        run_id=current_run_id(),
        connectwise=connectwise,
        lansweeper=lansweeper,
        company=Company(first.company_id, "", ""),
        site_id=site["id"],
        client=client,
        assets=assets,
        ledger=ledger,
    )
    run.field_keys = (await custom_field_keys(lansweeper, run.site_id, create=False)).keys
    return TextUndo(run, writes)

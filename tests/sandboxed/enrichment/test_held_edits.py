"""An edit that Lansweeper refused is held until its texts change; what can't be read is skipped."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.ledger.store import Ledger
from tasks.enrichment.quarantine import held_edits, hold_back_edits, keep_refused_edits
from tasks.enrichment.run import EnrichmentRun
from tasks.rules.enrichment.plan import (
    AssetUpdate,
    ConfigurationName,
    EnrichmentPlan,
    SkippedConfiguration,
    build_enrichment_plan,
)
from tasks.rules.enrichment.texts import AssetState
from tasks.rules.values import FieldChange
from tasks.shared.held_records import held_row
from tasks.shared.journalled import RunJournal, WriteResult
from tests.support.factories.enrichment import asset, facts

pytestmark = pytest.mark.anyio


def plan_of(text: str) -> EnrichmentPlan:
    update = AssetUpdate(
        AssetState("k1", "pc", "", {}), ConfigurationName(7, "pc", "k1"), (FieldChange("cw_sla", None, text),)
    )
    return EnrichmentPlan(updates=[update], read=1)


async def test_a_refused_edit_is_held_until_its_texts_change(tmp_path: Path) -> None:
    async with Ledger.open(tmp_path / "ledger.db") as ledger:
        given: dict[str, Any] = {
            "ledger": ledger,
            "site_tenant": "site",
            "company": SimpleNamespace(id=2, identifier="Contoso"),
            "settings": SimpleNamespace(retry_refused=False),
            "only": None,
            "field_keys": {"cw_sla": "f1"},
            "journal": RunJournal(ledger, "r1", "lansweeper", 2, "site"),
            "notes": [],
        }
        run = cast(EnrichmentRun, SimpleNamespace(**given))
        plan = plan_of("Gold")
        refused = {"k1": WriteResult("k1", False, 7, "No such value", refused=True)}
        await keep_refused_edits(run, plan, refused, await held_edits(run))
        again = plan_of("Gold")
        held = await held_edits(run)
        hold_back_edits(run, again, held)
        assert (again.updates, again.counts.skipped) == ([], 1)
        assert again.skipped[0].reason.startswith("held since 20")
        ((_, feature, company, record),) = await ledger.quarantine.every()
        assert held_row(feature, company, record, None)["Why"] == "No such value"
        await keep_refused_edits(run, again, {}, held)
        other = plan_of("Silver")
        held = await held_edits(run)
        hold_back_edits(run, other, held)
        assert len(other.updates) == 1
        await keep_refused_edits(run, other, {"k1": WriteResult("k1", True, 7)}, held)
        assert await ledger.quarantine.every() == []


async def test_what_can_not_be_read_or_compared_is_skipped() -> None:
    broken = facts(2, "b", agreements=[{"id": "no number"}])
    unread = SkippedConfiguration(ConfigurationName(9, "x"), "it could not be read: why")
    plan = build_enrichment_plan(
        [facts(1, "a"), broken, facts(3, "c")],
        [asset("a"), asset("b"), asset("c")],
        unread={"c": "its asset could not be read: why"},
        skipped=[unread],
    )
    assert {each.configuration.id for each in plan.skipped} == {2, 3, 9}
    assert (plan.counts.read, plan.counts.skipped, plan.counts.updated) == (4, 3, 1)

"""Answers that are wrong and look right: the enrichment refuses before any write, and says how to go on."""

from __future__ import annotations

from typing import Any

import pytest

from flows.lansweeper_custom_fields import lansweeper_custom_fields
from tests.support.faults import lose_ledger, rule
from tests.support.run_enrichment import Enricher

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

URL = "cw_configuration_url"
CASES = [
    ("connectwise", "/company/configurations", "empty", "Configurations: 90 known"),
    ("connectwise", "/company/configurations", "half", "ConnectWise counts 90 configurations"),
    ("connectwise", "/company/configurations", "no_values", "Configurations with an asset: "),
    ("connectwise", "/finance/agreements", "empty", "ConnectWise counts 5 agreements"),
    ("connectwise", "/service/tickets", "empty", "Tickets: "),
    ("lansweeper", "assetResources", "no_custom_fields", "Assets with ConnectWise texts: "),
]


def wrong(system: str, path: str, how: str) -> dict[str, Any]:
    return {"system": system, "path": path, "share": 1.0, "fault": {"kind": "wrong_read", "how": how}}


async def test_a_wrong_reading_clears_and_rewrites_nothing(enricher: Enricher) -> None:
    await enricher.enrich()
    for system, path, how, words in CASES:
        enricher.sandbox.faults([wrong(system, path, how)])
        enricher.sandbox.clear_requests()
        state = await enricher.enrich_state(full_reconcile=True)
        assert state.is_failed(), (path, how)
        assert words in str(state.message), (path, how, state.message)
        assert "Accept once" in str(state.message)
        assert str(state.message).endswith("Nothing was written.")
        assert enricher.sandbox.requests()["writes"] == 0
    plan = await enricher.artifact("tickets-agreements-sla-sync-plan")
    assert plan.index("Not plausible: a real run is refused") < plan.index("Unchanged")
    enricher.sandbox.faults([])
    asset = next(
        each for each in enricher.sandbox.state("lansweeper/assets") if enricher.text(each["key"], URL)
    )
    fields = asset["assetCustom"]["fields"]
    texts = [{**each, "value": "By hand"} if "recid=" in str(each["value"]) else each for each in fields]
    enricher.sandbox.edit(
        "lansweeper/assets", asset["key"], {"assetCustom": {**asset["assetCustom"], "fields": texts}}
    )
    report = await enricher.enrich()
    assert report.counts.updated == 1
    page = (await enricher.artifact("tickets-agreements-sla-sync-report")).replace("\\", "")
    assert "cw_configuration_url: was http" in page
    assert "Lansweeper has By hand" in page
    enricher.check()


EMPTY = {"kind": "wrong_read", "how": "empty"}
NO_FIELDS = {
    "system": "lansweeper",
    "path": "customFields",
    "fault": {"kind": "status", "status": 200, "body": {"data": {"site": {"customFields": []}}}},
}


async def test_a_new_ledger_is_held_to_the_texts_that_are_there(enricher: Enricher) -> None:
    """ConnectWise's counts are as wrong as its lists, so nothing but Lansweeper tells what was there."""
    await enricher.enrich()
    await lose_ledger()
    paths = ["/service/tickets", "/project/tickets", "/finance/agreements"]
    wrong_lists = [rule("GET", path, EMPTY) for each in paths for path in (each, f"{each}/count")]
    fields = enricher.sandbox.state("lansweeper/customFields")
    for faults, words in (
        (wrong_lists, "The plan would take text from"),
        ([NO_FIELDS], "custom fields that the list of the site's custom fields lacks; it names 0"),
    ):
        enricher.sandbox.faults(faults)
        enricher.sandbox.clear_requests()
        state = await enricher.enrich_state(full_reconcile=True)
        assert words in str(state.message)
        assert "Accept once" in str(state.message)
        assert enricher.sandbox.requests()["writes"] == 0
    # A person who has the fields made by hand is told too.
    alone: Any = await lansweeper_custom_fields(dry_run=False, return_state=True)
    assert "would be made a second time" in str(alone.message)
    assert enricher.sandbox.state("lansweeper/customFields") == fields

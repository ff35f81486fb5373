"""Answers that are wrong and look right: the enrichment refuses before any write, and says how to go on."""

from __future__ import annotations

from typing import Any

import pytest

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
    assert any("cw_configuration_url 'By hand'" in note for note in report.notes)
    enricher.check()

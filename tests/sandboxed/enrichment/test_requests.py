"""How many requests a healthy enrichment makes: at most three more for the guards than without them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.support.run_enrichment import FIELDS, Enricher

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

MOST = 3
"""Requests to both vendors that the guards may cost a run."""
CONFIGURATIONS, AGREEMENTS = "GET /company/configurations", "GET /finance/agreements"
SERVICE, PROJECT = "GET /service/tickets", "GET /project/tickets"
REPORT = "GET /system/reports/ConfigurationAgreement"
SEARCHED = {
    "POST /system/bundles": 1,
    f"{SERVICE}/{{id}}/configurations": 29,
    f"{PROJECT}/{{id}}/configurations": 4,
}
"""Each ticket by itself, as long as none is known and the server takes no bundles."""
BEFORE = {
    "GET /login/companyinfo/{id}": 1,
    "GET /company/companies": 1,
    CONFIGURATIONS: 1,
    AGREEMENTS: 1,
    f"{AGREEMENTS}/{{id}}/configurations": 2,
    REPORT: 1,
    f"{REPORT}/count": 1,
    SERVICE: 1,
    PROJECT: 1,
    "assetResources": 1,
    "customFields": 1,
    "authorizedSites": 2,
}
"""What a run read before there were guards, once its tickets were known."""
NOW = BEFORE | {"authorizedSites": 1}
COUNTS = {f"{each}/count": 1 for each in (CONFIGURATIONS, SERVICE, PROJECT)}
"""Of what no earlier run is known; the report of agreements tells that none is missing."""
MADE = {"createCustomField": FIELDS, "editAsset": 4}
LOOKS = {"customFields": FIELDS + 2}
"""The site's fields before the plan, when they are missing, and before each is made."""


async def requests(enricher: Enricher, **changes: Any) -> dict[str, int]:
    enricher.sandbox.clear_requests()
    await enricher.enrich(**changes)
    served = enricher.sandbox.requests()
    return {**served["connectwise"]["by"], **served["lansweeper"]["by"]}


def more(now: dict[str, int], before: dict[str, int]) -> int:
    """How many more requests than before the guards, which is never more than they may cost."""
    grown = sum(now.values()) - sum(before.values())
    assert grown <= MOST, Counter(now) - Counter(before)
    return grown


async def test_a_first_run_counts_what_nothing_else_tells_and_a_second_nothing(
    enricher: Enricher,
) -> None:
    dry = await requests(enricher, dry_run=True)
    assert dry == NOW | SEARCHED | COUNTS
    assert more(dry, BEFORE | SEARCHED) == 2
    first = await requests(enricher)
    assert first == NOW | COUNTS | MADE | LOOKS
    # Before, too, the fields were looked at thirteen times, the last time after all were made.
    assert more(first, BEFORE | MADE | LOOKS) == 2
    for dry_run in (False, True):
        later = await requests(enricher, dry_run=dry_run)
        assert later == NOW
        assert more(later, BEFORE) == -1


async def test_without_the_report_agreements_are_counted_too(enricher: Enricher) -> None:
    enricher.sandbox.reset(assets=90, scenario="enrichment", switches={"agreement_report": False})
    dry = await requests(enricher, dry_run=True)
    assert dry[f"{AGREEMENTS}/count"] == 1
    guards = sum(number for name, number in dry.items() if name in COUNTS or name == f"{AGREEMENTS}/count")
    saved = BEFORE["authorizedSites"] - dry["authorizedSites"]
    assert guards - saved == MOST

"""Every configuration read ends in exactly one outcome, and only what differs is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.enrichment.plan import (
    EnrichmentCounts,
    EnrichmentReport,
    FieldTally,
    SearchCost,
    build_enrichment_plan,
    edit_requests,
)
from tasks.rules.enrichment.render import enrichment_plan_markdown, enrichment_report_markdown
from tasks.rules.enrichment.texts import wanted_texts
from tasks.rules.report import CountsError, WriteFailure, WrittenRecord
from tests.support.factories.enrichment import agreement, asset, facts, ticket, up_to_date
from tests.unit.rules.asset_sync.test_render import HOSTILE


def test_each_outcome() -> None:
    same = facts(1, "same", tickets=[ticket(1)])
    configurations = [
        same,
        facts(2, "stale", tickets=[ticket(2)]),
        facts(3, "gone"),
        facts(4, None),
        facts(5, ""),
        facts(6, "two"),
        facts(7, "two"),
    ]
    assets = [up_to_date(same), asset("stale"), asset("two"), asset("nobody", cw_sla="Gold"), asset("free")]
    plan = build_enrichment_plan(configurations, assets)
    assert plan.counts.as_dict() == {
        "read": 7,
        "updated": 1,
        "unchanged": 1,
        "failed": 0,
        "asset_gone": 1,
        "no_asset_id": 2,
        "contested": 2,
    }
    assert [each.asset.key for each in plan.updates] == ["stale"]
    assert [[each.id for each in contest.configurations] for contest in plan.contested] == [[6, 7]]
    assert [each.key for each in plan.left_behind] == ["nobody"]


keys = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "d", "e"]))


@given(st.lists(keys, max_size=12), st.sets(st.sampled_from("abcdef")), st.integers(0, 5))
def test_counts_add_up_and_a_second_run_finds_nothing(
    claimed: list[str | None], present: set[str], most: int
) -> None:
    configurations = [
        facts(number, key, tickets=[ticket(number)] * (number % 3)) for number, key in enumerate(claimed, 1)
    ]
    assets = [asset(key, cw_total_tickets="1") for key in present]
    plan = build_enrichment_plan(configurations, assets)
    assert plan.counts.read == len(configurations)
    plan.final_counts(min(most, len(plan.updates)))
    written = {each.asset.key: each.after() for each in plan.updates}
    after = [asset(each.key, **{**each.values, **written.get(each.key, {})}) for each in assets]
    again = build_enrichment_plan(list(reversed(configurations)), after)
    assert not again.updates
    assert again.counts.unchanged == plan.counts.unchanged + plan.counts.updated


def test_counts_that_do_not_add_up_fail_the_run() -> None:
    with pytest.raises(CountsError, match="1 of 2 configurations read are accounted for"):
        EnrichmentCounts(read=2, updated=1).check()
    with pytest.raises(CountsError):
        build_enrichment_plan([facts()], [asset("k1")]).final_counts(2)
    with pytest.raises(CountsError):
        EnrichmentReport(EnrichmentCounts(read=1))


def test_tallies_tell_filled_changed_and_cleared_apart() -> None:
    current = {**wanted_texts(facts()), "cw_total_tickets": "7", "cw_sla": "Gold", "cw_open_tickets": ""}
    tallies = build_enrichment_plan([facts()], [asset("k1", **current)]).tallies()
    assert tallies == {
        "cw_total_tickets": FieldTally(changed=1),
        "cw_open_tickets": FieldTally(filled=1),
        "cw_sla": FieldTally(cleared=1),
    }


def test_an_edit_keeps_the_earlier_texts_for_the_journal() -> None:
    current = {**wanted_texts(facts()), "cw_sla": "Gold"}
    current.pop("cw_total_tickets")
    (update,) = build_enrichment_plan([facts()], [asset("k1", **current)]).updates
    assert update.before() == {"cw_total_tickets": "", "cw_sla": "Gold"}
    assert update.after() == {"cw_total_tickets": "0", "cw_sla": ""}


@pytest.mark.parametrize(("updates", "requests"), [(0, 0), (1, 1), (25, 1), (26, 2)])
def test_edits_travel_together(updates: int, requests: int) -> None:
    assert edit_requests(updates, 25) == requests


def hostile_plan() -> Any:
    configurations = [
        facts(1, "k1", agreements=[agreement(1, name=HOSTILE)]),
        facts(2, "two"),
        facts(3, "two"),
        facts(4, HOSTILE),
        facts(5, None),
    ]
    return build_enrichment_plan(configurations, [asset("k1"), asset("two"), asset("x", cw_sla=HOSTILE)])


def test_plan_shows_counts_changes_and_what_is_left_alone() -> None:
    text = enrichment_plan_markdown(
        hostile_plan(), dry_run=True, figures=["Requests: 3"], fields_to_create=["cw_sla"]
    )
    assert "**Dry run: nothing is written.**" in text
    assert "| **5** | **1** | **0** | **1** | **1** | **2** |" in text
    assert "| cw\\_total\\_tickets | 1 | 0 | 0 |" in text
    for heading in ("Custom fields to create", "Claimed by several", "Asset gone", "Without ls_asset_id"):
        assert f"## {heading}" in text
    assert "<script" not in text
    assert "more" not in text.partition("## Changes")[0]


def test_report_adds_failures_ways_and_links() -> None:
    plan = hostile_plan()
    report = EnrichmentReport(
        plan.final_counts(1),
        failures=[WriteFailure("k1", HOSTILE, "edit", HOSTILE, configuration_id=1)],
        searches=[
            SearchCost("Tickets", "groups", 40, 41, asked=3, remembered=9, last_reconcile="2026-01-01")
        ],
        run_id="r1",
        written=[WrittenRecord("k1", HOSTILE, "updated", 1)],
    )
    text = enrichment_report_markdown(report, plan, link=lambda number: f"https://cw.test/{number}")
    assert "**Finished with 1 failure**" in text
    assert "41 requests, 40 predicted; 3 tickets asked about; 9 remembered" in text
    assert "every ticket was last asked about at 2026-01-01" in text
    assert "](https://cw.test/1)" in text
    assert "](https://app.example.test/asset/k1)" in text
    assert "<script" not in text


def test_nothing_to_write_is_said() -> None:
    text = enrichment_plan_markdown(build_enrichment_plan([facts()], [up_to_date(facts())]))
    assert "Nothing to write: Lansweeper is up to date." in text

"""The plan of the enrichment, in which every configuration has one outcome, and the plan of its undo."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.models import JournalledWrite
from tasks.rules.enrichment.plan import (
    ConfigurationName,
    EnrichmentCounts,
    EnrichmentReport,
    FieldTally,
    SearchCost,
    SkippedConfiguration,
    build_enrichment_plan,
    edit_requests,
)
from tasks.rules.enrichment.render import enrichment_plan_markdown, enrichment_report_markdown
from tasks.rules.enrichment.texts import FIELD_TYPES, AssetState, wanted_texts
from tasks.rules.enrichment.undo import plan_text_undo, wrote_assets
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
        "skipped": 0,
    }
    assert [each.asset.key for each in plan.updates] == ["stale"]
    assert [[each.id for each in contest.configurations] for contest in plan.contested] == [[6, 7]]
    assert [each.key for each in plan.left_behind] == ["nobody"]


def test_an_asset_that_an_unread_configuration_may_claim_is_left_alone() -> None:
    """It is known by its key, or by the address that the asset was given last; else the others go on."""
    unread = [
        SkippedConfiguration(ConfigurationName(8, "PC 8", "a"), "odd"),
        SkippedConfiguration(ConfigurationName(9, "PC 9"), "odd"),
    ]
    configurations = [facts(1, "a"), facts(2, "b"), facts(3, "c")]
    assets = [asset("a"), asset("b", cw_configuration_url="https://x/?recid=9"), asset("c")]
    plan = build_enrichment_plan(configurations, assets, skipped=unread)
    assert [each.asset.key for each in plan.updates] == ["c"]
    reasons = {each.configuration.id: each.reason for each in plan.skipped}
    assert "configuration 8, which could not be read" in reasons[1]
    assert "configuration 9, which could not be read" in reasons[2]
    assert plan.counts.read == 5


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


NOW = datetime(2026, 1, 1, tzinfo=UTC)
KNOWN = {name: f"key-{name}" for name in FIELD_TYPES}


def edit(before: dict[str, str], after: dict[str, str], number: int = 1, **columns: Any) -> JournalledWrite:
    values = {
        "id": number, "run_id": "r", "connection": "default", "company_id": 2, "operation": "modify",
        "record_kind": "asset", "record_id": None, "asset_key": "k1", "record_name": "PC k1",
        "before": before, "after": after, "begun_at": NOW, "settled_at": NOW, "outcome": "done",
        "message": None,
    }  # fmt: skip
    return JournalledWrite(**{**values, **columns})


def undone(plan: Any) -> dict[str, dict[str, str]]:
    return {each.asset.key: each.after() for each in plan.updates}


def test_the_earlier_text_goes_back_and_a_first_one_is_cleared() -> None:
    write = edit({"cw_sla": "Gold", "cw_total_tickets": ""}, {"cw_sla": "", "cw_total_tickets": "3"})
    plan = plan_text_undo([write], {"k1": asset(cw_total_tickets="3.0")}, KNOWN)
    assert undone(plan) == {"k1": {"cw_sla": "Gold", "cw_total_tickets": ""}}
    assert not plan.refused


def test_what_changed_since_is_refused_and_the_rest_goes_back() -> None:
    write = edit({"cw_sla": "Gold", "cw_total_tickets": "1"}, {"cw_sla": "Silver", "cw_total_tickets": "3"})
    plan = plan_text_undo([write], {"k1": asset(cw_sla="Bronze", cw_total_tickets="3")}, KNOWN)
    assert undone(plan) == {"k1": {"cw_total_tickets": "1"}}
    assert [(each.field, each.reason) for each in plan.refused] == [
        ("cw_sla", "Changed since: it is now 'Bronze'.")
    ]


def test_gone_assets_and_fields_are_refused() -> None:
    writes = [edit({}, {"cw_sla": "Gold"}), edit({}, {"cw_sla": "Gold"}, 2, asset_key="gone")]
    plan = plan_text_undo(writes, {"k1": asset(cw_sla="Gold")}, {})
    assert not plan.updates
    assert sorted(each.reason for each in plan.refused) == [
        "The asset is gone from Lansweeper.",
        "The custom field is gone from Lansweeper.",
    ]


def test_edits_never_done_are_ignored_and_unclear_ones_are_looked_at() -> None:
    writes = [
        edit({}, {"cw_sla": "A"}, 1, outcome="failed"),
        edit({}, {"cw_sla": "A"}, 2, outcome="not_sent"),
        edit({"cw_sla": "Old"}, {"cw_sla": "New"}, 3, outcome="unclear", asset_key="k2"),
        edit({"cw_sla": "Old"}, {"cw_sla": "New"}, 4, outcome=None, asset_key="k3"),
    ]
    states = {"k1": asset(cw_sla="A"), "k2": asset("k2", cw_sla="New"), "k3": asset("k3", cw_sla="Old")}
    plan = plan_text_undo(writes, states, KNOWN)
    assert undone(plan) == {"k2": {"cw_sla": "Old"}}
    assert plan.undone_already == 1


texts = st.sampled_from(["", "a", "b", "c"])


@given(st.lists(st.tuples(texts, st.sampled_from(["cw_sla", "cw_agreement_name"])), min_size=1, max_size=5))
def test_several_edits_of_one_asset_are_undone_as_one(edits: list[tuple[str, str]]) -> None:
    start = {"cw_sla": "x", "cw_agreement_name": "y"}
    state, writes = dict(start), []
    for number, (text, name) in enumerate(edits):
        writes.append(edit({name: state[name]}, {name: text}, number))
        state[name] = text
    plan = plan_text_undo(list(reversed(writes)), {"k1": AssetState("k1", "", "", state)}, KNOWN)
    assert not plan.refused
    assert state | undone(plan).get("k1", {}) == start


def test_a_run_on_configurations_is_told_apart() -> None:
    assert wrote_assets([edit({}, {})])
    assert not wrote_assets([edit({}, {}, record_kind="configuration")])


def test_custom_fields_that_the_run_made_stay() -> None:
    write = edit({}, {"name": "cw_sla"}, operation="create_reference", record_kind="Lansweeper custom field")
    plan = plan_text_undo([write], {}, KNOWN)
    assert [each.reason for each in plan.refused] == [
        "A Lansweeper custom field that the run created stays: others may use it by now."
    ]

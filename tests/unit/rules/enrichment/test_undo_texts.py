"""The reverse of an enrichment: only texts that are still as the run left them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.models import JournalledWrite
from tasks.rules.enrichment.texts import FIELD_TYPES, AssetState
from tasks.rules.enrichment.undo import plan_text_undo, wrote_assets
from tests.support.factories.enrichment import asset

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

"""A stored plan against the plan of now: what is the same, done or drifted, and what is left of the plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rules.asset_sync.drift import compared_with, narrowed
from tasks.rules.asset_sync.matching.result import Ambiguous, Match, MatchResult, Unmatched
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.plan_entries import plan_entries
from tasks.rules.asset_sync.safety import WriteMode
from tasks.rules.stored_plans.drift import (
    NAMED_IN_REFUSAL,
    DriftRule,
    PlanComparison,
    comparison_words,
    drift_refusal,
)
from tasks.rules.stored_plans.entries import entry_of
from tests.support.factories.asset_sync import asset, compiled, configuration
from tests.unit.rules.asset_sync.test_plan import match, planned

MAPPING = compiled(type_name="lansweeper")
PLAN = "plan-1a2b3c4d5e6f"


def made(result: MatchResult) -> Plan:
    return planned(result, MAPPING)


def compared(before: MatchResult, now: MatchResult) -> PlanComparison:
    """The plan of ``before``, stored and read again, against that of ``now``."""
    comparison = compared_with(made(now), now, MAPPING)
    for each in plan_entries(made(before)):
        comparison.take(entry_of(orjson.loads(orjson.dumps(each.as_dict()))))
    return comparison


def left(comparison: PlanComparison, now: MatchResult) -> Plan:
    return narrowed(made(now), comparison.why_left(PLAN), batch_size=50, mode=WriteMode.BULK)


def matched(*found: Match) -> MatchResult:
    return MatchResult(matched=list(found))


def unmatched(*keys: str, **values: Any) -> MatchResult:
    return MatchResult(unmatched=[Unmatched(asset(key, **values)) for key in keys])


S1 = {"serialNumber": "S1"}
CHANGED = matched(match("k1", 101, serialNumber="S2", current={"serialNumber": "S1"}))


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (matched(match("k1", 101, serialNumber="S3", current={"serialNumber": "S1"})), "is S1 → S3"),
        (matched(match("k1", 101, serialNumber="S2", current={"serialNumber": "S0"})), "is S0 → S2"),
        (
            matched(match("k1", 101, serialNumber="S2", name="B", current={"serialNumber": "S1"})),
            "name was not to change",
        ),
        (
            matched(match("k1", 101, serialNumber="S1", current={"serialNumber": "S1"})),
            "not to be changed any more",
        ),
        (
            matched(match("k1", 102, serialNumber="S2", current={"serialNumber": "S1"})),
            "configuration 102 now",
        ),
        (unmatched("k1", serialNumber="S2"), "configuration 101 is not matched any more"),
        (MatchResult(), "does not give the asset"),
        (MatchResult(ambiguous=[Ambiguous(asset("k1"), [], "two of one name")]), "two of one name"),
        (
            matched(match("k1", 101, serialNumber="S2", name="n" * 101, current={"serialNumber": "S1"})),
            "101 char",
        ),
    ],
)
def test_a_modification_that_is_decided_otherwise_has_drifted(now: MatchResult, words: str) -> None:
    comparison = compared(CHANGED, now)
    assert (comparison.same, comparison.done) == (set(), 0)
    [drifted] = comparison.drifted
    assert words in drifted.words()
    assert "k1" in drifted.words()
    assert left(comparison, now).nothing_to_write


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (unmatched("k1", serialNumber="S9"), "serialNumber was not to change, is empty → S9"),
        (unmatched("k1", location_name="Tampa"), "location.name"),
        (matched(match("k1", 101, current={"ls_asset_id": None}, serialNumber="S1")), ""),
        (MatchResult(), "does not give the asset"),
    ],
)
def test_a_creation_that_is_decided_otherwise_has_drifted(now: MatchResult, words: str) -> None:
    for each in now.matched:
        each.configuration.asset_key = None
    comparison = compared(unmatched("k1"), now)
    assert [each.key for each in comparison.drifted] == ["k1"]
    assert words in comparison.drifted[0].why
    assert left(comparison, now).nothing_to_write


def test_what_is_as_planned_already_is_done() -> None:
    before = MatchResult(matched=CHANGED.matched, unmatched=[Unmatched(asset("k2"))])
    now = matched(
        match("k1", 101, serialNumber="S2", current={"serialNumber": "S2"}),
        # Created meanwhile, and to be modified by now: that is another plan's.
        match("k2", 102, serialNumber="S7"),
    )
    comparison = compared(before, now)
    assert (comparison.same, comparison.done, comparison.drifted) == (set(), 2, [])
    plan = left(comparison, now)
    assert (plan.counts.unchanged, plan.counts.skipped, plan.nothing_to_write) == (1, 1, True)
    assert plan.skipped[0].reason == f"Not in {PLAN}, so it is left for another run."


def test_of_a_record_whose_fields_are_written_the_type_is_still_to_be_changed() -> None:
    before = matched(match("k1", 101, serialNumber="S2", type_name="Linux"))
    now = matched(match("k1", 101, serialNumber="S2", type_name="Linux", current={"serialNumber": "S2"}))
    assert compared(before, now).same == {"k1"}
    # The field was given up, not written: that is another decision.
    other = matched(match("k1", 101, type_name="Linux"))
    assert [each.key for each in compared(before, other).drifted] == ["k1"]


def test_new_records_are_left_and_their_names_are_not_created() -> None:
    before = unmatched("k1", type_name="Linux")
    now = MatchResult(
        unmatched=[
            Unmatched(asset("k1", type_name="Linux"), "looks like configuration 7"),
            Unmatched(asset("k2", type_name="Mainframe", manufacturer_name="Cray")),
        ]
    )
    comparison = compared(before, now)
    plan = left(comparison, now)
    assert [each.asset.key for each in plan.creations] == ["k1"]
    assert plan.reference_creations == {"type.name": ["ls_Linux"]}
    assert plan.predicted.reference_creations == 1
    assert made(now).reference_creations.keys() == {"type.name", "manufacturer.name"}
    assert "1 that the plan does not have" in comparison_words(PLAN, comparison)
    assert "1 creation got other warnings" in comparison_words(PLAN, comparison)


def test_a_refusal_names_the_first_and_counts_the_others() -> None:
    keys = [f"k{n}" for n in range(NAMED_IN_REFUSAL + 5)]
    comparison = compared(unmatched(*keys, "same"), unmatched("same"))
    refused = drift_refusal(PLAN, comparison, DriftRule.REFUSE)
    assert refused[0].startswith(f"25 of the 26 records of {PLAN} changed since it was made.")
    assert len(refused) == NAMED_IN_REFUSAL + 2
    assert refused[-1] == "… and 5 more"
    assert drift_refusal(PLAN, comparison, DriftRule.REST) == []
    assert drift_refusal(PLAN, compared(unmatched("k1"), unmatched("k1")), DriftRule.REFUSE) == []


WRITTEN = ("new", "serial a", "serial b")
states = st.sampled_from(["gone", "new", "same", "serial a", "serial b", "unclear", "broken"])


def world(parts: Iterable[str]) -> MatchResult:
    result = MatchResult()
    for n, part in enumerate(parts):
        key = f"k{n}"
        if part == "new":
            result.unmatched.append(Unmatched(asset(key, manufacturer_name=f"M{n % 2}")))
        elif part == "broken":
            result.unmatched.append(Unmatched(asset(key, name=None)))
        elif part == "unclear":
            result.ambiguous.append(Ambiguous(asset(key), [configuration(n + 1, None)], "twice"))
        elif part != "gone":
            values = {} if part == "same" else {"serialNumber": part}
            result.matched.append(match(key, n + 1, **values))
    return result


@settings(max_examples=60)
@given(st.lists(st.tuples(states, states), max_size=20))
def test_only_what_both_plans_decide_alike_is_written_and_all_is_accounted_for(
    parts: list[tuple[str, str]],
) -> None:
    now = world(other for _, other in parts)
    comparison = compared(world(one for one, _ in parts), now)
    plan = left(comparison, now)
    written = {each.asset.key for each in (*plan.creations, *plan.modifications)}
    alike = {
        f"k{n}"
        for n, (one, other) in enumerate(parts)
        if one == other and one in ("new", "serial a", "serial b")
    }
    assert written == comparison.same == alike
    stored = sum(one in WRITTEN for one, _ in parts)
    assert len(comparison.same) + comparison.done + len(comparison.drifted) == stored
    assert plan.counts.read == sum(other != "gone" for _, other in parts)
    needed = {each.asset.wanted[plan.paths.index("manufacturer.name")] for each in plan.creations}
    assert set(plan.reference_creations.get("manufacturer.name", [])) == needed


@given(st.lists(states, max_size=20))
def test_a_plan_against_itself_is_the_same(parts: list[str]) -> None:
    now = world(parts)
    comparison = compared(world(parts), now)
    assert (comparison.drifted, comparison.done) == ([], 0)
    assert left(comparison, now) == made(now)

"""An implausible plan is refused with its numbers; the number of requests of a calm run is predicted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.matching.result import MatchResult, Unmatched
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.safety import SafetyThresholds, WriteMode, predict_requests
from tasks.rules.bulk import batches
from tests.support.factories.asset_sync import asset, compiled
from tests.unit.rules.asset_sync.test_plan import match, planned


def plan(*, changed: int = 0, new: int = 0, **values: str) -> Plan:
    fields = values or {"serialNumber": "S77"}
    return planned(
        MatchResult(
            matched=[match(f"m{n}", n + 1, **fields) for n in range(changed)],
            unmatched=[Unmatched(asset(f"n{n}")) for n in range(new)],
        ),
        compiled(type_name="lansweeper"),
    )


def test_a_share_above_the_ceiling_is_told_in_words() -> None:
    assert plan(changed=31).over_thresholds(100, True) == [
        "The plan would modify 31 configurations, 31 % of the 100 that the company has; the ceiling is 30 %."
    ]


def test_exactly_the_ceiling_passes() -> None:
    assert plan(changed=30, new=30).over_thresholds(100, True) == []


def test_few_existing_configurations_have_no_ceiling() -> None:
    assert plan(changed=20, new=20).over_thresholds(20, True) == []
    assert len(plan(changed=20, new=20).over_thresholds(21, True)) == 2


def test_a_first_load_may_create_any_number() -> None:
    assert plan(new=60).over_thresholds(100, False) == []
    assert "create 60 configurations, 60 %" in plan(new=60).over_thresholds(100, True)[0]


def test_the_integrations_own_fields_are_not_counted() -> None:
    assert plan(changed=60, customFields_ls_asset_url="u").over_thresholds(100, True) == []


def test_a_change_of_type_counts() -> None:
    assert plan(changed=60, type_name="Linux").over_thresholds(100, True) != []


@pytest.mark.parametrize(
    "thresholds", [SafetyThresholds(modified=1, created=1), SafetyThresholds(minimum=100)]
)
def test_thresholds_are_settings(thresholds: SafetyThresholds) -> None:
    assert plan(changed=60, new=60).over_thresholds(100, True, thresholds) == []


counts = st.integers(0, 400)


@given(counts, counts, counts, counts, st.integers(1, 50), st.sampled_from(WriteMode))
def test_the_prediction_equals_the_run(references, creations, changed, types, size, mode) -> None:  # type: ignore[no-untyped-def]
    predicted = predict_requests(
        reads_done=9,
        reference_creations=references,
        creations=creations,
        modifications=changed,
        type_changes=types,
        batch_size=size,
        mode=mode,
    )
    sent = ["read"] * 9 + ["write"] * references + ["read", "write"] * types
    sent += ["write" for _ in batches(range(creations), size)] + ["read"] * bool(creations)
    for number, batch in enumerate(batches(range(changed), size)):
        sent += ["read", "write", *(["read"] if number == 0 else [])] if mode == "bulk" else ["read"]
        sent += ["write"] * len(batch) if mode == "patch" else []
    assert predicted.total == len(sent)
    assert predicted.writes == sent.count("write")


def test_nothing_to_do_costs_nothing_more() -> None:
    predicted = predict_requests(
        reads_done=12, reference_creations=0, creations=0, modifications=0, type_changes=0
    )
    assert (predicted.total, predicted.writes) == (12, 0)


def test_a_first_load_of_15000_stays_within_the_promise() -> None:
    predicted = predict_requests(
        reads_done=11, reference_creations=0, creations=15_000, modifications=0, type_changes=0
    )
    assert predicted.total == 312

"""Decisions: one living work order, nothing assigned is ever cancelled, nothing unknown is made twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.field_nation.models import LIVING, Status
from tasks.rules.dispatch.decision import (
    OVER,
    DispatchDecision,
    DispatchStep,
    RecordFacts,
    WorkOrderFacts,
    decide,
    may_create_again,
    next_look,
)
from tasks.rules.dispatch.triggers import RecordChange

RECORDS = st.builds(
    RecordFacts,
    change=st.sampled_from(RecordChange),
    inside=st.booleans(),
    closed=st.booleans(),
    newly_closed=st.booleans(),
    gone=st.booleans(),
    own_status=st.booleans(),
    asked=st.booleans(),
)
STATES = st.sampled_from(["", "intent", "sent", "created", "refused", "unresolved", "cancelled"])
STANDINGS = st.builds(WorkOrderFacts, STATES, st.none() | st.sampled_from(Status), st.booleans())
MAKING = {DispatchStep.CREATE, DispatchStep.NEW_GENERATION}


@given(RECORDS, STANDINGS, st.booleans())
def test_nothing_is_made_beside_what_lives_or_may_live(
    record: RecordFacts, standing: WorkOrderFacts, cancel: bool
) -> None:
    step = decide(record, standing, cancel_on_leave=cancel).step
    if step in MAKING:
        assert record.inside
        assert not record.gone
        assert standing.intent not in ("sent", "unresolved")
        assert standing.intent != "created" or standing.status in OVER
    if standing.intent in ("sent", "unresolved"):
        assert step is DispatchStep.RECOVER


@given(RECORDS, STANDINGS, st.booleans())
def test_only_what_nobody_is_assigned_to_is_cancelled_and_only_if_that_is_set(
    record: RecordFacts, standing: WorkOrderFacts, cancel: bool
) -> None:
    if decide(record, standing, cancel_on_leave=cancel).step is DispatchStep.CANCEL:
        assert cancel
        assert not standing.assigned
        assert standing.status in (Status.DRAFT, Status.PUBLISHED, Status.ROUTED, Status.POSTPONED)


@given(RECORDS, STANDINGS, st.booleans())
def test_a_look_is_asked_for_once(record: RecordFacts, standing: WorkOrderFacts, cancel: bool) -> None:
    decision = decide(record, standing, cancel_on_leave=cancel)
    assert decision.step is not DispatchStep.LOOK or standing.status is None
    if decision.step in (DispatchStep.REPORT, DispatchStep.CANCEL, DispatchStep.NEW_GENERATION):
        assert decision.reason


@pytest.mark.parametrize("status", sorted(LIVING))
def test_a_reopened_record_updates_its_living_work_order(status: Status) -> None:
    record = RecordFacts(RecordChange.ENTERED, inside=True)
    assert decide(record, WorkOrderFacts("created")).step is DispatchStep.LOOK
    assert decide(record, WorkOrderFacts("created", status)).step is DispatchStep.UPDATE


@pytest.mark.parametrize("status", sorted(OVER))
def test_a_reopened_record_gets_another_where_the_old_one_is_over(status: Status) -> None:
    assert (
        decide(RecordFacts(RecordChange.ENTERED, True), WorkOrderFacts("created", status)).step
        is DispatchStep.NEW_GENERATION
    )
    stayed = decide(RecordFacts(RecordChange.STAYED, True), WorkOrderFacts("created", status))
    assert stayed.step is DispatchStep.NOTHING
    assert "come back" in stayed.reason


@pytest.mark.parametrize(
    ("status", "assigned", "step"),
    [
        (Status.PUBLISHED, False, DispatchStep.REPORT),
        (Status.POSTPONED, True, DispatchStep.REPORT),
        (Status.ASSIGNED, True, DispatchStep.REPORT),
        (Status.WORK_DONE, True, DispatchStep.NOTHING),
        (Status.APPROVED, True, DispatchStep.NOTHING),
        (Status.UNKNOWN, False, DispatchStep.REPORT),
    ],
)
def test_a_record_that_closes(status: Status, assigned: bool, step: DispatchStep) -> None:
    closing = RecordFacts(RecordChange.CLOSED, inside=False, closed=True, newly_closed=True)
    assert decide(closing, WorkOrderFacts("created", status, assigned)).step is step


def test_reaching_a_status_of_our_own_is_not_leaving() -> None:
    left = RecordFacts(RecordChange.LEFT, inside=False, own_status=True)
    assert decide(left, WorkOrderFacts("created")) == DispatchDecision(DispatchStep.UPDATE)


@given(st.floats(0, 10_000), st.floats(0.01, 600), st.floats(0.01, 60))
def test_looks_grow_apart_and_the_last_is_at_the_end(age: float, settle: float, first: float) -> None:
    pause = next_look(age, settle, first)
    assert (pause is None) is (age >= settle)
    if pause is not None:
        assert 0 < pause <= max(settle - age, 0.0) + 1e-9


def test_looks_take_a_handful_of_requests() -> None:
    age, looks = 0.0, 0
    while (pause := next_look(age, 60, 2)) is not None:
        age, looks = age + pause, looks + 1
    assert (age, looks) == (60, 6)


@given(st.integers(1, 9), st.floats(0, 9e4), st.booleans(), st.booleans())
def test_an_unresolved_creation_is_made_once_more_late_or_by_hand(
    attempts: int, since: float, wanted: bool, by_hand: bool
) -> None:
    pause = timedelta(hours=6)
    again = may_create_again(attempts, timedelta(seconds=since), pause, wanted=wanted, by_hand=by_hand)
    assert again is (wanted and (by_hand or (attempts < 2 and since >= 21_600)))

"""Decisions: one living work order, nothing assigned is ever cancelled, nothing unknown is made twice.

Adoption takes the work order that a creation made; an update sends all that differs and nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.field_nation.models import LIVING, Status
from tasks.rules.dispatch.decision import (
    OVER,
    Adoption,
    DispatchDecision,
    DispatchStep,
    RecordFacts,
    WorkOrderFacts,
    adoptable,
    after_sending,
    changed_sections,
    decide,
    doubles,
    half_changed,
    laid_on_current,
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
    merged=st.booleans(),
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
        assert record.asked or not record.merged
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
        assert not record.merged
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


SENT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def order(number: int, status: str = "Draft", reference: str = "CW-S-5", minutes: int = 0) -> dict[str, Any]:
    created = SENT + timedelta(minutes=minutes)
    return {
        "id": number,
        "title": f"[{reference}] x",
        "incident_id": reference,
        "status": {"name": status},
        "milestones": {"created": {"utc": created.strftime("%Y-%m-%d %H:%M:%S")}},
    }


ORDERS = st.lists(
    st.builds(
        order,
        st.integers(1, 8),
        st.sampled_from(["Draft", "Assigned", "Paid", "Cancelled", "Approved"]),
        st.sampled_from(["CW-S-5", "CW-S-55", "CW-P-5"]),
        st.sampled_from([-600, 0, 3]),
    ),
    unique_by=lambda each: each["id"],
)


@given(ORDERS, st.sets(st.integers(1, 8), max_size=3))
def test_the_one_living_work_order_of_this_record_is_adopted(
    found: list[dict[str, Any]], taken: set[int]
) -> None:
    free = [each for each in found if each["incident_id"] == "CW-S-5" and each["id"] not in taken]
    living = [each["id"] for each in free if each["status"]["name"] in ("Draft", "Assigned", "Approved")]
    adoption = adoptable(found, "CW-S-5", since=SENT, taken=taken)
    if len(living) == 1:
        assert adoption == Adoption(living[0])
    elif living:
        assert adoption.work_order_id is None
        assert all(str(number) in adoption.problem for number in living)
    else:
        late = [each["id"] for each in free if "2026-11-21" in each["milestones"]["created"]["utc"]]
        late = [each["id"] for each in free if each["id"] in late and _recent(each)]
        assert adoption == Adoption(max(late) if late else None)


def _recent(each: dict[str, Any]) -> bool:
    return str(each["milestones"]["created"]["utc"]) >= "2026-11-21 11:55:00"


@given(ORDERS)
def test_without_a_creation_only_a_living_one_counts(found: list[dict[str, Any]]) -> None:
    over = [each for each in found if each["status"]["name"] in ("Paid", "Cancelled")]
    assert adoptable(over, "CW-S-5", since=None) == Adoption()


def test_doubles_are_living_ones_of_our_prefix() -> None:
    found = [
        order(1),
        order(2, "Assigned"),
        order(3, "Cancelled"),
        order(4, reference="CW-P-9"),
        order(5, reference="XY-S-5"),
        order(6, reference="XY-S-5"),
        {"id": 7, "title": "none", "status": {"name": "Draft"}},
    ]
    assert doubles(found, "CW") == {"CW-S-5": [1, 2]}


def test_a_work_order_in_an_unknown_status_may_live() -> None:
    """A status that the vendor adds must not lead to a second work order."""
    assert adoptable([order(7, "At Risk")], "CW-S-5", since=None) == Adoption(7)
    assert doubles([order(7, "At Risk"), order(8)], "CW") == {"CW-S-5": [7, 8]}


TEXTS = st.text("ab ", max_size=3)
PLACES = st.dictionaries(st.sampled_from(["address1", "city", "zip"]), TEXTS)
MOMENTS = st.one_of(
    st.fixed_dictionaries({"utc": st.sampled_from(["2026-12-01 09:00:00", "2026-12-02 09:00:00"])}),
    st.just({"local": {"date": "2026-12-01", "time": "08:00:00"}}),
)
FIELDS = st.dictionaries(st.integers(801, 803), TEXTS).map(
    lambda values: {"results": [{"results": [{"id": key, "value": value} for key, value in values.items()]}]}
)
WANTED = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXTS,
        "location": PLACES,
        "schedule": st.fixed_dictionaries({"service_window": st.fixed_dictionaries({"start": MOMENTS})}),
        "types_of_work": st.lists(st.fixed_dictionaries({"id": st.integers(1, 3)}), max_size=2),
        "custom_fields": FIELDS,
    },
)


def values(record: dict[str, Any]) -> dict[str, Any]:
    """Every single value by its path; lists whole, custom fields one by one, empty ones left out."""
    found: dict[str, Any] = {}

    def walk(path: str, value: Any) -> None:
        if path == "custom_fields":
            for group in value["results"]:
                for each in group["results"]:
                    walk(f"{path}.{each['id']}", each["value"])
        elif isinstance(value, dict) and set(value) & {"utc", "local"}:
            found[path] = value
        elif isinstance(value, dict):
            for name, each in value.items():
                walk(f"{path}.{name}" if path else name, each)
        elif value not in (None, [], {}) and not (isinstance(value, str) and not value.strip()):
            found[path] = value

    walk("", record)
    return found


@given(WANTED, WANTED)
def test_after_sending_all_that_is_wanted_is_there_and_nothing_is_lost(
    sent: dict[str, Any], wanted: dict[str, Any]
) -> None:
    after = after_sending(sent, changed_sections(sent, wanted))
    assert values(after) == values(sent) | values(wanted)


@given(WANTED, WANTED)
def test_the_second_time_nothing_is_sent(sent: dict[str, Any], wanted: dict[str, Any]) -> None:
    after = after_sending(sent, changed_sections(sent, wanted))
    assert changed_sections(after, wanted) == {}


@given(WANTED, WANTED)
def test_only_sections_with_a_difference_are_sent(sent: dict[str, Any], wanted: dict[str, Any]) -> None:
    before, asked = values(sent), values(wanted)
    differing = {path.partition(".")[0] for path in asked if before.get(path) != asked[path]}
    assert set(changed_sections(sent, wanted)) == differing


def test_custom_fields_are_sent_one_by_one() -> None:
    def fields(**given: str) -> dict[str, Any]:
        pairs = [{"id": int(name[1:]), "value": value} for name, value in given.items()]
        return {"custom_fields": {"results": [{"results": pairs}]}}

    assert changed_sections(fields(f1="a", f2="b"), fields(f1="a", f2="c")) == fields(f2="c")


def test_a_section_is_laid_over_what_a_person_changed() -> None:
    sent = {"a": "1", "b": {"c": "2", "d": ["x"]}, "e": {"utc": "3"}, "f": "4"}
    wanted = {"a": "new", "b": {"c": "2", "d": ["x"]}, "e": {"utc": "3"}, "f": "4"}
    shown = {"a": "person", "b": {"c": "person", "d": []}, "e": {"utc": "9", "local": {}}, "f": None}
    assert laid_on_current(sent, wanted, shown) == {
        "a": "new",
        "b": {"c": "person", "d": ["x"]},
        "e": {"utc": "9"},
        "f": "4",
    }
    assert half_changed({"s": sent}, {"s": wanted}) == ["s"]
    assert half_changed({"s": {"a": "1"}}, {"s": {"a": "2"}}) == []

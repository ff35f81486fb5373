"""Triggers: which records are in, and that entering counts once however the news arrives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import (
    Operator,
    RecordChange,
    Seen,
    Trigger,
    TriggerCondition,
    is_closed,
    observe,
)
from tests.support.factories.dispatch import source

SERVICE = RecordKind.SERVICE_TICKET


def condition(field: str, *values: Any, operator: Operator = Operator.IS) -> TriggerCondition:
    return TriggerCondition(field=field, operator=operator, values=values)


PAGE = Trigger(conditions=(condition("status", "Dispatch"), condition("board", "Field Services")))


@pytest.mark.parametrize(
    ("one", "holds"),
    [
        (condition("status", "dispatch "), True),
        (condition("status", "Dispatched"), False),
        (condition("status", "New", "Dispatch"), True),
        (condition("status.id", 40), True),
        (condition("priority", "Priority 1"), False),
        (condition("priority", "Priority 1", operator=Operator.STARTS_WITH), True),
        (condition("type", "On-Site", operator=Operator.IS_NOT), False),
        (condition("type", "Remote", operator=Operator.IS_NOT), True),
        (condition("team", "Any", operator=Operator.IS_NOT), True),
        (condition("team", ""), False),
        (condition("customFields.Send to FN", True), True),
        (condition("customFields.Send to FN", "true"), True),
        (condition("customFields.Send to FN", False), False),
        (condition("customFields.Rack no. 1", False), False),
        (condition("customFields.No such", "x"), False),
        (condition("id", "101"), True),
        (condition("company.identifier", "bluelightco"), True),
    ],
)
def test_conditions(one: TriggerCondition, holds: bool) -> None:
    assert one.holds(source()) is holds


@pytest.mark.parametrize(
    ("value", "wanted", "holds"),
    [
        ("0123", "123", False),
        ("1E5", "100000", False),
        ("1e5", "1E5", True),
        ("12.0", "12", False),
        ("0123", 123, False),
        ("1E5", 100000, False),
        (5, "5", True),
        (5.0, "5", True),
        ("5.0", 5, True),
        (5, "05", False),
        (100000, 1e5, True),
        ("Mu\u0308ller  GmbH", "müller gmbh", True),
        ("\u2068ABC\u2069", "abc", True),
        ("Co\u00adop", "Coop", True),
        ("m²", "m2", False),
    ],
)
def test_texts_compare_as_texts_and_numbers_as_numbers(value: Any, wanted: Any, holds: bool) -> None:
    fields = [{"id": 7, "caption": "Asset", "value": value}]
    assert condition("customFields.Asset", wanted).holds(source(customFields=fields)) is holds


def test_a_status_in_another_normal_form_is_the_same() -> None:
    document = source(status={"id": 40, "name": "Bereit fu\u0308r Einsatz"})
    assert condition("status", "Bereit für Einsatz").holds(document)


@pytest.mark.parametrize("value", ["", "  ", "\u200b"])
def test_what_starts_with_nothing_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="starts with an empty value"):
        condition("priority", "Priority 1", value, operator=Operator.STARTS_WITH)


@pytest.mark.parametrize(
    ("value", "holds"), [("Yes", True), (1, True), ("false", False), (None, False), ("", False)]
)
def test_a_flag_counts_by_its_meaning(value: Any, holds: bool) -> None:
    fields = [{"id": 7, "caption": "Send to FN", "value": value}]
    assert condition("customFields.Send to FN", True).holds(source(customFields=fields)) is holds


def test_all_conditions_must_hold_for_the_right_kind_of_open_record() -> None:
    assert PAGE.matches(SERVICE, source())
    assert not PAGE.matches(RecordKind.PROJECT_TICKET, source())
    assert not PAGE.matches(SERVICE, source(board={"name": "Help Desk"}))
    assert not PAGE.matches(SERVICE, source(closedFlag=True))


def test_a_trigger_without_conditions_would_dispatch_everything() -> None:
    for bad in ({"conditions": []}, {"conditions": [{"field": "status", "values": []}]}):
        with pytest.raises(ValidationError):
            Trigger.model_validate(bad)
    with pytest.raises(ValidationError, match="is no path"):
        condition("status..name", "x")


@pytest.mark.parametrize(
    ("record", "closed"),
    [
        ({"closedFlag": False, "status": {"name": "Closed"}}, False),
        ({"closedFlag": True}, True),
        ({"closedDate": "2026-11-20T10:00:00Z"}, True),
        ({}, False),
    ],
)
def test_closed_is_what_the_flag_says(record: dict[str, Any], closed: bool) -> None:
    assert is_closed(record) is closed


def at(minute: int, status: str, **more: Any) -> dict[str, Any]:
    moment = datetime(2026, 11, 20, 10, tzinfo=UTC) + timedelta(minutes=minute)
    updated = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return source(status={"name": status}, _info={"lastUpdated": updated}, **more)


def changes(*records: dict[str, Any]) -> list[RecordChange]:
    seen: Seen | None = None
    found = []
    for record in records:
        change, seen = observe([PAGE], SERVICE, record, seen)
        found.append(change)
    return found


def test_a_life_in_and_out_of_the_trigger() -> None:
    assert changes(
        at(0, "New"),
        at(1, "Dispatch"),
        at(1, "Dispatch"),
        at(2, "Dispatch", summary="Changed"),
        at(1, "New"),
        at(3, "Assigned"),
        at(4, "Dispatch"),
        at(5, "Dispatch", closedFlag=True),
        at(6, "New"),
    ) == [
        RecordChange.OUTSIDE,
        RecordChange.ENTERED,
        RecordChange.STAYED,
        RecordChange.STAYED,
        RecordChange.STALE,
        RecordChange.LEFT,
        RecordChange.ENTERED,
        RecordChange.CLOSED,
        RecordChange.OUTSIDE,
    ]


def test_a_record_without_a_date_is_judged_as_it_is() -> None:
    undated = source(_info={})
    change, seen = observe([PAGE], SERVICE, undated, Seen(False, datetime(2026, 11, 20, tzinfo=UTC), 1))
    assert (change, seen.entries, seen.updated) == (
        RecordChange.ENTERED,
        2,
        datetime(2026, 11, 20, tzinfo=UTC),
    )


STATES = st.lists(st.booleans(), min_size=1, max_size=12)


def entries_of(states: list[bool]) -> int:
    before = [False, *states[:-1]]
    return sum(now and not was for was, now in zip(before, states, strict=True))


@settings(max_examples=50)
@given(STATES, st.data())
def test_entering_counts_once_however_often_and_late_it_is_told(
    states: list[bool], data: st.DataObject
) -> None:
    """Each state is told at least once in order; copies of older ones come in between, in any number."""
    versions = [at(minute, "Dispatch" if state else "New") for minute, state in enumerate(states)]
    seen: Seen | None = None
    for number, version in enumerate(versions):
        late = data.draw(st.lists(st.integers(0, number), max_size=3))
        for record in (version, *(versions[each] for each in late)):
            change, seen = observe([PAGE], SERVICE, record, seen)
            assert (change is RecordChange.STALE) == (record is not version and record != version)
    assert seen is not None
    assert (seen.entries, seen.inside) == (entries_of(states), states[-1])


@settings(max_examples=50)
@given(st.permutations(range(6)), STATES.filter(lambda states: len(states) >= 6))
def test_in_any_order_the_newest_state_wins(order: list[int], states: list[bool]) -> None:
    seen: Seen | None = None
    for minute in order:
        _, seen = observe([PAGE], SERVICE, at(minute, "Dispatch" if states[minute] else "New"), seen)
    assert seen is not None
    assert seen.inside == states[5]
    assert seen.entries <= entries_of([True, False] * 3)


@settings(max_examples=50)
@given(STATES)
def test_what_is_remembered_is_enough(states: list[bool]) -> None:
    """Judging goes on from what was remembered as if it had never stopped, as after a kill."""
    records = [at(minute, "Dispatch" if state else "New") for minute, state in enumerate(states)]
    once: Seen | None = None
    for record in records:
        _, once = observe([PAGE], SERVICE, record, once)
    again: Seen | None = None
    for record in records:
        _, again = observe([PAGE], SERVICE, record, again)
        change, again = observe([PAGE], SERVICE, record, again)
        assert change in (RecordChange.STAYED, RecordChange.OUTSIDE)
    assert again == once


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_number_that_json_does_not_know_is_no_value_of_a_condition(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        TriggerCondition(field="customFields.x", values=(value,))


@pytest.mark.parametrize("value", [None, "", [], ["123"], [123], {"name": "123"}, "0123", "1_23", "NaN"])
def test_a_condition_on_a_number_holds_for_nothing_but_a_number(value: Any) -> None:
    for wanted in (123, "123"):
        one = TriggerCondition(field="customFields.x", values=(wanted,))
        assert not one.holds({"customFields": {"x": value}})
        assert TriggerCondition(field="customFields.x", operator="is not", values=(wanted,)).holds(
            {"customFields": {"x": value}}
        )

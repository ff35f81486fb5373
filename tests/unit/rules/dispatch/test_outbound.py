"""Events and rules become actions whose names are the same each time."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.dispatch.events import (
    HappenedEvent,
    OutboundAction,
    OutboundRule,
    TimeEntrySettings,
    WorkOrderEvent,
    default_outbound_rules,
)
from tasks.rules.dispatch.mapping_model import DispatchMapping
from tasks.rules.dispatch.outbound import (
    WantedActions,
    filled,
    joined,
    mapped_of,
    rules_problems,
    stays_without_rule,
    time_entry,
    times_wanted,
    wanted_of,
    wanted_words,
)

NOTE, STATUS = OutboundAction.ADD_NOTE, OutboundAction.SET_STATUS
COMPLETED, APPROVED = WorkOrderEvent.COMPLETED, WorkOrderEvent.APPROVED
TIME = OutboundRule(event=COMPLETED, action=OutboundAction.ADD_TIME_ENTRY, value="{{time_log.hours}} h")


def stay(number: int, start: str, end: str | None) -> dict[str, Any]:
    log: dict[str, Any] = {"id": number, "hours": 2, "in": {"created": {"utc": f"2026-12-01 {start}"}}}
    return log | ({"out": {"created": {"utc": f"2026-12-01 {end}"}}} if end else {})


ORDER: dict[str, Any] = {
    "id": 7,
    "closing_notes": "Swapped",
    "assignee": {"user": {"first_name": "Bo", "last_name": "Li"}},
    "time_logs": {"results": [stay(1, "14:00:00", "16:00:00"), stay(2, "17:00:00", None)]},
}


def test_the_documented_rules_on_a_whole_life() -> None:
    events = [HappenedEvent(event) for event in WorkOrderEvent]
    wanted = wanted_of(ORDER, events, default_outbound_rules())
    assert wanted_words(wanted) == [
        "an internal note for completed",
        "customFields.FN check-in = 2026-12-01 17:00:00",
        "status.name = Completed",
    ]
    [note] = wanted.notes
    assert note.text == "Work order 7 is complete. Swapped\n\n[FN-7-completed]"
    assert (note.name, wanted.problems) == ("completed/note", ())


def test_two_notes_of_one_event_have_marks_of_their_own_and_a_second_time_too() -> None:
    rules = [OutboundRule(event=COMPLETED, action=NOTE, value=text) for text in ("a", "b", "")]
    wanted = wanted_of(ORDER, [HappenedEvent(COMPLETED), HappenedEvent(COMPLETED, 2)], rules)
    marks = [note.mark for note in wanted.notes]
    assert marks == [f"[FN-7-completed{which}]" for which in ("", ".2", ".3", "-2", "-2.2", "-2.3")]
    assert len({note.name for note in wanted.notes}) == 6
    assert wanted.notes[2].text.startswith("Field Nation work order 7: completed.")


def test_a_corrected_rule_is_another_action() -> None:
    names = {
        wanted_of(
            ORDER, [HappenedEvent(APPROVED)], [OutboundRule(event=APPROVED, action=STATUS, value=value)]
        )
        .values[0]
        .name
        for value in ("Completd", "Completed")
    }
    assert len(names) == 2


def test_a_value_that_is_not_there_yet_is_told() -> None:
    field = OutboundRule(
        event=COMPLETED, action=OutboundAction.SET_CUSTOM_FIELD, custom_field="X", value="{{nothing}}"
    )
    wanted = wanted_of(ORDER, [HappenedEvent(COMPLETED)], [field])
    assert not wanted.anything
    assert wanted.problems == ("completed: the work order has nothing yet for customFields.X.",)


def test_every_closed_stay_has_one_entry_however_many_rules() -> None:
    other = TIME.model_copy(update={"event": APPROVED})
    happened = [HappenedEvent(COMPLETED), HappenedEvent(APPROVED)]
    wanted = times_wanted(ORDER, happened, [TIME, other], ())
    [entry] = wanted.times
    assert (entry.start, entry.end) == ("2026-12-01T14:00:00Z", "2026-12-01T16:00:00Z")
    assert entry.text == "2 h\n\n[FN-7-time-1]"
    assert not times_wanted(ORDER, happened, [TIME], {"time-1"}).anything
    assert not times_wanted(ORDER, [HappenedEvent(APPROVED)], [TIME], ()).anything
    assert stays_without_rule(ORDER, []) == {"time-1"}
    assert stays_without_rule(ORDER, [TIME]) == frozenset()


def test_a_stay_that_ends_before_it_begins_is_told() -> None:
    order = {**ORDER, "time_logs": {"results": [stay(1, "14:00:00", "13:00:00")]}}
    wanted = times_wanted(order, [HappenedEvent(COMPLETED)], [TIME], ())
    assert not wanted.times
    assert "can't be entered" in wanted.problems[0]


@pytest.mark.parametrize(("member", "named"), [("", {}), ("mia", {"member": {"identifier": "mia"}})])
def test_a_time_entry_is_charged_to_the_ticket(member: str, named: dict[str, Any]) -> None:
    [entry] = times_wanted(ORDER, [HappenedEvent(COMPLETED)], [TIME], ()).times
    charge = {"chargeToType": "ServiceTicket", "chargeToId": 5}
    body = time_entry(entry, charge, TimeEntrySettings(member=member))
    assert body == {
        **charge,
        "timeStart": entry.start,
        "timeEnd": entry.end,
        "billableOption": "DoNotBill",
        "notes": entry.text,
        **named,
    }


def test_ones_own_mapping_writes_only_what_changed() -> None:
    lines = [
        DispatchMapping(target="customFields.Who", source="provider.name"),
        DispatchMapping(target="discussionNote", source="closing_notes"),
        DispatchMapping(target="actualHours", source="time_logs.results[0].hours"),
    ]
    wanted, found = mapped_of(ORDER, lines, {})
    assert [(value.target, value.value) for value in wanted.values] == [("customFields.Who", "Bo Li")]
    assert [(note.place, note.text.partition("\n")[0]) for note in wanted.notes] == [
        ("discussion", "Swapped")
    ]
    assert "actualHours" in wanted.problems[0]
    again, _ = mapped_of(ORDER, lines, found)
    assert not again.anything
    changed, _ = mapped_of({**ORDER, "closing_notes": "More"}, lines, found)
    assert changed.notes[0].name != wanted.notes[0].name


def test_a_rule_counts_before_a_mapping_for_one_target() -> None:
    rule = OutboundRule(event=APPROVED, action=STATUS, value="Completed")
    line = DispatchMapping(target="status.name", source="closing_notes")
    both = joined(wanted_of(ORDER, [HappenedEvent(APPROVED)], [rule]), mapped_of(ORDER, [line], {})[0])
    assert [value.value for value in both.values] == ["Completed"]


def test_texts_are_filled_by_expressions() -> None:
    assert filled("{{id}}: {{ provider.name }}{{nothing}} ", {"id": 7, "provider": {"name": "Bo"}}) == "7: Bo"
    with pytest.raises(ValueError, match="not a single value"):
        filled("{{provider}}", {"provider": {"name": "Bo"}})
    wrong = OutboundRule(event=COMPLETED, action=NOTE, value="{{a[}}")
    assert "is not a JMESPath expression" in rules_problems([wrong])[0]
    assert rules_problems(default_outbound_rules()) == []


def test_markup_comes_back_as_text_in_every_target() -> None:
    lines = [
        DispatchMapping.model_validate({"target": target, "source": "closing_notes"})
        for target in ("customFields.Closing", "summary", "internalNote")
    ]
    order = {**ORDER, "closing_notes": "<p>Serial <SN1> &amp; rack</p><p>temp < 5</p>"}
    wanted, _ = mapped_of(order, lines, {})
    assert [each.value for each in wanted.values] == ["Serial <SN1> & rack\ntemp < 5"] * 2
    assert "Serial <SN1> & rack\ntemp < 5" in wanted.notes[0].text


@pytest.mark.parametrize(
    "expression", ["[" * 1990, "[" * 5000, "a" + "[0]" * 150, "@" + " | [@,@][]" * 24, "a[::0]"]
)
def test_an_expression_over_a_limit_is_refused_when_the_rules_are_saved(expression: str) -> None:
    rule = OutboundRule(event=APPROVED, action=NOTE, value="Done: {{" + expression + "}}")
    (problem,) = rules_problems([rule])
    assert len(problem) < 500


def test_brackets_that_are_no_blank_stay_in_the_text() -> None:
    rule = OutboundRule(event=APPROVED, action=NOTE, value="}} and {{ are brackets")
    assert rules_problems([rule]) == []
    assert filled(rule.value, {}) == rule.value


def test_what_a_rule_makes_of_a_work_order_is_bounded() -> None:
    with pytest.raises(ValueError, match="more than 200,000 characters"):
        filled("{{a}}" * 1000, {"a": "x" * 1000})
    with pytest.raises(ValueError, match="invalid type") as told:
        filled("{{starts_with(b, b)}}", {"b": ["y" * 1000] * 300})
    assert len(str(told.value)) <= 300


def test_moments_and_long_texts_come_back_as_connectwise_takes_them() -> None:
    """A date goes out as ConnectWise writes it; a summary is cut where a person sees no half letter."""
    lines = (
        DispatchMapping(target="dateResolved", source="milestones.workdone.utc"),
        DispatchMapping(target="summary", source="title"),
    )
    order = {
        **ORDER,
        "milestones": {"workdone": {"utc": "2026-12-01 17:00:00"}},
        "title": "x" * 98 + "👍🏽 done",
    }
    wanted, found = mapped_of(order, lines, {})
    assert [(each.target, each.value) for each in wanted.values] == [
        ("dateResolved", "2026-12-01T17:00:00Z"),
        ("summary", "x" * 98 + "…"),
    ]
    assert wanted.problems == ("summary: ConnectWise takes 100 characters, so the text was cut.",)
    assert mapped_of(order, lines, found)[0].values == ()
    bad = {**order, "milestones": {"workdone": {"utc": "soon"}}, "title": "short"}
    wanted, _ = mapped_of(bad, lines, {})
    assert [each.target for each in wanted.values] == ["summary"]
    assert wanted.problems == ("dateResolved: 'soon' is no date and time.",)


@pytest.mark.parametrize("null", ["0001-01-01 00:00:00", "0000-00-00 00:00:00", "-0001-11-30 00:00:00"])
def test_a_stay_whose_end_is_a_null_date_lasts(null: str) -> None:
    log = stay(1, "14:00:00", "16:00:00") | {"out": {"created": {"utc": null}}}
    lasting = {**ORDER, "time_logs": {"results": [log]}}
    assert times_wanted(lasting, [HappenedEvent(COMPLETED)], [TIME], ()) == WantedActions()

"""What has happened to a work order: each event once and in order, whenever one looks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.dispatch.settings import DispatchSettings
from tasks.dispatch.state import _work_order_state, _work_order_value
from tasks.rules.dispatch.events import (
    OutboundAction,
    OutboundRule,
    WorkOrderEvent,
    WorkOrderState,
    closed_logs,
    counted_milestones,
    events_of,
    open_events,
    status_doubt,
)

STATUSES = {
    "Draft": 1, "Published": 2, "Assigned": 3, "Work Done": 4, "Approved": 5, "Paid": 6, "Cancelled": 7,
}  # fmt: skip


def utc(minute: int) -> str:
    return f"2026-12-01 {minute // 60:02}:{minute % 60:02}:00"


class Life:
    """A work order, and what truly happened to it."""

    def __init__(self) -> None:
        self.minute = 0
        self.status, self.code = "Draft", ""
        self.milestones: dict[str, str] = {"created": utc(0)}
        self.logs: list[dict[str, Any]] = []
        self.truth: list[str] = ["created"]
        self.counts: dict[str, int] = {"created": 1}

    def step(self, choice: int) -> None:
        self.minute += 1
        steps = getattr(self, f"_in_{self.status.lower().replace(' ', '_')}")()
        steps[choice % len(steps)]()

    def shown(self) -> dict[str, Any]:
        status = {"id": STATUSES[self.status], "name": self.status, "code": self.code}
        return {
            "id": 7,
            "status": status,
            "milestones": {name: {"utc": at} for name, at in self.milestones.items()},
            "time_logs": {"results": [dict(log) for log in self.logs]},
        }

    def _to(self, status: str, milestone: str, event: str) -> None:
        self.status, self.code = status, ""
        self.milestones[milestone] = utc(self.minute)
        self._tell(event)

    def _tell(self, event: str) -> None:
        number = self.counts[event] = self.counts.get(event, 0) + 1
        self.truth.append(event if number == 1 else f"{event}-{number}")

    def _in_draft(self) -> list[Any]:
        return [lambda: self._to("Published", "published", "published")]

    def _in_published(self) -> list[Any]:
        return [lambda: self._to("Assigned", "assigned", "assigned")]

    def _in_assigned(self) -> list[Any]:
        if self.logs and "out" not in self.logs[-1]:
            return [self._check_out]
        return [self._check_in, lambda: self._to("Work Done", "workdone", "completed"), self._give_back]

    def _in_work_done(self) -> list[Any]:
        return [lambda: self._to("Approved", "approved", "approved"), self._incomplete]

    def _in_approved(self) -> list[Any]:
        return [lambda: self._to("Paid", "paid", "paid")]

    def _in_paid(self) -> list[Any]:
        return [lambda: None]

    def _check_in(self) -> None:
        self.code = "checked_in"
        self.logs.append({"id": len(self.logs) + 70, "in": {"created": {"utc": utc(self.minute)}}})
        self._tell("checked_in")

    def _check_out(self) -> None:
        self.code = "checked_out"
        self.logs[-1]["out"] = {"created": {"utc": utc(self.minute)}}
        self._tell("checked_out")

    def _give_back(self) -> None:
        self.status, self.code = "Published", ""

    def _incomplete(self) -> None:
        self.status = "Assigned"
        self.milestones.pop("workdone")


@given(st.lists(st.integers(0, 5), max_size=25))
@settings(max_examples=60)
def test_who_looks_after_each_step_sees_everything_once_and_in_order(choices: list[int]) -> None:
    life, known, told = Life(), WorkOrderState(), list[str]()
    for choice in [*choices, 0]:
        order = life.shown()
        new = open_events(order, known)
        told += [each.key for each in new]
        known = WorkOrderState(counted_milestones(order, known), known.handled | {each.key for each in new})
        life.step(choice)
    assert told == life.truth[: len(told)]
    assert len(told) >= len(life.truth) - 1


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), max_size=25))
@settings(max_examples=60)
def test_who_looks_now_and_then_and_is_killed_sees_nothing_twice(steps: list[tuple[int, bool, bool]]) -> None:
    """A kill loses what was handled, not what was counted before: the same keys come again."""
    life, known, done = Life(), WorkOrderState(), list[str]()
    for choice, looks, killed in [*steps, (0, True, False)]:
        life.step(choice)
        if not looks:
            continue
        order = life.shown()
        counted = WorkOrderState(counted_milestones(order, known), known.handled)
        known = _work_order_state(_work_order_value(counted))
        new = [each.key for each in open_events(order, known)]
        # The ledger's effects: a key that was done before is not done again.
        done += [key for key in new if key not in done]
        if not killed:
            known = WorkOrderState(known.milestones, known.handled | set(new))
    assert len(done) == len(set(done))
    assert set(done) <= set(life.truth)
    lasting = {f"{name}" for name in ("published", "checked_in", "approved", "paid")}
    assert lasting & set(life.truth) <= set(done)
    assert open_events(life.shown(), known) == []


def test_order_of_a_whole_life_seen_at_once() -> None:
    life = Life()
    for choice in (0, 0, 0, 0, 1, 0, 0):
        life.step(choice)
    assert [each.key for each in events_of(life.shown(), WorkOrderState())] == [
        "created", "published", "assigned", "checked_in", "checked_out", "completed", "approved", "paid",
    ]  # fmt: skip
    assert [log["id"] for log in closed_logs(life.shown())] == [70]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("WORK_DONE", "completed"), (" work  done ", "completed"), ("Approved", "approved"), ("PAID", "paid")],
)
def test_a_status_without_its_milestone_counts_once(name: str, expected: str) -> None:
    order = {"id": 7, "status": {"name": name}}
    [event] = open_events(order, WorkOrderState())
    assert event.key == expected
    known = WorkOrderState(counted_milestones(order, WorkOrderState()), frozenset({expected}))
    workdone = {"completed": "workdone"}.get(expected, expected)
    later = {**order, "milestones": {workdone: {"utc": utc(5)}}}
    assert open_events(later, known) == []


def test_what_was_taken_back_does_not_count() -> None:
    order = {
        "status": {"name": "Cancelled"},
        "milestones": {name: {"utc": utc(at)} for at, name in enumerate(("created", "assigned", "canceled"))},
    }
    assert [each.event for each in events_of(order, WorkOrderState())] == [
        WorkOrderEvent.CREATED, WorkOrderEvent.CANCELLED,
    ]  # fmt: skip


def test_on_the_way_counts_once_an_assignment() -> None:
    order = {"status": {"name": "Assigned", "code": "on_my_way"}, "milestones": {"assigned": {"utc": utc(1)}}}
    assert [each.key for each in events_of(order, WorkOrderState())] == ["assigned", "on_my_way"]
    again = {**order, "milestones": {"assigned": {"utc": utc(9)}}}
    known = WorkOrderState(counted_milestones(order, WorkOrderState()))
    assert [each.key for each in events_of(again, known)] == ["assigned-2", "on_my_way-2"]


def test_a_check_in_without_its_time_log_is_the_same_as_with_it() -> None:
    order = {"status": {"name": "Assigned", "code": "checked_in"}}
    log = {"id": 1, "in": {"created": {"utc": utc(3)}}}
    keys = [
        [each.key for each in events_of({**order, "time_logs": logs}, WorkOrderState())]
        for logs in (None, {"results": [log]})
    ]
    assert keys == [["assigned", "checked_in"], ["checked_in", "assigned"]]


@pytest.mark.parametrize(
    ("status", "doubted"),
    [
        ({"name": "Assigned", "id": 3}, False),
        ({"name": "Assigned", "id": 4}, True),
        ({"name": "Assigned"}, False),
        ({"name": "Odd", "id": 4}, False),
    ],
)
def test_a_number_that_contradicts_the_name_is_told(status: dict[str, Any], doubted: bool) -> None:
    assert bool(status_doubt({"status": status})) is doubted


def test_the_default_rule_for_time_entries_is_off_and_says_what_it_bills() -> None:
    default = DispatchSettings()
    entries = [each for each in default.outbound_rules if each.action is OutboundAction.ADD_TIME_ENTRY]
    assert [(each.event, each.enabled) for each in entries] == [(WorkOrderEvent.COMPLETED, False)]
    assert not set(entries) & set(default.active_rules())
    assert "DoNotBill" in str(OutboundRule.model_fields["enabled"].description)
    stored = {"event": "assigned", "action": "add internal note"}
    assert OutboundRule.model_validate(stored).enabled


@pytest.mark.parametrize("null", ["0001-01-01 00:00:00", "0000-00-00 00:00:00", "-0001-11-30 00:00:00", ""])
def test_a_null_date_is_no_event(null: str) -> None:
    """A milestone or the end of a stay that is written as year 0 or 1 has not happened."""
    names = ("created", "published", "routed", "assigned", "workdone", "approved", "paid", "canceled")
    log = {"id": 1, "in": {"created": {"utc": utc(5)}}, "out": {"created": {"utc": null}}}
    order = {
        "id": 7,
        "status": {"id": 3, "name": "Assigned"},
        "milestones": {name: {"utc": utc(1) if name == "created" else null} for name in names},
        "time_logs": {"results": [log, {"id": 2, "in": {"created": {"utc": null}}}]},
    }
    assert [each.key for each in events_of(order, WorkOrderState())] == ["created", "checked_in", "assigned"]
    assert closed_logs(order) == []

"""The campaign in short, and that it notices what it is there to notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.dispatch_campaign.campaign import drawn_ledger, run_campaign
from benchmarks.dispatch_campaign.oracle import Oracle
from benchmarks.dispatch_campaign.stories import (
    LIFE,
    OPPORTUNITY,
    OPPORTUNITY_PLOTS,
    PLOTS,
    Step,
    Story,
    draw_stories,
)

SEED = 5


@pytest.mark.slow
def test_twenty_tickets_come_through_the_storm(tmp_path: Path) -> None:
    console = Console(width=160)
    assert run_campaign(SEED, 20, tmp_path / "campaign", console) == []


def test_a_seed_draws_the_same_stories_again() -> None:
    def drawn(seed: int) -> list[Story]:
        return draw_stories(seed, range(1, 31), range(31, 34), 30, 20.0, range(1, 4))

    assert drawn(SEED) == drawn(SEED)
    assert drawn(SEED) != drawn(SEED + 1)
    tickets = [story for story in drawn(SEED) if story.kind != OPPORTUNITY]
    assert sum(bool(story.plot) for story in tickets) == 30


def test_a_hundred_tickets_hold_every_plot_and_every_step_of_a_life() -> None:
    stories = draw_stories(SEED, range(1, 111), range(111, 121), 100, 20.0, range(1, 11))
    tickets = [story for story in stories if story.kind != OPPORTUNITY]
    assert {story.plot for story in tickets} == {*PLOTS, ""}
    assert {story.plot for story in stories if story.kind == OPPORTUNITY} == {*OPPORTUNITY_PLOTS}
    in_connectwise = {"status", "summary", "date", "note", "delete", "merge"}
    assert {step.what for story in stories for step in story.steps} == {*LIFE, *in_connectwise, "message"}


def test_a_ticket_is_merged_into_one_that_is_never_dispatched() -> None:
    stories = draw_stories(SEED, range(1, 111), range(111, 121), 100, 20.0)
    merges = [(story.kind, step.value) for story in stories for step in story.steps if step.what == "merge"]
    into = {(kind, int(number)) for kind, number in merges}
    assert into
    assert into <= {(story.kind, story.ticket) for story in stories if not story.plot}


def test_both_kinds_of_ledger_are_drawn() -> None:
    assert {drawn_ledger(seed) for seed in range(20)} == {"sqlite", "postgresql"}


class OneTicket:
    """A sandbox that holds one ticket and what is given of its work orders and notes."""

    def __init__(self, orders: list[dict[str, Any]], notes: list[str], status: str = "Dispatch") -> None:
        ticket = {"id": 7, "status": {"name": status}, "customFields": []}
        self._held: dict[str, list[dict[str, Any]]] = {
            "service/tickets": [ticket],
            "service/tickets/notes": [{"ticketId": 7, "text": text} for text in notes],
            "field_nation/work_orders": orders,
        }

    def state(self, collection: str) -> list[dict[str, Any]]:
        return self._held.get(collection, [])


def order(number: int, *messages: str, status: str = "Published", **changes: Any) -> dict[str, Any]:
    shown = [{"message": text} for text in messages]
    kept = {"title": "[CW-S-7] No link", "incident_id": "CW-S-7", "messages": {"results": shown}}
    return {"id": number, "status": {"name": status}, **kept, **changes}


def faults(story: Story, orders: list[dict[str, Any]], notes: list[str], **more: str) -> str:
    sandbox: Any = OneTicket(orders, ["Please bring a ladder.", *notes], **more)
    return "\n".join(Oracle(sandbox).faults([story]))


OF_PROJECT = {"title": "[CW-P-7] No link", "incident_id": "CW-P-7"}
ENTERS = Step(0.0, "status", "Dispatch")
PLAIN = Story("service", 7, "stays", (ENTERS,))
NOTED = Story(
    "service", 7, "stays", (ENTERS, Step(1.0, "note", "the gate code"), Step(2.0, "message", "late"))
)


@pytest.mark.parametrize(
    ("story", "orders", "notes", "fault"),
    [
        (PLAIN, [], [], "0 living work orders"),
        (PLAIN, [order(1), order(2)], [], "2 living work orders"),
        (PLAIN, [order(1, status="Cancelled")], [], "0 living work orders"),
        (PLAIN, [order(1, incident_id="CW-S-8")], [], "says 'CW-S-8'"),
        (PLAIN, [order(1, incident_id="")], [], "says ''"),
        (PLAIN, [order(1), order(2, title="[CW-S-9] x", incident_id="")], [], "that no ticket has"),
        (PLAIN, [order(1, status="Assigned")], [], "work order 1 is Assigned"),
        (PLAIN, [order(1)], ["an echo"], "ConnectWise has 2 notes"),
        (PLAIN, [order(1, "an echo")], [], "Field Nation has 1 messages"),
        (NOTED, [order(1, "late")], ["the gate code", "late"], "'the gate code' is 0 times in Field Nation"),
        (NOTED, [order(1, "late", "the gate code")], ["the gate code", "late", "late"], "'late' is 2 times"),
        (Story("service", 7, "", ()), [order(1)], [], "has 1 work orders"),
        (Story("service", 7, "leaves", (ENTERS,)), [order(1)], [], "1 living work orders instead of 0"),
        (Story("service", 7, "leaves", (ENTERS,)), [order(1, "x", status="Cancelled")], [], "nobody wrote"),
        (Story("service", 7, "deleted", (ENTERS,)), [], [], "0 living work orders instead of 1"),
        (Story("service", 7, "null date", (ENTERS,)), [order(1), order(2)], [], "instead of 0 or 1"),
        (Story("service", 7, "merged", (ENTERS,)), [order(1)], [], "instead of 'Closed'"),
        (Story("service", 7, "merged", (ENTERS,)), [], [], "0 living work orders instead of 1"),
        (
            Story("project", 7, "merged", (ENTERS,)),
            [order(1, **OF_PROJECT)],
            [],
            "1 living work orders instead of 0",
        ),
        (Story("service", 7, "changed", (ENTERS, Step(1, "summary", "Swap"))), [order(1)], [], "its summary"),
    ],
)
def test_the_truth_notices(story: Story, orders: list[dict[str, Any]], notes: list[str], fault: str) -> None:
    assert fault in faults(story, orders, notes)


def test_the_truth_is_content_with_what_is_right() -> None:
    assert faults(PLAIN, [order(1)], []) == ""
    assert faults(PLAIN, [order(1, status="Cancelled"), order(2)], []) == ""
    assert faults(NOTED, [order(1, "late", "the gate code")], ["the gate code", "late"]) == ""


def test_the_truth_notices_what_events_left_undone() -> None:
    story = Story("service", 7, "works", (ENTERS, *(Step(1.0, step) for step in LIFE)))
    told = faults(story, [order(1, status="Approved")], [])
    for fault in ("its status is 'Dispatch'", "0 notes say", "0 time entries", "FN check-in is None"):
        assert fault in told

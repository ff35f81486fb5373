"""Which callbacks and webhooks are made, changed, removed, kept and left alone."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.dispatch.events import WorkOrderEvent
from tasks.rules.dispatch.messages import callback_url, webhook_url
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.registration import (
    EVENTS,
    EntryMove,
    EntryStep,
    callback_moves,
    known_events,
    wanted_callbacks,
    wanted_events,
    webhook_moves,
)

URL = callback_url("https://hooks.example.com/")
HOOK = webhook_url("https://hooks.example.com")
ALL = list(RecordKind)


def entry(number: int, **changes: Any) -> dict[str, Any]:
    (made,) = wanted_callbacks([RecordKind.SERVICE_TICKET], URL)
    return {**made, "id": number, "memberId": 5} | changes


def hook(**changes: Any) -> dict[str, Any]:
    return {
        "webhookId": "w",
        "url": HOOK,
        "events": list(EVENTS),
        "status": "active",
        "method": "post",
    } | changes


def steps(moves: list[EntryMove]) -> list[EntryStep]:
    return [each.step for each in moves]


def test_the_addresses_are_those_of_the_vendors_rules() -> None:
    assert URL == "https://hooks.example.com/connectwise/callbacks?recordId="
    assert HOOK == "https://hooks.example.com/field-nation/webhooks"


def test_both_kinds_of_tickets_share_one_callback_for_every_record() -> None:
    tickets, opportunities = wanted_callbacks(ALL, URL)
    assert [tickets[name] for name in ("type", "level", "objectId")] == ["Ticket", "Owner", 1]
    assert opportunities["type"] == "Opportunity"
    assert wanted_callbacks([RecordKind.PROJECT_TICKET], URL) == [tickets]
    assert wanted_callbacks([], URL) == []


def test_boards_take_the_place_of_every_ticket() -> None:
    found = wanted_callbacks(ALL, URL, boards=[7, 9, 7])
    assert [(each["type"], each["level"], each["objectId"]) for each in found] == [
        ("Ticket", "Board", 7),
        ("Ticket", "Board", 9),
        ("Opportunity", "Owner", 1),
    ]


def test_what_is_there_in_any_case_is_kept_and_what_is_elsewhere_is_left() -> None:
    wanted = wanted_callbacks([RecordKind.SERVICE_TICKET], URL)
    there = [entry(1, type="ticket", level="owner"), entry(2, url="https://other.example/?recordId=")]
    assert steps(callback_moves(there, wanted, URL)) == [EntryStep.KEEP, EntryStep.LEAVE]


def test_an_entry_that_is_off_or_of_another_level_is_made_anew() -> None:
    wanted = wanted_callbacks([RecordKind.SERVICE_TICKET], URL)
    for wrong in (entry(1, inactiveFlag=True), entry(1, isSelfSuppressedFlag=False), entry(1, level="Board")):
        assert steps(callback_moves([wrong], wanted, URL)) == [EntryStep.REMOVE, EntryStep.CREATE]


def test_nothing_wanted_removes_ours_alone() -> None:
    there = [entry(1), entry(2, url="https://other.example/?recordId=")]
    assert steps(callback_moves(there, [], URL)) == [EntryStep.REMOVE, EntryStep.LEAVE]
    assert steps(webhook_moves([hook(), hook(url="https://other.example")], [], HOOK)) == [
        EntryStep.REMOVE,
        EntryStep.LEAVE,
    ]


@given(
    st.lists(
        st.builds(
            entry,
            st.integers(1, 99),
            level=st.sampled_from(["Owner", "owner", "Board"]),
            inactiveFlag=st.booleans(),
            url=st.sampled_from([URL, "https://other.example/"]),
        ),
        max_size=5,
        unique_by=lambda each: each["id"],
    ),
    st.booleans(),
)
def test_carried_out_once_there_is_nothing_left_to_do(there: list[dict[str, Any]], by_board: bool) -> None:
    wanted = wanted_callbacks(ALL, URL, boards=[7] if by_board else [])
    moves = callback_moves(there, wanted, URL)
    gone = [each.found for each in moves if each.step is EntryStep.REMOVE]
    made = [{**each.body, "id": 100 + n} for n, each in enumerate(moves) if each.step is EntryStep.CREATE]
    after = [each for each in there if each not in gone] + made
    assert set(steps(callback_moves(after, wanted, URL))) <= {EntryStep.KEEP, EntryStep.LEAVE}
    assert [each for each in after if each["url"] != URL] == [each for each in there if each["url"] != URL]


def test_a_webhook_is_made_kept_or_mended() -> None:
    (made,) = webhook_moves([], EVENTS, HOOK)
    assert (made.step, made.body) == (EntryStep.CREATE, {"events": list(EVENTS)})
    assert steps(webhook_moves([hook(events=list(reversed(EVENTS)))], EVENTS, HOOK)) == [EntryStep.KEEP]
    (mended,) = webhook_moves([hook(status="inactive", events=["workorder.created"])], EVENTS, HOOK)
    assert (mended.step, mended.body) == (EntryStep.CHANGE, {"events": list(EVENTS), "status": "active"})


def test_a_second_webhook_of_ours_is_removed_and_a_new_secret_is_sent() -> None:
    moves = webhook_moves([hook(), hook(webhookId="w2")], EVENTS, HOOK, secret="s")
    assert steps(moves) == [EntryStep.CHANGE, EntryStep.REMOVE]
    assert moves[0].body == {"secret": "s"}


def test_events_that_the_vendor_does_not_have_are_told() -> None:
    names, unknown = known_events(EVENTS, [{"name": each} for each in EVENTS[1:]])
    assert (names, unknown) == (list(EVENTS[1:]), [EVENTS[0]])


def test_our_own_steps_are_asked_for_only_where_a_rule_acts_on_them() -> None:
    assert wanted_events([WorkOrderEvent.ASSIGNED]) == list(EVENTS)
    assert wanted_events([WorkOrderEvent.PUBLISHED])[-1] == "workorder.status.published"

"""One ticket's bad value beside good ones: a problem of that ticket in words, and all others are done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from connectors.connectwise.collection import Collection
from tasks.dispatch import reconcile
from tasks.dispatch.records import FetchedRecord
from tasks.dispatch.settings import DispatchSettings
from tasks.dispatch.sweep import sweep
from tasks.rules.dispatch.decision import DispatchStep
from tasks.rules.dispatch.mapping_model import DispatchMapping
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.dispatch import OPEN, SERVICE, Board, rules

pytestmark = pytest.mark.anyio

START = "schedule.service_window.start"
AMOUNT = "pay.base.amount"


def with_lines(*given: dict[str, Any]) -> DispatchSettings:
    """The usual rules with these lines in the place of those of the same targets."""
    usual = rules().mappings_of(SERVICE).inbound
    own = [DispatchMapping.model_validate(each) for each in given]
    targets = {each.target for each in own}
    lines = [*(each for each in usual if each.target not in targets), *own]
    return rules(mappings={SERVICE.value: {"inbound": lines}})


async def test_a_date_and_a_number_out_of_range_are_the_problems_of_their_tickets(board: Board) -> None:
    date = {
        "target": START,
        "action": "Date Convert",
        "source": "requiredDate",
        "timezone_out": "America/Los_Angeles",
    }
    script = "summary == '1e400' && floor(to_number(summary)) || `150`"
    settings = with_lines(date, {"target": AMOUNT, "action": "Custom", "script": script})
    good = [board.ticket(f"Good {number}") for number in range(3)]
    bad = [board.ticket("Bad date", requiredDate="0001-01-01T00:00:00Z"), board.ticket("1e400")]
    good += [board.ticket(f"Good {number}") for number in range(3, 8)]
    async with board.run(settings) as run:
        first = await sweep(run)
        assert first.counts() == {DispatchStatus.CREATED: 8, DispatchStatus.REFUSED: 2}
        problems = {each.record.id: each.message for each in first.results if each.failed and each.record}
    assert sorted(problems) == bad
    assert "start date and time" in problems[bad[0]]
    assert problems[bad[1]].startswith(f"{AMOUNT}: ")
    assert "has no value (OverflowError). The work order lacks" in problems[bad[1]]
    assert len(board.orders()) == 8
    async with board.run(settings, later=60) as run:
        second = await sweep(run)
    # Nothing is left over for another sweep: only the two are looked at again, and sent nowhere.
    assert second.counts() == {DispatchStatus.REFUSED: 2}
    assert len(board.orders()) == 8


async def test_what_nobody_has_foreseen_is_held_until_the_record_or_the_rules_change(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = board.ticket("Bad"), [board.ticket(f"Good {number}") for number in range(4)]
    looks: list[int] = []
    related = reconcile.with_related

    async def fails(run: Any, fetched: FetchedRecord) -> FetchedRecord:
        looks.append(fetched.ref.id)
        if fetched.ref.id == bad:
            raise RecursionError("maximum recursion depth exceeded")
        return await related(run, fetched)

    monkeypatch.setattr(reconcile, "with_related", fails)
    async with board.run() as run:
        swept = await sweep(run)
        assert swept.counts() == {DispatchStatus.CREATED: 4, DispatchStatus.REFUSED: 1}
        [problem] = [each.message for each in swept.results if each.failed]
        assert problem.startswith("it could not be handled: it is nested too deeply (RecursionError")
        # How far it came went on: good tickets are not read again for the sake of the bad one.
        assert await run.state.swept_until(SERVICE) is not None
    looks.clear()
    async with board.run(later=60) as run:
        board.sandbox.clear_requests()
        again = await sweep(run)
        [held] = again.results
        assert (held.status, held.record and held.record.id) == (DispatchStatus.REFUSED, bad)
        assert held.message.startswith("held since 20")
        assert "nested too deeply" in held.message
    assert looks == []
    async with board.run(rules(create_state="publish"), later=60) as run:
        await sweep(run)
    assert bad in looks, "other rules"
    looks.clear()
    # Times count by the second.
    await anyio.sleep(1.1)
    monkeypatch.undo()
    board.change(bad, summary="Mended")
    async with board.run(rules(create_state="publish"), later=60) as run:
        assert (await sweep(run)).counts()[DispatchStatus.CREATED] == 1
        assert await run.refusals.held() == {}
    assert sorted(each["incident_id"] for each in board.orders()) == sorted(
        f"CW-S-{number}" for number in [bad, *good]
    )


async def test_a_preview_says_what_nobody_has_foreseen(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = board.ticket("Bad")

    async def fails(run: Any, fetched: FetchedRecord) -> FetchedRecord:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(reconcile, "with_related", fails)
    async with board.run() as run:
        preview = await reconcile.preview_record(run, SERVICE, ticket)
    assert (preview.step, preview.body) == (DispatchStep.NOTHING, None)
    assert preview.reason == (
        "it could not be handled: it can't be reckoned with (ZeroDivisionError: division by zero)"
    )
    assert board.orders() == []


HOSTILE: list[tuple[str, Any]] = [
    ("summary", None),
    ("summary", True),
    ("summary", ["a", {"b": 1}]),
    ("summary", "x" * 1_000_000),
    ("summary", "\u0000\u202e \ufffd"),
    ("summary", -(10**18)),
    ("company", None),
    ("company", "BlueLight"),
    ("company", [1]),
    ("site", {"id": "seven"}),
    ("contact", {"id": -1}),
    ("contact", {"id": 0, "name": None}),
    ("board", {"id": None, "name": 5}),
    ("requiredDate", "9999-12-31T23:59:59+23:59"),
    ("requiredDate", "9999-12-31T23:59:59-12:00"),
    ("requiredDate", "0000-00-00T00:00:00Z"),
    ("requiredDate", 1e300),
    ("budgetHours", -1e308),
    ("budgetHours", "NaN"),
    ("budgetHours", 2**63),
    ("customFields", None),
    ("customFields", "none"),
    ("customFields", [None, 3, {"id": None}, {"caption": ["a"]}, {"caption": "FN Work Order", "value": {}}]),
    ("customFields", [{"id": 1, "caption": "x", "value": "y"}] * 3000),
    ("owner", {"identifier": {"a": 1}}),
    ("priority", 3),
    ("recordType", 7),
    ("_info", None),
    ("_info", {"lastUpdated": "9999-12-31T23:59:59Z"}),
    ("_info", {"lastUpdated": 0}),
    ("closedFlag", "no"),
    ("status", {"id": [1], "name": {"x": 1}}),
]
"""What a vendor may send in one member of one ticket."""


def nested(levels: int) -> Any:
    value: Any = "end"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


async def test_no_value_of_one_ticket_keeps_its_neighbours_from_being_dispatched(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in one page with good ones, before and after: one sweep does all good ones."""
    hostile = {board.ticket(f"Odd {at}"): each for at, each in enumerate([*HOSTILE, ("notes", nested(900))])}
    good = [board.ticket(f"Good {number}") for number in range(5)]

    def spoilt(record: dict[str, Any]) -> dict[str, Any]:
        member, value = hostile.get(record["id"], ("id", record["id"]))
        return {**record, member: value}

    async with board.run() as run:
        whole = run.client.tickets("service")

        class Spoilt(Collection):
            async def pages(self, *given: Any, **search: Any) -> AsyncIterator[list[dict[str, Any]]]:  # type: ignore[override]
                async for page in super().pages(*given, **search):
                    yield [spoilt(each) for each in page]

            async def get(self, record_id: int, fields: str | None = None) -> dict[str, Any]:
                return spoilt(await super().get(record_id, fields))

        monkeypatch.setattr(run.client, "tickets", lambda kind: Spoilt(run.client, whole.path.template))
        first = await sweep(run)
        ended = {each.record.id: each for each in first.results if each.record}
        assert [ended[each].status for each in good] == [DispatchStatus.CREATED] * 5
        for number, (member, value) in hostile.items():
            if number in ended and ended[number].failed:
                assert ended[number].message, (member, value)
        # Nothing is made twice for what is looked at again.
        await sweep(run)
    references = [each["incident_id"] for each in board.orders()]
    assert len(references) == len(set(references))
    assert {f"CW-S-{each}" for each in good} <= set(references)


async def test_a_trigger_that_fails_on_one_ticket_leaves_the_others(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is in the ledger of a ticket that could not even be judged: it must not be lost."""
    bad = board.ticket("Bad", status=OPEN)
    board.ticket("Good")
    judge = type(rules().triggers[0]).matches

    def fails(trigger: Any, kind: Any, document: Any) -> bool:
        if document["id"] == bad:
            raise KeyError("status")
        return judge(trigger, kind, document)

    monkeypatch.setattr(type(rules().triggers[0]), "matches", fails)
    async with board.run() as run:
        swept = await sweep(run)
        assert swept.counts()[DispatchStatus.CREATED] == 1
        [problem] = [each for each in swept.results if each.failed]
        assert problem.message == "it could not be handled: it lacks a member (KeyError: 'status')"
        dry = await sweep(run, dry_run=True)
        [preview] = [each for each in dry.previews if each.ref.id == bad]
        assert preview.reason == problem.message
    monkeypatch.undo()
    async with board.run(rules(create_state="publish"), later=60) as run:
        assert not [each for each in (await sweep(run)).results if each.failed]
        assert await run.refusals.held() == {}

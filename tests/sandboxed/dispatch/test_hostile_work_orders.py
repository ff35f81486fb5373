"""Whatever one work order or message holds, the events and notes of its neighbours come back all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.dispatch.sweep import sweep_notes, sweep_work_orders
from tests.support.work_orders import FieldDesk, event_rules
from tests.unit.rules.dispatch.test_odd_shapes import deep

pytestmark = pytest.mark.anyio

HOSTILE: list[tuple[str, Any]] = [
    ("status", {"id": 2**63, "name": deep()}),
    ("status", {"id": -1, "name": True}),
    ("milestones", {"assigned": {"utc": "9999-12-31 23:59:59"}, "workdone": {"utc": deep()}}),
    ("time_logs", {"results": [None, {"id": None, "in": {"created": {"utc": "0000-00-00 00:00:00"}}}]}),
    (
        "time_logs",
        {"results": [{"id": deep(), "in": {"created": {"utc": 5}}, "out": {"created": {"utc": -5}}}]},
    ),
    ("closing_notes", ["a", deep()]),
    ("closing_notes", "x" * 1_000_000),
    ("custom_fields", {"results": deep()}),
    ("assignee", [1]),
    ("title", deep()),
    ("incident_id", {"a": 1}),
    ("messages", {"metadata": {"total": "many"}}),
]


async def test_one_work_orders_values_cost_its_own_events_alone(
    desk: FieldDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of them hold something that nothing can be made of, in the list as alone."""
    one = next(
        each for each in desk.sandbox.state("service/tickets") if each["board"]["name"] == "Field Services"
    )
    for _ in range(len(HOSTILE) + 3):
        desk.sandbox.add("service/tickets", {name: one[name] for name in one.keys() - {"id", "_info"}})
    async with desk.run(event_rules()) as run:
        numbers = [await desk.dispatched(run, place=at) for at in range(len(HOSTILE) + 3)]
        for _, number in numbers:
            desk.provider(number, "accept")
            desk.provider(number, "message", message="Which gate?")
        hostile = {number: each for (_, number), each in zip(numbers, HOSTILE, strict=False)}
        good = numbers[len(HOSTILE) :]
        get, listed, messages = (
            run.field_nation.get_work_order,
            run.field_nation.list_work_orders,
            run.field_nation.list_messages,
        )

        def spoilt(record: dict[str, Any]) -> dict[str, Any]:
            return {**record, **dict([hostile[record["id"]]])} if record["id"] in hostile else record

        async def spoilt_one(number: int, **options: Any) -> dict[str, Any]:
            return spoilt(await get(number, **options))

        async def spoilt_page(*given: Any, **options: Any) -> Any:
            page = await listed(*given, **options)
            page.items[:] = [spoilt(each) for each in page.items]
            return page

        async def spoilt_messages(number: int) -> list[dict[str, Any]]:
            found = await messages(number)
            return [{"msg_id": deep(), "message": deep()}, *found] if number in hostile else found

        monkeypatch.setattr(run.field_nation, "get_work_order", spoilt_one)
        monkeypatch.setattr(run.field_nation, "list_work_orders", spoilt_page)
        monkeypatch.setattr(run.field_nation, "list_messages", spoilt_messages)
        swept = await sweep_work_orders(run)
        assert [desk.status(ticket) for ticket, _ in good] == ["Assigned"] * 3
        assert len(swept.results) + swept.passed + swept.strangers == swept.listed + swept.unlisted
        copied = await sweep_notes(run)
        assert len(copied) == len(numbers)
        for ticket, _ in good:
            assert any("Which gate?" in each["text"] for each in desk.notes(ticket))
        # Seen again, nothing is done twice.
        await sweep_work_orders(run)
        await sweep_notes(run)
        monkeypatch.undo()
        await sweep_work_orders(run)
        await sweep_notes(run)
    for ticket, _ in numbers:
        assert desk.status(ticket) == "Assigned"
        assert len([each for each in desk.notes(ticket) if "Which gate?" in each["text"]]) == 1

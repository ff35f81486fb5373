"""Every work order that the sandbox serves, read as a strict client reads it: the vendor's whole model."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.field_nation.store import Status
from sandbox.field_nation.views import work_order
from tests.contract.test_field_nation_sandbox import busy_order, check, description
from tests.support.sandbox.field_nation import Place, place

pytestmark = pytest.mark.anyio
MODEL = {"$ref": "#/components/schemas/WorkOrderResponseDto"}
TO_PAID: tuple[tuple[str, dict[str, Any]], ...] = (
    ("accept", {"provider": 5001}),
    ("check-in", {"at": "2026-12-01T14:00:00+00:00"}),
    ("check-out", {"hours": 2}),
    ("work-done", {"closing_notes": "Done"}),
)


async def orders_of_every_status(at: Place) -> None:
    """One work order in each status of ``Status``, and one on which everything happened."""
    await at.rest("POST", "/workorders", {"title": "Bare"})
    published, routed, paid, approved, gone, cancelled, postponed, done = [await at.order() for _ in range(8)]
    await at.rest("POST", f"/workorders/{routed}/route", {"technician": {"id": 5001}})
    for number in (published, paid, approved, cancelled, postponed, done):
        await at.rest("POST", f"/workorders/{number}/publish")
    for number in (paid, approved, done):
        for step, given in TO_PAID:
            at.app.provider(number, step, given)
    for number in (paid, approved):
        await at.rest("POST", f"/workorders/{number}/approve")
    at.app.provider(paid, "pay", {})
    at.app.provider(postponed, "postpone", {})
    for number in (gone, cancelled):
        await at.rest("DELETE", f"/workorders/{number}", cancel_reason="closed")
    await busy_order(at)


async def test_a_strict_client_reads_every_work_order() -> None:
    async with place() as at:
        await orders_of_every_status(at)
        orders = list(at.world.field_nation.orders.values())
        assert {one.status for one in orders} == set(Status)
        faults_of = description().validator(MODEL)
        for one in orders:
            assert not faults_of(work_order(one)), (one.status, faults_of(work_order(one))[:5])


async def test_an_invoice_is_sent_with_the_approval_and_paid_with_the_payment() -> None:
    async with place() as at:
        await orders_of_every_status(at)
        shown = {}
        for one in at.world.field_nation.orders.values():
            invoice = work_order(one)["pay"]["invoice"]
            check(invoice, {"$ref": "#/components/schemas/PayInvoiceDto"})
            shown[one.status] = [bool(invoice["id"]), *(bool(invoice[at]["utc"]) for at in ("sent", "paid"))]
        assert shown.pop(Status.PAID) == [True, True, True]
        assert shown.pop(Status.APPROVED) == [True, True, False]
        assert all(one == [False, False, False] for one in shown.values())


async def test_a_draft_without_a_schedule_and_an_open_time_log_have_empty_moments() -> None:
    empty = {"utc": "", "local": {"date": "", "time": ""}}
    async with place() as at:
        bare = (await at.rest("POST", "/workorders", {"title": "Bare"})).json()
        assert bare["schedule"]["service_window"] == {"mode": "exact", "start": empty, "end": empty}
        busy = (await at.rest("GET", f"/workorders/{await busy_order(at)}")).json()
        ended, running = busy["time_logs"]["results"]
        assert ended["out"]["created"]["utc"] == "2026-12-01 15:30:00"
        assert running["out"]["created"] == empty
        assert (ended["status"], running["status"]) == ("checked_out", "checked_in")

"""Handles the inbox's messages about work orders, and looks for notes after those about records."""

from __future__ import annotations

from tasks.dispatch.back import Back, talk_name
from tasks.dispatch.bringing_back import bring_back
from tasks.dispatch.copying_notes import copy_notes
from tasks.dispatch.inbox import Handled
from tasks.dispatch.run import DispatchRun, Result
from tasks.progress import run_logger


async def handle_work_order(run: DispatchRun, work_order_id: int) -> Handled:
    """Brings a work order back, and copies notes if it has other messages than when they were last copied.

    Raises:
        ConnectorError: as ``bring_back``.
    """
    back = await bring_back(run, work_order_id)
    _say(back)
    if back.again or back.result is Result.OUTSIDE or not await _talked(run, back):
        return _handled(back)
    return await handle_notes(run, work_order_id)


async def handle_notes(run: DispatchRun, work_order_id: int) -> Handled:
    """Copies the notes of a work order and its record."""
    back = await copy_notes(run, work_order_id)
    _say(back)
    return _handled(back)


async def _talked(run: DispatchRun, back: Back) -> bool:
    if not run.settings.notes.to_connectwise:
        return False
    before = await run.ledger.watermark(run.tenant, talk_name(back.work_order_id))
    seen = 0 if before is None else before.get("messages")
    return back.messages is None or back.messages != seen


def _handled(back: Back) -> Handled:
    busy = back.result is Result.BUSY
    return Handled(not back.again, back.message, back.retry_after, passing=back.again, busy=busy)


def _say(back: Back) -> None:
    if back.result not in (Result.UNCHANGED, Result.OUTSIDE, Result.BUSY):
        run_logger().info("%s", back)

"""Looks in Field Nation for the work order of a record: by the title's reference, and by date of creation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from connectors.errors import RejectedError
from connectors.ledger.dispatch_models import Intent
from tasks.dispatch.run import DispatchRun, Record
from tasks.rules.dispatch_adoption import COLUMNS, Adoption, adoptable
from tasks.rules.dispatch_reference import carries

DAY = "%Y-%m-%d"
LATEST = timedelta(days=2)
"""What a creation made bears a date of creation before that; so the list of an old one does not grow."""


def number_on(run: DispatchRun, record: Record | None) -> int | None:
    """The work order's number that was written to the record once its work order existed."""
    caption = run.settings.write_back.custom_field
    fields = (record or {}).get("customFields") or []
    texts = [str(each.get("value") or "").strip() for each in fields if each.get("caption") == caption]
    return next((int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19), None)


async def look(run: DispatchRun, intent: Intent, told: int | None = None) -> Adoption:
    """The work order that carries the intent's reference and belongs to no other intent.

    After a creation was sent those made since are listed too: a title may have been edited, and the search
    may not look into the Incident ID. Two requests, more where many were made.

    Args:
        told: the number that the record itself bears, which is looked at too: one request more.
    """
    found = {int(each["id"]): each for each in await _by_title(run, intent.reference)}
    if told is not None and told not in found:
        found |= {int(each["id"]): each for each in await _by_number(run, told)}
    if intent.sent_at is not None:
        until = min(run.now(), intent.sent_at + LATEST)
        found |= {int(each["id"]): each for each in await _since(run, intent.sent_at, until)}
    ours = [each for each in found.values() if carries(each, intent.reference)]
    taken = await _taken(run, intent, (int(each["id"]) for each in ours))
    return adoptable(ours, intent.reference, since=intent.sent_at, taken=taken)


async def created_since(run: DispatchRun, days: int) -> list[Record]:
    """Every work order that was made in the last days, whole days in UTC."""
    return await _since(run, run.now() - timedelta(days=days), run.now())


async def _by_title(run: DispatchRun, reference: str) -> list[Record]:
    return await run.field_nation.search_work_orders(reference, columns=COLUMNS)


async def _by_number(run: DispatchRun, number: int) -> list[Record]:
    try:
        return [await run.field_nation.get_work_order(number, columns=COLUMNS)]
    except RejectedError as error:
        if error.status in (401, 404):
            return []
        raise


async def _since(run: DispatchRun, moment: datetime, until: datetime) -> list[Record]:
    # A day more at each end, since the vendor's clock may disagree about the date.
    first = (moment - timedelta(hours=1)).strftime(DAY)
    last = (until + timedelta(hours=1)).strftime(DAY)
    return await run.field_nation.work_orders_created(first, last, columns=COLUMNS)


async def _taken(run: DispatchRun, intent: Intent, ids: Iterable[int]) -> set[int]:
    """Those that an earlier generation, or another record, has already."""
    taken = set()
    for number in ids:
        owner = await run.ledger.intents.of_work_order(run.tenant, number)
        if owner is not None and owner.id != intent.id:
            taken.add(number)
    return taken

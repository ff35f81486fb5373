"""Copies the notes of every work order that lives."""

from __future__ import annotations

from dataclasses import replace

from connectors.errors import RejectedError, RetryableError
from connectors.ledger.intents import WORK_ORDER
from tasks.dispatch.back import Back, memory_name
from tasks.dispatch.copying_notes import copy_notes, preview_copies
from tasks.dispatch.owners import Owner, linked_owner
from tasks.dispatch.run import DispatchRun, Result
from tasks.dispatch.several import several
from tasks.dispatch.sweeping_work_orders import OVER
from tasks.rules.work_order_events import known_of


async def sweep_notes(run: DispatchRun, *, dry_run: bool = False) -> list[Back]:
    """Every linked work order that is not known to be over: one request each way, and one for each copy."""
    links = await run.ledger.links.of_kind(run.tenant, WORK_ORDER)
    owners = [(int(link.right.id), linked_owner(link)) for link in links]
    living = [
        (number, owner) for number, owner in owners if owner is not None and not await _over(run, number)
    ]
    return await several(run, living, lambda number, owner: _copy(run, number, owner, dry_run))


async def _over(run: DispatchRun, number: int) -> bool:
    return bool(OVER & known_of(await run.ledger.watermark(run.tenant, memory_name(number))).handled)


async def _copy(run: DispatchRun, number: int, owner: Owner, dry_run: bool) -> Back:
    """A refusal of one work order, or a vendor that is away, does not end the sweep."""
    back = Back(number, Result.FAILED, owner.kind, owner.record_id)
    try:
        return await (preview_copies if dry_run else copy_notes)(run, number, owner=owner)
    except RetryableError as error:
        return replace(back, message=str(error), retry_after=error.retry_after)
    except RejectedError as error:
        return replace(back, message=str(error))

"""When the ledger began to know of dispatch: an older record may have a work order that it does not know."""

from __future__ import annotations

from datetime import datetime, timedelta

from tasks.dispatch.related import Source
from tasks.dispatch.run import DispatchRun
from tasks.rules.dispatch_paths import read_path
from tasks.rules.scalars import read_moment, write_moment

WATERMARK = "dispatch-begun"
CLOCKS = timedelta(minutes=5)


async def is_older_than_ledger(run: DispatchRun, source: Source) -> bool:
    """Whether the record was there before the ledger was, or may have been.

    Only then is Field Nation searched before a first creation: it costs one request, and after the loss of a
    ledger it is what keeps tickets from getting a second work order.
    """
    begun = read_moment((await _begun(run))["at"])
    entered = read_moment(read_path(source.document, "_info.dateEntered"))
    return begun is None or entered is None or entered <= begun + CLOCKS


async def _begun(run: DispatchRun) -> dict[str, str]:
    async def fetch() -> dict[str, str]:
        known = await run.ledger.watermark(run.tenant, WATERMARK)
        if known is None:
            known = {"at": write_moment(_second(run.now()))}
            await run.ledger.set_watermark(run.tenant, WATERMARK, known)
        return known

    found: dict[str, str] = await run.related.get((WATERMARK,), fetch)
    return found


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)

"""Since when the ledger knows all of dispatch: an older record may have a work order that it does not know.

That is since its beginning, or since it was last away: a ledger that was restored from a backup knows nothing
of what was made after that backup.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tasks.dispatch.related import Source
from tasks.dispatch.run import DispatchRun
from tasks.rules.dispatch_paths import read_path
from tasks.rules.scalars import read_moment, write_moment

WATERMARK = "dispatch-begun"
CLOCKS = timedelta(minutes=5)
OFTEN = timedelta(minutes=1)
"""It is noted no more often than this that the ledger is in use."""
AWAY = timedelta(minutes=30)
"""A ledger that no process used for so long may be an older copy of itself."""


async def is_older_than_ledger(run: DispatchRun, source: Source) -> bool:
    """Whether the record was there before the ledger knew all of dispatch, or may have been.

    Only then is Field Nation searched before a first creation: it costs one request, and after the loss of a
    ledger it is what keeps tickets from getting a second work order.
    """
    begun = read_moment((await _begun(run))["at"])
    entered = read_moment(read_path(source.document, "_info.dateEntered"))
    return begun is None or entered is None or entered <= begun + CLOCKS


async def keep_alive(run: DispatchRun) -> None:
    """Notes now and then that the ledger is in use. For whatever works for long, or often."""
    await _begun(run)


async def _begun(run: DispatchRun) -> dict[str, str]:
    async def fetch() -> dict[str, str]:
        now = _second(run.now())
        known = await run.ledger.watermark(run.tenant, WATERMARK) or {}
        alive = read_moment(known.get("alive"))
        longest = max(AWAY, 3 * timedelta(seconds=run.settings.polling.cache_seconds))
        if alive is not None and now - alive < OFTEN:
            return known
        was_away = alive is None or now - alive > longest
        known = {"at": write_moment(now) if was_away else known["at"], "alive": write_moment(now)}
        await run.ledger.set_watermark(run.tenant, WATERMARK, known)
        return known

    found: dict[str, str] = await run.related.get((WATERMARK,), fetch)
    return found


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)

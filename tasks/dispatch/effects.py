"""The ledger's effects of one work order: one process at a time, each action once."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from connectors.ledger.dispatch_models import Claimed, Effect
from tasks.dispatch.once import Job
from tasks.dispatch.run import DispatchRun

T = TypeVar("T")


def effect_job(
    run: DispatchRun,
    work_order_id: int,
    name: str,
    send: Callable[[], Awaitable[str | None]],
    find: Callable[[], Awaitable[str | None]],
    look_first: bool = False,
) -> Job:
    """An action of one work order, by its name; ``look_first``: the ledger may have forgotten it."""
    effects = run.ledger.effects
    seconds = run.settings.waiting.hold_seconds

    async def claim(holder: str) -> Claimed[Effect]:
        return await effects.claim(run.tenant, work_order_id, name, holder=holder, seconds=seconds)

    return Job(claim, effects, effects.done, send, find, look_first)


async def alone(
    run: DispatchRun, work_order_id: int, what: str, work: Callable[[], Awaitable[T]]
) -> T | None:
    """Works while no other process does ``what`` for this work order; None: another does.

    A killed process loses it after a while. Nothing is tidied up on the way out of a kill.
    """
    effects, holder = run.ledger.effects, str(uuid.uuid4())
    seconds = run.settings.waiting.hold_seconds
    claimed = await effects.claim(run.tenant, work_order_id, what, holder=holder, seconds=seconds)
    if not claimed.ours:
        return None
    try:
        answer = await work()
    except Exception:
        await effects.release(claimed.row.id, holder)
        raise
    await effects.release(claimed.row.id, holder)
    return answer

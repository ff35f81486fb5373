"""Keeps a record to one process at a time, and notes what becomes of its work order.

A killed process loses its record after a while. So nothing here tidies up on the way out of a kill; what is
tidied up after an error only makes the next one wait less.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from connectors.ledger.dispatch_models import Intent, Link, Side
from connectors.ledger.intents import WORK_ORDER
from tasks.dispatch.run import DispatchRun
from tasks.rules.dispatch_memory import Memory, memory_of
from tasks.rules.dispatch_reference import RecordKind

MARGIN = 0.25
"""The part of the longest request by which a claim outlives it: a minute of four."""


def outliving(longest: float) -> float:
    """Seconds for which a claim must last while a request of at most ``longest`` seconds is under way."""
    return longest * (1 + MARGIN)


@dataclass(frozen=True, slots=True)
class Held:
    """An intent that this process holds, with its link and what is remembered there, if there is any."""

    intent: Intent
    holder: str
    link: Link | None
    memory: Memory

    @property
    def work_order_id(self) -> int | None:
        return self.intent.work_order_id


def record_side(kind: RecordKind, record_id: int) -> Side:
    """The record's end of a link."""
    return Side(f"connectwise/{kind.value}", str(record_id))


async def hold(
    run: DispatchRun, kind: RecordKind, record_id: int, *, new_generation: bool = False, holder: str = ""
) -> Held | None:
    """The record's newest intent, made if there is none, for this process alone; None: another has it.

    The same ``holder`` again holds it longer, and sees it as it is now.
    """
    name = holder or str(uuid.uuid4())
    claimed = await run.ledger.intents.claim(
        run.tenant,
        kind.value,
        record_id,
        run.reference(kind, record_id),
        holder=name,
        seconds=run.settings.waiting.hold_seconds,
        new_generation=new_generation,
    )
    if not claimed.ours:
        return None
    link = await run.ledger.links.from_left(run.tenant, record_side(kind, record_id), WORK_ORDER)
    return Held(claimed.row, name, link, memory_of(link.details if link else {}))


async def hold_again(run: DispatchRun, held: Held) -> Held | None:
    """The same with a fresh claim; None if another process took over."""
    intent = held.intent
    return await hold(run, RecordKind(intent.record_kind), intent.record_id, holder=held.holder)


async def release(run: DispatchRun, held: Held) -> None:
    """Another process may go on with the record."""
    await run.ledger.intents.release(held.intent.id, held.holder)


async def remember(run: DispatchRun, held: Held, memory: Memory) -> Held:
    """Keeps what is known of the record with its link; without a link there is nothing to keep it with."""
    if held.link is not None and memory != held.memory:
        await run.ledger.links.set_details(held.link.id, memory.details())
    return replace(held, memory=memory)

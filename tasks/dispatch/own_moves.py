"""Remembers where a record stands after this integration has moved it: ConnectWise need not tell of that."""

from __future__ import annotations

from tasks.dispatch.intents import hold, release, remember
from tasks.dispatch.judging import seen_now
from tasks.dispatch.related import Source
from tasks.dispatch.run import DispatchRun, Record
from tasks.rules.dispatch_reference import RecordKind
from tasks.rules.dispatch_sources import dispatch_source
from tasks.rules.dispatch_triggers import Change


async def note_own_move(run: DispatchRun, kind: RecordKind, record_id: int, record: Record) -> None:
    """The record left its trigger by our own hand: a person who puts it back makes it enter anew.

    Where another process works on it nothing is noted: that one, or the next sweep, sees the record itself.
    """
    known = await run.ledger.intents.newest(run.tenant, kind.value, record_id)
    if known is None or known.state != "created":
        return
    held = await hold(run, kind, record_id)
    if held is None:
        return
    change, seen = seen_now(run, Source(kind, record_id, record, dispatch_source(kind, record)), held.memory)
    if held.link is not None and change is Change.LEFT:
        await remember(run, held, held.memory.but(seen=seen))
    await release(run, held)

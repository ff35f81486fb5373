"""Keeps a record to one process at a time, and notes what becomes of its work order.

A killed process loses its record after a while. So nothing here tidies up on the way out of a kill; what is
tidied up after an error only makes the next one wait less.

Which ticket or opportunity a work order was made for.

Since when the ledger knows all of dispatch: an older record may have a work order that it does not know.

That is since its beginning, or since it was last away: a ledger that was restored from a backup knows nothing
of what was made after that backup.

Remembers what a vendor refused, so that the same is not sent again at every look.

It is sent again once it may end otherwise: what the record maps to, the rules or the work order have changed
since, or a person asks for it. What only passes, an outage or too many requests, is no refusal.

What a fetched record means, compared with what is remembered of it: the facts that a decision takes.

Remembers where a record stands after this integration has moved it: ConnectWise need not tell of that.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from connectors.ledger.models import Intent, Link, Side
from connectors.ledger.outbox import WORK_ORDER
from tasks.dispatch.records import SHOWN, Source
from tasks.dispatch.run import DispatchRun, Record
from tasks.rules.dispatch.decision import RecordState
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import dispatch_source
from tasks.rules.dispatch.triggers import (
    CANCELLING,
    RULES,
    Change,
    Memory,
    Seen,
    is_closed,
    judge,
    memory_of,
    triggers_mark,
)
from tasks.rules.values import read_moment, write_moment

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


_LEFT = "connectwise/"


@dataclass(frozen=True, slots=True)
class Owner:
    """The record of a work order. ``newer``: the work order that the record has by now, if it is another."""

    kind: RecordKind
    record_id: int
    memory: Memory
    newer: int | None = None


async def owner_of(run: DispatchRun, work_order_id: int) -> Owner | None:
    """The record that the ledger knows a work order to belong to; None: it is not one of ours."""
    intent = await run.ledger.intents.of_work_order(run.tenant, work_order_id)
    if intent is not None:
        kind, number = RecordKind(intent.record_kind), intent.record_id
        link = await run.ledger.links.from_left(run.tenant, record_side(kind, number), WORK_ORDER)
        current = int(link.right.id) if link is not None else work_order_id
        memory = memory_of(link.details) if link is not None else Memory()
        return Owner(kind, number, memory, None if current == work_order_id else current)
    link = await run.ledger.links.from_right(run.tenant, Side(WORK_ORDER, str(work_order_id)))
    return None if link is None else linked_owner(link)


def linked_owner(link: Link) -> Owner | None:
    """The record at the left end of a link; None: it is no record of dispatch."""
    kind = link.left.kind.removeprefix(_LEFT)
    if not link.left.kind.startswith(_LEFT) or kind not in set(RecordKind):
        return None
    return Owner(RecordKind(kind), int(link.left.id), memory_of(link.details))


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
        known = await run.ledger.state.get(run.tenant, WATERMARK) or {}
        alive = read_moment(known.get("alive"))
        longest = max(AWAY, 3 * timedelta(seconds=run.settings.polling.cache_seconds))
        if alive is not None and now - alive < OFTEN:
            return known
        was_away = alive is None or now - alive > longest
        known = {"at": write_moment(now) if was_away else known["at"], "alive": write_moment(now)}
        await run.ledger.state.set(run.tenant, WATERMARK, known)
        return known

    found: dict[str, str] = await run.related.get((WATERMARK,), fetch)
    return found


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


class What(StrEnum):
    """What is refused of a record's work order; refused values of the record itself go by their target."""

    CREATION = "creation"
    UPDATE = "update"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class Refusal:
    """``order`` is the mark of the work order as it stood then, empty where there was none."""

    message: str
    order: str = ""


async def refusal_of(
    run: DispatchRun, kind: RecordKind, record_id: int, what: str, sent: Any
) -> Refusal | None:
    """How exactly this, by the same rules, was refused before; None if it was not."""
    known = await run.ledger.state.get(run.tenant, _name(kind, record_id)) or {}
    kept = known.get(str(what)) or {}
    if kept.get("sent") != _mark([sent, run.settings.model_dump(mode="json")]):
        return None
    return Refusal(str(kept.get("message") or ""), str(kept.get("order") or ""))


async def keep_refusal(
    run: DispatchRun, kind: RecordKind, record_id: int, what: str, sent: Any, refusal: Refusal
) -> None:
    """Remembers a refusal; the one before of the same kind is forgotten."""
    name = _name(kind, record_id)
    known = await run.ledger.state.get(run.tenant, name) or {}
    mark = _mark([sent, run.settings.model_dump(mode="json")])
    kept = {"sent": mark, "order": refusal.order, "message": refusal.message}
    await run.ledger.state.set(run.tenant, name, {**known, str(what): kept})


async def forget_refusals(run: DispatchRun, kind: RecordKind, record_id: int) -> None:
    """A person asks: everything may be sent once more."""
    if await run.ledger.state.get(run.tenant, _name(kind, record_id)):
        await run.ledger.state.set(run.tenant, _name(kind, record_id), {})


def order_mark(work_order: Record | None) -> str:
    """Changes with what a person may change of a work order; of one that was read with ``SHOWN``."""
    return _mark({name: (work_order or {}).get(name) for name in SHOWN.split(",")})


def _name(kind: RecordKind, record_id: int) -> str:
    return f"dispatch-refused-{kind.value}-{record_id}"


def _mark(what: Any) -> str:
    text = json.dumps(what, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Word:
    """A person's word. ``outside``: make a work order though the record is in no trigger. ``again``: an
    unresolved creation made nothing, so it may be made once more now.
    """

    outside: bool = False
    again: bool = False


NO_WORD = Word()


def seen_now(run: DispatchRun, source: Source, memory: Memory | None) -> tuple[Change, Seen]:
    """The record's change, and what to remember of it; ``memory`` None: nothing is known of it yet."""
    before = memory.seen if memory is not None else None
    if source.record is None:
        known = before or Seen()
        return (Change.CLOSED if known.inside else Change.OUTSIDE), Seen(False, known.updated, known.entries)
    change, seen = judge(run.settings.triggers, source.kind, source.document, before)
    if change is Change.STAYED and memory is not None and memory.more.get(CANCELLING):
        return Change.ENTERED, replace(seen, entries=seen.entries + 1)
    return change, seen


def cancels_on_leave(run: DispatchRun, kind: RecordKind, memory: Memory) -> bool:
    """Whether leaving cancels: not where the triggers were changed, since then the record did not move."""
    mark = triggers_mark(run.settings.triggers, kind)
    return run.settings.on_leave == "cancel" and memory.more.get(RULES, mark) == mark


def is_wanted(source: Source, seen: Seen, word: Word = NO_WORD) -> bool:
    """The record is there, and is in a trigger or asked for."""
    return source.record is not None and (seen.inside or word.outside)


def state_of(
    run: DispatchRun, memory: Memory, source: Source, change: Change, seen: Seen, word: Word = NO_WORD
) -> RecordState:
    """The record as a decision takes it."""
    gone = source.record is None
    closed = not gone and is_closed(source.document)
    return RecordState(
        change,
        inside=is_wanted(source, seen, word),
        closed=closed,
        newly_closed=(closed or gone) and not memory.closed,
        gone=gone,
        own_status=_status_name(source) in run.settings.own_statuses(),
        asked=word.outside,
    )


def _status_name(source: Source) -> str:
    return str(read_path(source.document, "status.name") or "").strip().lower()


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

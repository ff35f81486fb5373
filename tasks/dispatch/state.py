"""The repository of dispatch: what it keeps in the ledger about records and work orders, named only here.

    What                                   Kept as
    a record's intent and its claim        row of ``ledger.intents``: one process works on a record at a time
    a record's work order, and             link ``connectwise/KIND`` - ``field_nation/work_order``, whose
      ``RecordMemory``                       details are the memory
    ``WorkOrderState``                     watermark ``work order N``
    messages when notes were copied        watermark ``messages of work order N``
    what is refused and held back          see ``tasks.dispatch.refusals``
    creations without answer               watermark ``dispatch-unanswered-INTENT``
    how far the sweep of a kind came       watermark ``dispatch-sweep-KIND``
    since when the ledger knows all        watermark ``dispatch-begun``
    what the rules name and is missing     watermark ``dispatch-rule-names``
    each action of a work order            row of ``ledger.effects``: see ``tasks.dispatch.outbox``
    each note that was copied              row of ``ledger.notes``

A claim is a lease: a killed process loses its record after ``hold_seconds``. So nothing here tidies up on the
way out of a kill; what is tidied up after an error only makes the next process wait less.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, get_args

from connectors.ledger.models import Intent, IntentState, LinkEnd, RecordLink
from connectors.ledger.outbox import WORK_ORDER_KIND
from connectors.ledger.store import Ledger
from tasks.dispatch.settings import DispatchSettings
from tasks.rules.dispatch.decision import BEFORE_A_PROVIDER
from tasks.rules.dispatch.events import WorkOrderState
from tasks.rules.dispatch.reference import RecordKind, reference_of
from tasks.rules.dispatch.result import RecordRef
from tasks.rules.dispatch.triggers import RecordMemory, Seen
from tasks.rules.values import read_date_time, write_date_time

RECORD_SIDE = "connectwise/"
"""Before the kind of record at the left end of a link."""
WORK_ORDER_NAME = "work order {}"
MESSAGES_NAME = "messages of work order {}"
UNANSWERED_NAME = "dispatch-unanswered-{}"
SWEEP_NAME = "dispatch-sweep-{}"
COVERAGE_NAME = "dispatch-begun"
NAMES_NAME = "dispatch-rule-names"
NAMES_KEPT = timedelta(days=1)
"""So long what the rules name is not looked up again; sweeps may come every few minutes."""
EVENTS_LOCK = "bringing back"
"""The effect that one process holds while it applies the events of a work order."""
NOTES_LOCK = "copying notes"
"""The effect that one process holds while it copies the notes of a work order."""

HEARTBEAT = timedelta(minutes=1)
"""It is noted no more often than this that the ledger is in use."""
AWAY = timedelta(minutes=30)
"""A ledger that no process used for so long may be an older copy of itself, restored from a backup."""
CLAIM_MARGIN = 0.25
"""The part of the longest request by which a claim outlives it: a minute of four."""

_STATES: tuple[IntentState, ...] = get_args(IntentState)
_RULES, _FOUND, _CANCELLING = "rules", "found", "cancelling"


def outliving(longest: float) -> float:
    """Seconds for which a claim must last while a request of at most ``longest`` seconds is under way."""
    return longest * (1 + CLAIM_MARGIN)


@dataclass(frozen=True, slots=True)
class RecordState:
    """What is known of a ticket or opportunity; the intent is that of its newest work order."""

    intent: Intent | None = None
    link: RecordLink | None = None
    memory: RecordMemory = field(default_factory=RecordMemory)


@dataclass(frozen=True, slots=True)
class ClaimedRecord:
    """A record that this process has to itself, with its newest intent and what is remembered of it.

    ``link`` None: the record never had a work order, so nothing is remembered.
    """

    ref: RecordRef
    intent: Intent
    holder: str
    link: RecordLink | None
    memory: RecordMemory

    @property
    def work_order_id(self) -> int | None:
        return self.intent.work_order_id


@dataclass(frozen=True, slots=True)
class WorkOrderOwner:
    """The record of a work order. ``newer``: the work order that the record has by now, if it is another."""

    ref: RecordRef
    memory: RecordMemory
    newer: int | None = None


class DispatchStore:
    """Reads and writes what dispatch keeps of one tenant; every call is one short transaction or two."""

    def __init__(self, ledger: Ledger, tenant: str, settings: DispatchSettings) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._settings = settings

    def ref(self, kind: RecordKind, record_id: int) -> RecordRef:
        """A record with its reference, whose prefix is a setting."""
        return RecordRef(kind, record_id, reference_of(kind, record_id, self._settings.reference_prefix))

    async def intent(self, kind: RecordKind, record_id: int) -> Intent | None:
        """The intent of the record's newest work order; None: dispatch never worked on the record."""
        return await self._ledger.intents.newest(self._tenant, kind.value, record_id)

    async def record(self, kind: RecordKind, record_id: int) -> RecordState:
        """What is known of one record; all is empty for one that dispatch never worked on."""
        intent = await self.intent(kind, record_id)
        link = await self._link(kind, record_id) if intent is not None else None
        return RecordState(intent, link, _memory_of(link))

    async def records(self) -> dict[tuple[RecordKind, int], RecordState]:
        """What is known of every record: two queries."""
        links = await self._ledger.links.of_kind(self._tenant, WORK_ORDER_KIND)
        by_side = {link.left: link for link in links}
        found: dict[tuple[RecordKind, int], RecordState] = {}
        # The newest generation of a record comes last.
        for intent in await self._ledger.intents.in_state(self._tenant, *_STATES):
            key = RecordKind(intent.record_kind), intent.record_id
            link = by_side.get(_side(*key))
            found[key] = RecordState(intent, link, _memory_of(link))
        return found

    async def claim(
        self, ref: RecordRef, *, new_generation: bool = False, holder: str = ""
    ) -> ClaimedRecord | None:
        """Claims a record for this process alone, and begins an intent if it had none; None: another has it.

        Args:
            new_generation: where the newest intent is cancelled, begin the next one.
            holder: who has it already holds it longer, and sees it as it is now.
        """
        name = holder or str(uuid.uuid4())
        claimed = await self._ledger.intents.claim(
            self._tenant,
            ref.kind.value,
            ref.id,
            ref.reference,
            holder=name,
            seconds=self._settings.waiting.hold_seconds,
            new_generation=new_generation,
        )
        if not claimed.ours:
            return None
        link = await self._link(ref.kind, ref.id)
        return ClaimedRecord(ref, claimed.row, name, link, _memory_of(link))

    async def renew(self, claimed: ClaimedRecord) -> ClaimedRecord | None:
        """Claims it for longer, and reads it again; None: another process took over."""
        return await self.claim(claimed.ref, holder=claimed.holder)

    async def release(self, claimed: ClaimedRecord) -> None:
        """Lets another process go on with the record."""
        await self._ledger.intents.release(claimed.intent.id, claimed.holder)

    async def remember(self, claimed: ClaimedRecord, memory: RecordMemory) -> ClaimedRecord:
        """Keeps what is known of the record with its link; without a link there is nothing to keep."""
        if claimed.link is not None and memory != claimed.memory:
            await self._ledger.links.set_details(claimed.link.id, _details(memory))
        return replace(claimed, memory=memory)

    async def created(self, claimed: ClaimedRecord, work_order_id: int, memory: RecordMemory) -> None:
        """Links the record with its work order, made or found, and frees the claim.

        Raises:
            StopError: the record has another work order, or this one another record: a person must look.
        """
        await self._ledger.intents.created(claimed.intent.id, work_order_id, _details(memory))

    async def owner(self, work_order_id: int) -> WorkOrderOwner | None:
        """The record that a work order is known to belong to; None: it is not one of ours."""
        intent = await self._ledger.intents.of_work_order(self._tenant, work_order_id)
        if intent is None:
            link = await self._ledger.links.from_right(
                self._tenant, LinkEnd(WORK_ORDER_KIND, str(work_order_id))
            )
            return None if link is None else self._linked_owner(link)
        kind = RecordKind(intent.record_kind)
        link = await self._link(kind, intent.record_id)
        current = int(link.right.id) if link is not None else work_order_id
        ref = self.ref(kind, intent.record_id)
        return WorkOrderOwner(ref, _memory_of(link), None if current == work_order_id else current)

    async def owners(self) -> dict[int, WorkOrderOwner]:
        """Every linked work order with its record: one query."""
        links = await self._ledger.links.of_kind(self._tenant, WORK_ORDER_KIND)
        found = {int(link.right.id): self._linked_owner(link) for link in links}
        return {number: owner for number, owner in found.items() if owner is not None}

    async def work_order(self, work_order_id: int) -> WorkOrderState:
        """What was seen and done of the events of one work order."""
        return _work_order_state(await self._read(WORK_ORDER_NAME.format(work_order_id)))

    async def keep_work_order(self, work_order_id: int, state: WorkOrderState) -> None:
        await self._write(WORK_ORDER_NAME.format(work_order_id), _work_order_value(state))

    async def messages(self, work_order_id: int) -> int | None:
        """How many messages a work order had when all its notes were last copied; 0: they never were."""
        known = await self._ledger.state.get(self._tenant, MESSAGES_NAME.format(work_order_id))
        return 0 if known is None else known.get("messages")

    async def keep_messages(self, work_order_id: int, count: int) -> None:
        """Keeps that number, so that an event of the work order is known to be no message."""
        name, value = MESSAGES_NAME.format(work_order_id), {"messages": count}
        if await self._ledger.state.get(self._tenant, name) != value:
            await self._write(name, value)

    async def count_cancellations(self, now: datetime) -> int:
        """How many work orders were cancelled in the last 24 hours since their records left."""
        since = now - timedelta(days=1)
        return await self._ledger.intents.count_cancelled(self._tenant, BEFORE_A_PROVIDER, since)

    async def count_unanswered(self, claimed: ClaimedRecord) -> int:
        """How many creations of this intent were never answered nor found; those refused do not count."""
        name = UNANSWERED_NAME.format(claimed.intent.id)
        count = int((await self._read(name)).get("count") or 0)
        if claimed.intent.state == "sent":
            count += 1
            await self._write(name, {"count": count})
        return count

    async def swept_until(self, kind: RecordKind) -> datetime | None:
        """Up to which ``lastUpdated`` all records of a kind were looked at; None: no sweep came to an end."""
        return read_date_time((await self._read(SWEEP_NAME.format(kind.value))).get("updated"))

    async def keep_swept_until(self, kind: RecordKind, moment: datetime) -> None:
        """Keeps up to which ``lastUpdated`` all records of a kind were looked at."""
        await self._write(SWEEP_NAME.format(kind.value), {"updated": write_date_time(moment)})

    async def coverage(self, now: datetime) -> datetime | None:
        """Since when the ledger knows all of dispatch; notes with a heartbeat that it is in use ``now``.

        That is since its beginning, or since no process used it for a while: a ledger that was restored from
        a backup knows nothing of what was made after that backup.
        """
        now = now.replace(microsecond=0)
        known = await self._read(COVERAGE_NAME)
        alive = read_date_time(known.get("alive"))
        longest = max(AWAY, 3 * timedelta(seconds=self._settings.polling.cache_seconds))
        if alive is None or now - alive >= HEARTBEAT:
            began_anew = alive is None or now - alive > longest
            known = {"at": write_date_time(now) if began_anew else known["at"], "alive": write_date_time(now)}
            await self._write(COVERAGE_NAME, known)
        return read_date_time(known["at"])

    async def name_problems(self, rules_mark: str, now: datetime) -> list[str] | None:
        """What these rules name and was not there when it was looked up last; None: look it up again."""
        known = await self._read(NAMES_NAME)
        at = read_date_time(known.get("at"))
        if known.get("rules") != rules_mark or at is None or not at <= now < at + NAMES_KEPT:
            return None
        return [str(each) for each in known.get("problems") or []]

    async def keep_name_problems(self, rules_mark: str, problems: list[str], now: datetime) -> None:
        """Keeps what was missing when it was looked up ``now``."""
        at = write_date_time(now.replace(microsecond=0))
        await self._write(NAMES_NAME, {"rules": rules_mark, "at": at, "problems": problems})

    async def _link(self, kind: RecordKind, record_id: int) -> RecordLink | None:
        return await self._ledger.links.from_left(self._tenant, _side(kind, record_id), WORK_ORDER_KIND)

    def _linked_owner(self, link: RecordLink) -> WorkOrderOwner | None:
        """The record at the left end of a link; None: it is no record of dispatch."""
        kind = link.left.kind.removeprefix(RECORD_SIDE)
        if not link.left.kind.startswith(RECORD_SIDE) or kind not in set(RecordKind):
            return None
        return WorkOrderOwner(self.ref(RecordKind(kind), int(link.left.id)), _memory_of(link))

    async def _read(self, name: str) -> Mapping[str, Any]:
        return await self._ledger.state.get(self._tenant, name) or {}

    async def _write(self, name: str, value: dict[str, Any]) -> None:
        await self._ledger.state.set(self._tenant, name, value)


def _side(kind: RecordKind, record_id: int) -> LinkEnd:
    return LinkEnd(f"{RECORD_SIDE}{kind.value}", str(record_id))


def _work_order_value(state: WorkOrderState) -> dict[str, Any]:
    return {
        "milestones": {name: list(seen) for name, seen in state.milestones.items()},
        "handled": sorted(state.handled),
        "mapped": dict(state.mapped),
    }


def _work_order_state(value: Mapping[str, Any]) -> WorkOrderState:
    """What ``_work_order_value`` wrote; what is missing has its default."""
    milestones = value.get("milestones") or {}
    return WorkOrderState(
        {name: (str(seen[0]), int(seen[1])) for name, seen in milestones.items()},
        frozenset(value.get("handled") or ()),
        dict(value.get("mapped") or {}),
    )


def _details(memory: RecordMemory) -> dict[str, Any]:
    flags = {_RULES: memory.triggers, _FOUND: memory.found, _CANCELLING: memory.cancelling}
    return {
        **memory.other,
        **{name: value for name, value in flags.items() if value},
        "sent": memory.sent,
        "inside": memory.seen.inside,
        "updated": write_date_time(memory.seen.updated) if memory.seen.updated else None,
        "entries": memory.seen.entries,
        "closed": memory.closed,
        "published": memory.published,
        "written_back": memory.written_back,
        "dropped": list(memory.dropped),
    }


_OWN = frozenset({*_details(RecordMemory()), _RULES, _FOUND, _CANCELLING})
"""What ``_details`` writes; everything else there is another version's."""


def _memory_of(link: RecordLink | None) -> RecordMemory:
    """What ``_details`` wrote; what is missing has its default."""
    details = link.details if link is not None else {}
    return RecordMemory(
        sent=dict(details.get("sent") or {}),
        seen=Seen(
            bool(details.get("inside")),
            read_date_time(details.get("updated")),
            int(details.get("entries") or 0),
        ),
        closed=bool(details.get("closed")),
        published=bool(details.get("published")),
        written_back=bool(details.get("written_back")),
        dropped=tuple(details.get("dropped") or ()),
        triggers=str(details.get(_RULES) or ""),
        found=bool(details.get(_FOUND)),
        cancelling=bool(details.get(_CANCELLING)),
        other={name: value for name, value in details.items() if name not in _OWN},
    )

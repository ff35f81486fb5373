"""Polling: looks at every record that changed since the last sweep, so that lost callbacks do no harm.

Looks through the work orders in flight and brings back those to which something has happened.

Copies the notes of every work order that lives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connectors.connectwise.conditions import quote
from connectors.errors import RejectedError, RetryableError
from connectors.field_nation.models import LIVING, BaseList, status_of
from connectors.ledger.models import Intent, IntentState
from connectors.ledger.outbox import WORK_ORDER
from tasks.dispatch.create import created_since
from tasks.dispatch.notes import copy_notes, preview_copies
from tasks.dispatch.reconcile import Preview, dispatch_record, preview_record
from tasks.dispatch.records import ticket_kind
from tasks.dispatch.run import AGAIN, Back, DispatchRun, Outcome, Record, Result, Told, memory_name
from tasks.dispatch.state import Owner, keep_alive, linked_owner
from tasks.dispatch.work_order_events import VANISHED, bring_back, preview_back, unlinked
from tasks.rules.dispatch.decision import double_words, doubles
from tasks.rules.dispatch.events import (
    Known,
    WorkOrderEvent,
    counted_milestones,
    events_of,
    known_of,
    open_events,
)
from tasks.rules.dispatch.outbound import stays_without_rule, times_wanted
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import dispatch_source
from tasks.rules.dispatch.triggers import Memory, memory_of
from tasks.rules.report import CountsError
from tasks.rules.values import read_moment, write_moment
from tasks.shared.concurrency import map_bounded
from tasks.shared.progress import Progress, run_logger

UNDONE: tuple[IntentState, ...] = ("intent", "sent", "refused", "unresolved")
KEPT_MESSAGES = 30 * 86_400.0
"""Seconds for which settled messages are remembered; the vendors repeat one for minutes only."""
FRESH = timedelta(seconds=10)
Key = tuple[RecordKind, int]


@dataclass
class Swept:
    """One sweep. Every record read is either ``passed``, since dispatch has nothing to do with it or knows
    it as it is, or has an outcome (in a dry run: a preview); ``reopened`` are looked at beside those read.
    """

    read: int = 0
    passed: int = 0
    reopened: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """Records by result."""
        return Counter(str(each.result) for each in self.outcomes)

    def check(self) -> None:
        """CountsError if a record was lost or counted twice."""
        looked_at = len(self.outcomes) + len(self.previews)
        if self.read + self.reopened != self.passed + looked_at:
            raise CountsError(
                f"{self.read} records read and {self.reopened} reopened are not {self.passed} passed and "
                f"{looked_at} looked at"
            )


async def sweep(run: DispatchRun, *, dry_run: bool = False) -> Swept:
    """Looks at what changed, and again at what is not done yet.

    How far it came is remembered for each kind once everything before is accounted for: a record that must
    be tried again holds that back, so the next sweep sees it.

    Raises:
        StopError: a person must act; what was not reached is seen by the next sweep.
    """
    swept = Swept()
    if not dry_run:
        await keep_alive(run)
    sweeper = _Sweeper(run, swept, dry_run)
    await sweeper.learn()
    for kind in run.settings.kinds():
        await sweeper.sweep(kind)
    await sweeper.reopen()
    swept.doubles = await find_doubles(run)
    if not dry_run:
        await run.ledger.inbox.forget(older_than=KEPT_MESSAGES)
    swept.check()
    return swept


async def find_doubles(run: DispatchRun) -> list[str]:
    """A sentence for each reference that several living work orders of the last days carry."""
    days = run.settings.polling.duplicate_days
    if not days:
        return []
    found = doubles(await created_since(run, days), run.settings.reference_prefix)
    return [double_words(reference, ids) for reference, ids in found.items()]


class _Sweeper:
    """What one sweep knows: the intents and memories by record, and which records it has looked at."""

    def __init__(self, run: DispatchRun, swept: Swept, dry_run: bool) -> None:
        self.run = run
        self.swept = swept
        self.dry_run = dry_run
        self.intents: dict[Key, Intent] = {}
        self.memories: dict[Key, Memory] = {}
        self.seen: set[Key] = set()
        self.at_once = run.settings.polling.at_once

    async def learn(self) -> None:
        ledger, tenant = self.run.ledger, self.run.tenant
        for intent in await ledger.intents.in_state(tenant, *UNDONE, "created", "cancelled"):
            # The newest generation comes last.
            self.intents[RecordKind(intent.record_kind), intent.record_id] = intent
        for link in await ledger.links.of_kind(tenant, WORK_ORDER):
            kind = link.left.kind.removeprefix("connectwise/")
            self.memories[RecordKind(kind), int(link.left.id)] = memory_of(link.details)

    async def sweep(self, kind: RecordKind) -> None:
        start = await self._start(kind)
        began = self.run.now().replace(microsecond=0)
        progress = Progress(f"{kind.words}s read")
        newest, failed = start, None
        async for page in _changed_since(self.run, kind, start):
            records = [each for each in page if (kind, int(each["id"])) not in self.seen]
            self.swept.read += len(records)
            for outcome, updated in await self._page(kind, records):
                if outcome is not None and outcome.result in AGAIN:
                    failed = min(failed or updated, updated)
                newest = max(newest, updated)
            progress.advance(len(page))
        if not self.dry_run:
            # A record may have changed after its page was read, while a later page took long, or may bear a
            # time to come: what changed since this began belongs to the next sweep.
            newest = min(newest, began)
            value = {"updated": write_moment(min(newest, failed) if failed else newest)}
            await self.run.ledger.state.set(self.run.tenant, _watermark(kind), value)

    async def reopen(self) -> None:
        """What is not done yet, whether or not its record changed: refused, unresolved, half finished."""
        undone = [
            key
            for key, intent in self.intents.items()
            if key not in self.seen and self._is_undone(key, intent)
        ]
        self.swept.reopened = len(undone)

        async def one(key: Key) -> None:
            await self._look(key, None)

        await map_bounded(undone, one, self.at_once, on_error="finish_running")

    def _is_undone(self, key: Key, intent: Intent) -> bool:
        memory = self.memories.get(key)
        if intent.state == "unresolved":
            return self._is_due(intent)
        # Nothing is finished for a closed record; one that is opened again has changed.
        half = intent.state == "created" and memory is not None and not (memory.finished or memory.closed)
        return intent.state in UNDONE or half

    def _is_due(self, intent: Intent) -> bool:
        """An unresolved creation is looked for at growing pauses, of a day at most, and to repeat it."""
        if intent.sent_at is None:
            return True
        age, looked = self.run.now() - intent.sent_at, intent.changed_at - intent.sent_at
        repeated = timedelta(seconds=self.run.settings.waiting.unresolved_seconds)
        return age - looked >= min(looked, timedelta(days=1)) or looked < repeated <= age

    async def _start(self, kind: RecordKind) -> datetime:
        polling = self.run.settings.polling
        known = await self.run.ledger.state.get(self.run.tenant, _watermark(kind)) or {}
        first = self.run.now().replace(microsecond=0) - timedelta(hours=polling.first_look_hours)
        return min(read_moment(known.get("updated")) or first, self.run.now().replace(microsecond=0))

    def _fresh(self, record: Record, read_at: datetime) -> Record | None:
        """The record if it was read a moment ago; the budget can make a page last for many minutes."""
        return record if self.run.now() - read_at < FRESH else None

    async def _page(self, kind: RecordKind, records: list[Record]) -> list[tuple[Outcome | None, datetime]]:
        found: list[tuple[Outcome | None, datetime]] = []
        read_at = self.run.now()

        async def one(record: Record) -> None:
            key = (kind, int(record["id"]))
            self.seen.add(key)
            updated = _updated(record) or self.run.now()
            if self._passes(key, record):
                self.swept.passed += 1
                found.append((None, updated))
            else:
                found.append((await self._look(key, self._fresh(record, read_at)), updated))

        await map_bounded(records, one, self.at_once, on_error="finish_running")
        return found

    def _passes(self, key: Key, record: Record) -> bool:
        kind = key[0]
        if kind is RecordKind.SERVICE_TICKET and str(record.get("recordType") or "").startswith("Project"):
            # A server that lists project tickets with the service tickets gives them twice.
            return True
        intent, memory = self.intents.get(key), self.memories.get(key)
        if intent is None or (intent.state == "cancelled" and memory is None):
            # Nothing was ever made for it, so there is nothing that it could have changed since.
            document = dispatch_source(kind, record)
            return not any(trigger.matches(kind, document) for trigger in self.run.settings.triggers)
        known = memory is not None and memory.seen.updated == _updated(record)
        # A change within the same second would look the same, so only what is a while ago is passed.
        settled = known and not self._is_undone(key, intent)
        return settled and self._is_old(record)

    def _is_old(self, record: Record) -> bool:
        updated = _updated(record)
        return updated is not None and self.run.now() - updated > timedelta(seconds=2)

    async def _look(self, key: Key, record: Record | None) -> Outcome | None:
        kind, number = key
        if self.dry_run:
            self.swept.previews.append(await preview_record(self.run, kind, number, record=record))
            return None
        outcome = await _looked_at(self.run, kind, number, record)
        self.swept.outcomes.append(outcome)
        return outcome


async def _looked_at(run: DispatchRun, kind: RecordKind, number: int, record: Record | None) -> Outcome:
    """The outcome; a refusal of one record, or a vendor that is away, does not end the sweep."""
    told = Told(run, kind, number)
    try:
        return await dispatch_record(run, kind, number, record=record, wait=False)
    except RetryableError as error:
        return told.outcome(Result.FAILED, message=str(error), retry_after=error.retry_after)
    except RejectedError as error:
        run_logger().warning("%s: %s", told.reference, error)
        return told.outcome(Result.FAILED, message=str(error))


def _changed_since(run: DispatchRun, kind: RecordKind, start: datetime) -> AsyncIterator[list[Record]]:
    """Whole records, so that those that are in no trigger cost nothing more. Times count by the second."""
    moment = start - timedelta(seconds=run.settings.polling.overlap_seconds)
    conditions = f"lastUpdated >= {quote(moment)}"
    tickets = ticket_kind(kind)
    if tickets is None:
        return run.client.opportunities.pages(conditions)
    return run.client.tickets(tickets).pages(conditions)


def _watermark(kind: RecordKind) -> str:
    return f"dispatch-sweep-{kind.value}"


def _updated(record: Record) -> datetime | None:
    return read_moment(read_path(record, "_info.lastUpdated"))


LISTS: tuple[BaseList, ...] = ("workorders_in_flight", "workorders_approved")
"""Further those of any list that were made in the last days: drafts, and what is over soon."""
COLUMNS = "status,incident_id,milestones,time_logs"
OVER = {WorkOrderEvent.PAID.value, WorkOrderEvent.CANCELLED.value, VANISHED}


@dataclass
class SweptOrders:
    """One sweep. Every work order listed is a stranger, ``passed`` since nothing happened, or has a result;
    ``unlisted`` are linked ones that no list holds: they are read one by one until they are over.
    """

    listed: int = 0
    strangers: int = 0
    passed: int = 0
    unlisted: int = 0
    backs: list[Back] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """Work orders by result."""
        return Counter(str(each.result) for each in self.backs)

    def check(self) -> None:
        """CountsError if a work order was lost or counted twice."""
        if self.listed + self.unlisted != self.strangers + self.passed + len(self.backs):
            raise CountsError(
                f"{self.listed} work orders listed and {self.unlisted} more are not {self.strangers} of "
                f"others, {self.passed} passed and {len(self.backs)} looked at"
            )


async def sweep_work_orders(run: DispatchRun, *, dry_run: bool = False) -> SweptOrders:
    """Brings back what webhooks missed, and names references that two living work orders carry.

    One request for each 100 work orders of three lists, and then only those to which something has happened.

    Raises:
        RejectedError: Field Nation did not understand a filter, so nothing was believed.
    """
    listed = await _listed(run)
    owners = await _owners(run)
    swept = SweptOrders(listed=len(listed))
    found = doubles(listed.values(), run.settings.reference_prefix)
    swept.doubles = [double_words(reference, ids) for reference, ids in found.items()]
    due: list[tuple[int, Owner]] = []
    for number, work_order in listed.items():
        owner = owners.get(number)
        if owner is None:
            await _stranger(run, work_order, swept)
        elif await _has_news(run, number, owner, work_order):
            due.append((number, owner))
        else:
            swept.passed += 1
    unlisted = [(number, owner) for number, owner in owners.items() if number not in listed]
    still = [(number, owner) for number, owner in unlisted if not await _is_over(run, number)]
    swept.unlisted = len(still)
    swept.backs += await _map_work_orders(
        run, [*due, *still], lambda number, owner: _bring_one(run, number, owner, dry_run)
    )
    swept.check()
    return swept


async def _listed(run: DispatchRun) -> dict[int, Record]:
    found: dict[int, Record] = {}
    for name in LISTS:
        async for page in run.field_nation.work_orders_pages(name, columns=COLUMNS):
            found |= {int(each["id"]): each for each in page}
    days = run.settings.polling.duplicate_days
    if days:
        last = run.now().date()
        first = last.fromordinal(last.toordinal() - days)
        until = last.fromordinal(last.toordinal() + 1)
        recent = await run.field_nation.work_orders_created(str(first), str(until), columns=COLUMNS)
        found |= {int(each["id"]): each for each in recent}
    return dict(sorted(found.items()))


async def _owners(run: DispatchRun) -> dict[int, Owner]:
    links = await run.ledger.links.of_kind(run.tenant, WORK_ORDER)
    found = {int(link.right.id): linked_owner(link) for link in links}
    return {number: owner for number, owner in found.items() if owner is not None}


async def _stranger(run: DispatchRun, work_order: Record, swept: SweptOrders) -> None:
    back = await unlinked(run, work_order)
    if back.result is Result.OUTSIDE or status_of(work_order) not in LIVING:
        swept.strangers += 1
    else:
        swept.backs.append(back)


async def _has_news(run: DispatchRun, number: int, owner: Owner, work_order: Record) -> bool:
    """Whether something is to be done, as far as the list tells; a mapping of one's own reads more."""
    if getattr(run.settings.mappings, owner.kind.value).outbound:
        return True
    rules = run.settings.outbound_rules
    known = await _known(run, number)
    times = times_wanted({"id": number, **work_order}, events_of(work_order, known), rules, known.handled)
    return bool(
        open_events(work_order, known)
        or counted_milestones(work_order, known) != known.milestones
        or times.times
        or stays_without_rule(work_order, rules) - known.handled
    )


async def _is_over(run: DispatchRun, number: int) -> bool:
    return bool(OVER & (await _known(run, number)).handled)


async def _known(run: DispatchRun, number: int) -> Known:
    return known_of(await run.ledger.state.get(run.tenant, memory_name(number)))


async def _bring_one(run: DispatchRun, number: int, owner: Owner, dry_run: bool) -> Back:
    """A refusal of one work order, or a vendor that is away, does not end the sweep."""
    back = Back(number, Result.FAILED, owner.kind, owner.record_id)
    try:
        return await (preview_back(run, number) if dry_run else bring_back(run, number))
    except RetryableError as error:
        return replace(back, message=str(error), retry_after=error.retry_after)
    except RejectedError as error:
        return replace(back, message=str(error))


async def _map_work_orders(
    run: DispatchRun, due: Sequence[tuple[int, Owner]], step: Callable[[int, Owner], Awaitable[Back]]
) -> list[Back]:
    """The result of each, some at a time, with a line of progress.

    Raises:
        StopError: a person must act. Those under way are finished first, and no other is begun.
    """
    progress = Progress("Work orders", len(due))

    async def one(work_order: tuple[int, Owner]) -> Back:
        try:
            return await step(*work_order)
        finally:
            progress.advance(1)

    return await map_bounded(due, one, run.settings.polling.at_once, on_error="stop_errors")


async def sweep_notes(run: DispatchRun, *, dry_run: bool = False) -> list[Back]:
    """Every linked work order that is not known to be over: one request each way, and one for each copy."""
    links = await run.ledger.links.of_kind(run.tenant, WORK_ORDER)
    owners = [(int(link.right.id), linked_owner(link)) for link in links]
    living = [
        (number, owner) for number, owner in owners if owner is not None and not await _over(run, number)
    ]
    return await _map_work_orders(run, living, lambda number, owner: _copy(run, number, owner, dry_run))


async def _over(run: DispatchRun, number: int) -> bool:
    return bool(OVER & known_of(await run.ledger.state.get(run.tenant, memory_name(number))).handled)


async def _copy(run: DispatchRun, number: int, owner: Owner, dry_run: bool) -> Back:
    """A refusal of one work order, or a vendor that is away, does not end the sweep."""
    back = Back(number, Result.FAILED, owner.kind, owner.record_id)
    try:
        return await (preview_copies if dry_run else copy_notes)(run, number, owner=owner)
    except RetryableError as error:
        return replace(back, message=str(error), retry_after=error.retry_after)
    except RejectedError as error:
        return replace(back, message=str(error))

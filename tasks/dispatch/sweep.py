"""Polling, so that lost callbacks and webhooks do no harm: three sweeps, each over all that may have changed.

    sweep               records that changed since the last sweep, and again those that are not done yet
    sweep_work_orders   work orders in flight: the events of those to which something has happened
    sweep_notes         the notes of every work order that is not over

A refusal of one record, or a vendor that is away, is that record's result; it does not end a sweep. Where a
person must act (``StopError``) those under way are finished and no other is begun.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from connectors.connectwise.conditions import quote
from connectors.field_nation.models import LIVING, BaseList, status_of
from connectors.ledger.models import HeldRecord, Intent
from tasks.dispatch.create import find_doubles, list_recent
from tasks.dispatch.look import look_at
from tasks.dispatch.notes import copy_notes, preview_copies
from tasks.dispatch.reconcile import Preview, dispatch_record, preview_record
from tasks.dispatch.records import records_of
from tasks.dispatch.refusals import HANDLING, RefusedStep
from tasks.dispatch.rule_names import rule_name_problems, swept_name_problems
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.state import RecordState, WorkOrderOwner
from tasks.dispatch.work_order_events import preview_events, sync_events, unlinked
from tasks.rules.dispatch.decision import DispatchStep, double_words, doubles
from tasks.rules.dispatch.events import counted_milestones, events_of, open_events
from tasks.rules.dispatch.outbound import stays_without_rule, times_wanted
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus, RecordRef
from tasks.rules.dispatch.sources import dispatch_source
from tasks.rules.quarantine import held_words
from tasks.rules.report import CountsError
from tasks.rules.values import read_date_time
from tasks.shared.concurrency import map_bounded
from tasks.shared.isolation import isolated, record_problem
from tasks.shared.progress import Progress, run_logger

UNFINISHED = frozenset({"intent", "sent", "refused", "unresolved"})
"""States of an intent that are looked at again whether or not the record changed."""
KEPT_MESSAGES = 30 * 86_400.0
"""Seconds for which acknowledged messages are remembered; the vendors repeat one for minutes only."""
FRESH = timedelta(seconds=10)
SAME_SECOND = timedelta(seconds=2)
LISTS: tuple[BaseList, ...] = ("workorders_in_flight", "workorders_approved")
"""Further those of any list that were made in the last days: drafts, and what is over soon."""
LIST_COLUMNS = "status,incident_id,milestones,time_logs"
UNANSWERED = frozenset({"sent", "unresolved"})
RecordKey = tuple[RecordKind, int]


@dataclass
class RecordSweep:
    """One sweep of the records; counts add up.

    Every record read is ``passed``, since dispatch has nothing to do with it or knows it as it is, or has a
    result (in a dry run: a preview). ``reopened`` are looked at beside those read. ``unreadable``: records
    without a number, in words; they are passed. ``doubts`` are sentences about answers that were not whole,
    and about rules that name what does not exist.
    """

    read: int = 0
    passed: int = 0
    reopened: int = 0
    results: list[DispatchResult] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        return Counter(str(each.status) for each in self.results)

    def check(self) -> None:
        """CountsError if a record was lost or counted twice."""
        looked_at = len(self.results) + len(self.previews)
        if self.read + self.reopened != self.passed + looked_at:
            raise CountsError(
                f"{self.read} records read and {self.reopened} reopened are not {self.passed} passed and "
                f"{looked_at} looked at"
            )


async def sweep(run: DispatchRun, *, dry_run: bool = False) -> RecordSweep:
    """Reconciles the records that changed, and again those that are not done yet.

    How far it came is kept for each kind once everything before is accounted for: a record that must be tried
    again holds that back, so the next sweep sees it.

    Raises:
        StopError: a person must act; what was not reached is seen by the next sweep.
    """
    swept = RecordSweep(doubts=await (rule_name_problems(run) if dry_run else swept_name_problems(run)))
    if not dry_run:
        await run.heartbeat()
    recent = await list_recent(run)
    sweeper = _Sweeper(run, swept, await run.state.records(), await run.refusals.held(), dry_run)
    for kind in run.settings.kinds():
        await sweeper.sweep(kind)
    await sweeper.reopen()
    swept.doubles = await find_doubles(run, recent)
    if not dry_run:
        await run.ledger.inbox.forget(older_than=KEPT_MESSAGES)
    swept.check()
    return swept


class _Sweeper:
    """What one sweep knows: the state of every record, and which records it has looked at."""

    def __init__(
        self,
        run: DispatchRun,
        swept: RecordSweep,
        states: dict[RecordKey, RecordState],
        held: dict[RecordKey, list[HeldRecord]],
        dry_run: bool,
    ) -> None:
        self.run = run
        self.swept = swept
        self.states = states
        self.held = held
        self.dry_run = dry_run
        self.seen: set[RecordKey] = set()

    async def sweep(self, kind: RecordKind) -> None:
        start = await self._start(kind)
        began = self.run.now().replace(microsecond=0)
        progress = Progress(f"{kind.plural} read")
        newest, failed, read = start, None, set[str]()
        async for page in _changed_since(self.run, kind, start):
            numbered = self._numbered(kind, page)
            self.swept.read += len(numbered)
            for result, updated in await self._page(kind, numbered):
                if result is not None and result.retryable:
                    failed = min(failed or updated, updated)
                newest = max(newest, updated)
            read |= {str(each.get("id", f"none {place}")) for place, each in enumerate(page)}
            progress.advance(len(page))
        if newest > start and await self._is_short(kind, start, min(newest, began), len(read)):
            newest = start
        if not self.dry_run:
            # A record may have changed after its page was read, while a later page took long, or may bear a
            # time to come: what changed since this began belongs to the next sweep.
            newest = min(newest, began)
            await self.run.state.keep_swept_until(kind, min(newest, failed) if failed else newest)

    def _numbered(self, kind: RecordKind, page: list[Record]) -> list[tuple[RecordKey, Record]]:
        """The records of a page that were not looked at yet; one without a number is named."""
        found: list[tuple[RecordKey, Record]] = []
        for each in page:
            number = each.get("id")
            if not isinstance(number, int) or isinstance(number, bool):
                words = f"ConnectWise listed a {kind.words} without a number: {str(number)[:60]!r}"
                self.swept.unreadable.append(words)
            elif (kind, number) not in self.seen:
                found.append(((kind, number), each))
        return found

    async def _is_short(self, kind: RecordKind, start: datetime, until: datetime, read: int) -> bool:
        """Whether ConnectWise counts more records than it gave; the next sweep then reads them all again.

        One request, and only where there was something new.
        """
        records, since = records_of(self.run.client, kind), _since(self.run, start)
        counted = await records.count(f"lastUpdated >= {since} and lastUpdated <= {quote(until)}")
        if counted <= read:
            return False
        self.swept.doubts.append(
            f"ConnectWise counts {counted:,} {kind.plural} that changed and gave {read:,} of them: its "
            "answer was not whole. The next sweep reads them again."
        )
        return True

    async def reopen(self) -> None:
        """What is not done yet, though its record did not change: refused, held, half finished."""
        undone = [
            key
            for key in dict.fromkeys([*self.states, *self.held])
            if key not in self.seen
            and (self._is_undone(self.states.get(key, RecordState())) or self._is_unhandled(key))
        ]
        self.swept.reopened = len(undone)
        at_once = self.run.settings.polling.at_once
        await map_bounded(undone, lambda key: self._look(key, None), at_once, on_error="finish_running")

    async def _start(self, kind: RecordKind) -> datetime:
        now = self.run.now().replace(microsecond=0)
        first = now - timedelta(hours=self.run.settings.polling.first_look_hours)
        return min(await self.run.state.swept_until(kind) or first, now)

    async def _page(
        self, kind: RecordKind, records: list[tuple[RecordKey, Record]]
    ) -> list[tuple[DispatchResult | None, datetime]]:
        read_at = self.run.now()

        async def one(numbered: tuple[RecordKey, Record]) -> tuple[DispatchResult | None, datetime]:
            key, record = numbered
            self.seen.add(key)
            updated = _updated(record) or self.run.now()
            if self._passes_or_fails(key, record):
                self.swept.passed += 1
                await self._let_go(key, {HANDLING})
                return None, updated
            # One that was read a moment ago is not read again; the budget can make a page last for minutes.
            fresh = record if self.run.now() - read_at < FRESH else None
            return await self._look(key, fresh, updated), updated

        return await map_bounded(records, one, self.run.settings.polling.at_once, on_error="finish_running")

    def _passes_or_fails(self, key: RecordKey, record: Record) -> bool:
        """Whether it passes; False where that can't be told: the look then says why."""
        try:
            return self._passes(key, record)
        except Exception as error:
            run_logger().debug("%s %d can't be judged: %s", *key, record_problem(error))
            return False

    def _passes(self, key: RecordKey, record: Record) -> bool:
        kind = key[0]
        if kind is RecordKind.SERVICE_TICKET and str(record.get("recordType") or "").startswith("Project"):
            # A server that lists project tickets with the service tickets gives them twice.
            return True
        state = self.states.get(key, RecordState())
        if state.intent is None or (state.intent.state == "cancelled" and state.link is None):
            # Nothing was ever made for it, so there is nothing that it could have changed since.
            document = dispatch_source(kind, record)
            return not any(trigger.matches(kind, document) for trigger in self.run.settings.triggers)
        updated = _updated(record)
        known = state.link is not None and state.memory.seen.updated == updated
        # A change within the same second would look the same, so only what is a while ago is passed.
        old = updated is not None and self.run.now() - updated > SAME_SECOND
        return known and old and not self._is_undone(state)

    def _is_undone(self, state: RecordState) -> bool:
        if state.intent is None:
            return False
        if state.intent.state == "unresolved":
            return self._is_due(state.intent)
        # Nothing is finished for a closed record; one that is opened again has changed.
        memory, created = state.memory, state.intent.state == "created" and state.link is not None
        unfinished = not (memory.finished or memory.closed) or memory.cancelling
        return state.intent.state in UNFINISHED or (created and unfinished)

    def _is_unhandled(self, key: RecordKey) -> bool:
        return any(each.step == HANDLING for each in self.held.get(key, ()))

    def _is_due(self, intent: Intent) -> bool:
        """An unresolved creation is looked for at growing pauses, of a day at most, and to repeat it."""
        if intent.sent_at is None:
            return True
        age, looked = self.run.now() - intent.sent_at, intent.changed_at - intent.sent_at
        repeated = timedelta(seconds=self.run.settings.waiting.unresolved_seconds)
        return age - looked >= min(looked, timedelta(days=1)) or looked < repeated <= age

    async def _look(
        self, key: RecordKey, record: Record | None, updated: datetime | None = None
    ) -> DispatchResult | None:
        ref = self.run.state.ref(*key)
        if self.dry_run:
            self.swept.previews.append(await self._preview(ref, record))
            return None
        failed = ref.result(DispatchStatus.FAILED)
        if (held := self._holding(key, updated)) is not None:
            result = failed.but(DispatchStatus.REFUSED, held_words(held))
        else:
            unforeseen: list[Exception] = []
            look = partial(dispatch_record, self.run, ref.kind, ref.id, record=record, wait=False)
            result = await look_at(failed, look, unforeseen)
            await self._keep_held(key, updated, result, handled=not unforeseen)
        self.swept.results.append(result)
        return result

    async def _preview(self, ref: RecordRef, record: Record | None) -> Preview:
        preview = partial(preview_record, self.run, ref.kind, ref.id, record=record)
        return await isolated(
            preview,
            lambda error: Preview(ref, DispatchStep.NOTHING, False, reason=record_problem(error)),
        )

    def _holding(self, key: RecordKey, updated: datetime | None) -> HeldRecord | None:
        """What holds the record back; nothing does while a creation may have made its work order."""
        intent = self.states.get(key, RecordState()).intent
        if intent is not None and intent.state in UNANSWERED:
            return None
        return self.run.refusals.holding(self.held.get(key, ()), updated)

    async def _keep_held(
        self, key: RecordKey, updated: datetime | None, result: DispatchResult, *, handled: bool
    ) -> None:
        """Holds what could not be handled, so that it is not lost when the sweep goes on; else lets it go."""
        if not handled:
            await self.run.refusals.hold(self.run.state.ref(*key), updated, result.message)
            return
        await self._let_go(key, {HANDLING} if result.failed else {HANDLING, RefusedStep.CREATION.value})

    async def _let_go(self, key: RecordKey, steps: set[str]) -> None:
        done = [each for each in self.held.get(key, ()) if each.step in steps]
        if done and not self.dry_run:
            await self.run.refusals.release(done)


def _changed_since(run: DispatchRun, kind: RecordKind, start: datetime) -> AsyncIterator[list[Record]]:
    """Whole records, so that those that are in no trigger cost nothing more. Times count by the second."""
    return records_of(run.client, kind).pages(f"lastUpdated >= {_since(run, start)}")


def _since(run: DispatchRun, start: datetime) -> str:
    return quote(start - timedelta(seconds=run.settings.polling.overlap_seconds))


def _updated(record: Record) -> datetime | None:
    return read_date_time(read_path(record, "_info.lastUpdated"))


@dataclass
class WorkOrderSweep:
    """One sweep of the work orders; counts add up.

    Every work order listed is a stranger, ``passed`` since nothing happened, or has a result. ``unlisted``
    are linked ones that no list holds: they are read one by one until they are over.
    """

    listed: int = 0
    strangers: int = 0
    passed: int = 0
    unlisted: int = 0
    results: list[DispatchResult] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        return Counter(str(each.status) for each in self.results)

    def check(self) -> None:
        """CountsError if a work order was lost or counted twice."""
        if self.listed + self.unlisted != self.strangers + self.passed + len(self.results):
            raise CountsError(
                f"{self.listed} work orders listed and {self.unlisted} more are not {self.strangers} of "
                f"others, {self.passed} passed and {len(self.results)} looked at"
            )


async def sweep_work_orders(run: DispatchRun, *, dry_run: bool = False) -> WorkOrderSweep:
    """Applies the events that webhooks missed, and names references that two living work orders carry.

    One request for each 100 work orders of three lists, and then only those to which something has happened.

    Raises:
        RejectedError: Field Nation did not understand a filter, so nothing was believed.
    """
    listed = await _listed(run)
    owners = await run.state.owners()
    swept = WorkOrderSweep(listed=len(listed))
    found = doubles(listed.values(), run.settings.reference_prefix)
    swept.doubles = [double_words(reference, ids) for reference, ids in found.items()]
    due: list[int] = []
    for number, work_order in listed.items():
        owner = owners.get(number)
        if owner is None:
            await _stranger(run, number, work_order, swept)
        # One of which that can't be told is looked at: the look then says why.
        elif await isolated(partial(_has_news, run, number, owner, work_order), lambda _: True):
            due.append(number)
        else:
            swept.passed += 1
    unlisted = [number for number in owners if number not in listed]
    still = [number for number in unlisted if not (await run.state.work_order(number)).over]
    swept.unlisted = len(still)
    look = preview_events if dry_run else sync_events
    swept.results += await _each(run, [*due, *still], owners, lambda number, owner: look(run, number))
    swept.check()
    return swept


async def _listed(run: DispatchRun) -> dict[int, Record]:
    found: dict[int, Record] = {}
    for name in LISTS:
        async for page in run.field_nation.work_orders_pages(name, columns=LIST_COLUMNS):
            found |= {int(each["id"]): each for each in page}
    if days := run.settings.polling.duplicate_days:
        today = run.now().date()
        first, until = today - timedelta(days=days), today + timedelta(days=1)
        recent = await run.field_nation.work_orders_created(str(first), str(until), columns=LIST_COLUMNS)
        found |= {int(each["id"]): each for each in recent}
    return dict(sorted(found.items()))


async def _stranger(run: DispatchRun, number: int, work_order: Record, swept: WorkOrderSweep) -> None:
    nobodys = DispatchResult(DispatchStatus.FAILED, None, number, outbound=True)
    result = await look_at(nobodys, partial(unlinked, run, work_order))
    if result.status is DispatchStatus.OUTSIDE or status_of(work_order) not in LIVING:
        swept.strangers += 1
    else:
        swept.results.append(result)


async def _has_news(run: DispatchRun, number: int, owner: WorkOrderOwner, work_order: Record) -> bool:
    """Whether something is to be done, as far as the list tells; a mapping of one's own reads more."""
    if getattr(run.settings.mappings, owner.ref.kind.value).outbound:
        return True
    rules, state = run.settings.active_rules(), await run.state.work_order(number)
    times = times_wanted({"id": number, **work_order}, events_of(work_order, state), rules, state.handled)
    return bool(
        open_events(work_order, state)
        or counted_milestones(work_order, state) != state.milestones
        or times.times
        or stays_without_rule(work_order, rules) - state.handled
    )


async def sweep_notes(run: DispatchRun, *, dry_run: bool = False) -> list[DispatchResult]:
    """Every linked work order that is not known to be over: one request each way, and one for each copy."""
    owners = await run.state.owners()
    living = [number for number in owners if not (await run.state.work_order(number)).over]
    copy = preview_copies if dry_run else copy_notes
    return await _each(run, living, owners, lambda number, owner: copy(run, number, owner=owner))


async def _each(
    run: DispatchRun,
    numbers: Sequence[int],
    owners: dict[int, WorkOrderOwner],
    look: Callable[[int, WorkOrderOwner], Awaitable[DispatchResult]],
) -> list[DispatchResult]:
    progress = Progress("Work orders", len(numbers))

    async def one(number: int) -> DispatchResult:
        owner = owners[number]
        failed = replace(owner.ref.outbound(number), status=DispatchStatus.FAILED)
        result = await look_at(failed, partial(look, number, owner))
        progress.advance(1)
        return result

    return await map_bounded(numbers, one, run.settings.polling.at_once, on_error="stop_errors")

"""One work order back: what happened to it is done to its ticket, each action once.

Does to one ticket what the events of its work order want, and keeps what became of it.

Works on one work order for the record that it belongs to, one process at a time.

Stays with one work order until it is settled, where nobody comes back later: a run by hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.errors import RejectedError
from connectors.field_nation.models import status_of
from tasks.dispatch.outbox import Done, Fate, alone
from tasks.dispatch.records import read_record
from tasks.dispatch.run import Back, DispatchRun, Record, Result, memory_name
from tasks.dispatch.state import Owner, owner_of
from tasks.dispatch.ticket_writes import Target, add_note, add_time, has_value, set_values
from tasks.rules.dispatch.events import (
    Known,
    counted_milestones,
    events_of,
    known_of,
    open_events,
    status_doubt,
)
from tasks.rules.dispatch.outbound import (
    NoteWanted,
    TimeWanted,
    ValueWanted,
    Wanted,
    joined,
    mapped_of,
    note_words,
    stays_without_rule,
    time_words,
    times_wanted,
    value_words,
    wanted_of,
    wanted_words,
)
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import parse_reference, reference_carried
from tasks.rules.dispatch.triggers import FOUND, is_closed
from tasks.shared.progress import run_logger
from tasks.shared.retry import retry_result

_RESULTS = {Fate.UNCLEAR: Result.UNCLEAR, Fate.BUSY: Result.BUSY, Fate.LATER: Result.FAILED}


@dataclass
class Doing:
    """Notes and time entries come first: a status may close the ticket.

    ``left`` are the keys of which something is left to do, ``waiting`` what must be tried again soon.
    """

    run: DispatchRun
    target: Target
    did: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    waiting: list[Done] = field(default_factory=list)
    reported: bool = False

    async def all_of(self, wanted: Wanted) -> None:
        """Does everything, one after the other."""
        for note in wanted.notes:
            await self._note(note)
        for time in wanted.times:
            await self._time(time)
        values = self._allowed(wanted.values)
        for value, done in await set_values(self.run, self.target, values) if values else []:
            self._keep(value.key, done, value_words(value))

    async def _note(self, note: NoteWanted) -> None:
        target = self.target
        done = await add_note(self.run, target, note)
        self._keep(note.key, done, note_words(note))

    async def _time(self, time: TimeWanted) -> None:
        target = self.target
        try:
            done = await add_time(self.run, target, time)
        except RejectedError as error:
            done = Done(Fate.GIVEN_UP, message=str(error))
        self._keep(time.key, done, time_words(time))

    def _allowed(self, values: tuple[ValueWanted, ...]) -> list[ValueWanted]:
        """All but the status of a ticket that a person has closed: it is reported, and never reopened."""
        record = self.target.record
        kept = [one for one in values if not one.target.startswith("status.")]
        for one in values:
            if one in kept:
                continue
            if not is_closed(record) or has_value(record, one):
                kept.append(one)
                continue
            self.reported = True
            self.warnings.append(f"the record is closed, so its status was not set to {one.value!r}")
        return kept

    def _keep(self, key: str, done: Done, words: str) -> None:
        if done.fate in (Fate.DONE, Fate.FOUND):
            self.did.append(words)
            if done.message:
                self.warnings.append(done.message)
            return
        if not done.settled:
            self.left.add(key)
        if done.fate in (Fate.REFUSED, Fate.GIVEN_UP):
            self.reported = True
            self.warnings.append(f"{words}: {done.message}")
        elif done.fate is not Fate.BEFORE:
            self.waiting.append(done)

    def outcome(self, back: Back, problems: tuple[str, ...]) -> Back:
        """The result to tell, worst first."""
        result, message, retry_after = Result.UPDATED if self.did else Result.UNCHANGED, "", None
        if self.reported:
            result = Result.REPORTED
        if self.waiting:
            fates = {each.fate for each in self.waiting}
            result = next(found for fate, found in _RESULTS.items() if fate in fates)
            message = self.waiting[0].message
            retry_after = max((each.retry_after or 0.0) for each in self.waiting)
        warnings = (*back.warnings, *problems, *self.warnings)
        for warning in warnings:
            run_logger().warning("Work order %d: %s", back.work_order_id, warning)
        return replace(
            back,
            result=result,
            did=tuple(self.did),
            warnings=warnings,
            message=message,
            retry_after=retry_after,
        )


async def for_owner(
    run: DispatchRun,
    work_order_id: int,
    owner: Owner,
    what: str,
    work: Callable[[Back], Awaitable[Back]],
) -> Back:
    """What became of ``work``; nothing is done if the record has another work order by now, or while
    another process does ``what`` for this one.
    """
    back = Back(work_order_id, Result.UNCHANGED, owner.kind, owner.record_id)
    if owner.newer is not None:
        message = f"its record has work order {owner.newer} by now"
        return replace(back, result=Result.OUTSIDE, message=message)
    found = await alone(run, work_order_id, what, lambda: work(back))
    if found is not None:
        return found
    busy = run.settings.waiting.busy_seconds
    return replace(back, result=Result.BUSY, message="another process has it", retry_after=busy)


BACK = "bringing back"
MAKING = ("intent", "sent", "unresolved")
"""States of an intent whose work order is not known yet."""
VANISHED = "vanished"
"""Remembered like an event of a work order that Field Nation has no more."""


async def bring_back(run: DispatchRun, work_order_id: int, *, owner: Owner | None = None) -> Back:
    """Reads the work order, and does to its ticket what is due. Nothing new: one request.

    Two requests each way for a change of status, and one more for each note and time entry.

    Args:
        owner: its record, if the caller knows it from the ledger.

    Raises:
        RetryableError: a vendor is away; trying it again later loses nothing and repeats nothing.
        StopError: a person must act: credentials, rights, the ledger.
    """
    known = owner or await owner_of(run, work_order_id)
    if known is None:
        return await _not_ours(run, work_order_id)
    return await for_owner(run, work_order_id, known, BACK, lambda back: _bring(run, back, known))


async def _not_ours(run: DispatchRun, work_order_id: int) -> Back:
    try:
        work_order = await run.field_nation.get_work_order(work_order_id, columns="status,incident_id")
    except RejectedError as error:
        if error.status != 404:
            raise
        return Back(work_order_id, Result.OUTSIDE, message="Field Nation does not have it")
    return await unlinked(run, work_order)


async def unlinked(run: DispatchRun, work_order: Record) -> Back:
    """What to say of a work order that the ledger does not know: reported if it names a record of ours.

    While its record's creation is under way or not answered, it is most likely what that one makes.
    """
    number, reference = int(work_order["id"]), reference_carried(work_order)
    record = parse_reference(reference, run.settings.reference_prefix)
    back = Back(number, Result.OUTSIDE, status=str(status_of(work_order)))
    if record is None:
        return back
    kind, record_id = record
    intent = await run.ledger.intents.newest(run.tenant, kind.value, record_id)
    back = replace(back, kind=kind, record_id=record_id)
    if intent is not None and intent.state in MAKING:
        busy = run.settings.waiting.busy_seconds
        message = f"the creation for {reference} is not settled yet"
        return replace(back, result=Result.BUSY, message=message, retry_after=busy)
    message = f"it names {reference} but is not linked with it; the sweep of that record adopts it"
    if intent is not None and intent.work_order_id is not None:
        message = f"it names {reference}, which has work order {intent.work_order_id}: cancel one of the two"
    return replace(back, result=Result.REPORTED, message=message)


async def _bring(run: DispatchRun, back: Back, owner: Owner) -> Back:
    number = back.work_order_id
    try:
        work_order = await run.field_nation.get_work_order(number)
    except RejectedError as error:
        if error.status != 404:
            raise
        return await _vanished(run, back)
    known = await _counted(run, number, work_order)
    doubt = status_doubt(work_order)
    back = replace(
        back,
        status=str(status_of(work_order)),
        warnings=(doubt,) if doubt else (),
        messages=read_path(work_order, "messages.metadata.total"),
    )
    due = _due(run, owner, work_order, known)
    if not due.wanted.anything:
        await _remember(run, number, known, due, set())
        return replace(back, warnings=(*back.warnings, *due.wanted.problems))
    record = await read_record(run.client, owner.kind, owner.record_id)
    if record is None:
        await _remember(run, number, known, due, set())
        return replace(back, result=Result.REPORTED, message="its record was deleted in ConnectWise")
    found = bool(owner.memory.more.get(FOUND))
    doing = Doing(run, Target(number, owner.kind, owner.record_id, record, found))
    await doing.all_of(due.wanted)
    await _remember(run, number, known, due, doing.left)
    return doing.outcome(back, due.wanted.problems)


async def _vanished(run: DispatchRun, back: Back) -> Back:
    """Reported once: nothing will ever happen to it again."""
    name = memory_name(back.work_order_id)
    known = known_of(await run.ledger.state.get(run.tenant, name))
    gone = "Field Nation does not have this work order any more"
    if VANISHED in known.handled:
        return replace(back, message=gone)
    after = replace(known, handled=known.handled | {VANISHED})
    await run.ledger.state.set(run.tenant, name, after.details())
    return replace(back, result=Result.REPORTED, message=gone)


async def preview_back(run: DispatchRun, work_order_id: int) -> Back:
    """What ``bring_back`` would do, in words; one request, and nothing is written anywhere."""
    owner = await owner_of(run, work_order_id)
    if owner is None:
        return await _not_ours(run, work_order_id)
    back = Back(work_order_id, Result.UNCHANGED, owner.kind, owner.record_id)
    if owner.newer is not None:
        return replace(back, result=Result.OUTSIDE, message=f"its record has work order {owner.newer} by now")
    work_order = await run.field_nation.get_work_order(work_order_id)
    known = known_of(await run.ledger.state.get(run.tenant, memory_name(work_order_id)))
    wanted = _due(run, owner, work_order, known).wanted
    return replace(
        back,
        status=str(status_of(work_order)),
        did=tuple(f"would: {words}" for words in wanted_words(wanted)),
        warnings=wanted.problems,
    )


@dataclass(frozen=True, slots=True)
class _Due:
    """What is to be done; ``keys`` are settled by it, and ``mapped`` is what outbound mappings want."""

    wanted: Wanted
    keys: frozenset[str]
    mapped: dict[str, Any]


def _due(run: DispatchRun, owner: Owner, work_order: Record, known: Known) -> _Due:
    rules = run.settings.outbound_rules
    opened = open_events(work_order, known)
    # Only lines of a person's own: the default ones say what the default events do.
    lines = getattr(run.settings.mappings, owner.kind.value).outbound
    mapping, mapped = mapped_of(work_order, lines, known.mapped)
    times = times_wanted(work_order, events_of(work_order, known), rules, known.handled)
    wanted = joined(wanted_of(work_order, opened, rules), times, mapping)
    return _Due(
        wanted, _keys(wanted) | {each.key for each in opened} | stays_without_rule(work_order, rules), mapped
    )


async def _counted(run: DispatchRun, number: int, work_order: Record) -> Known:
    """What is known, with the milestones counted and noted before anything is done for them."""
    known = known_of(await run.ledger.state.get(run.tenant, memory_name(number)))
    milestones = counted_milestones(work_order, known)
    if milestones == known.milestones:
        return known
    counted = replace(known, milestones=milestones)
    await run.ledger.state.set(run.tenant, memory_name(number), counted.details())
    return counted


async def _remember(run: DispatchRun, number: int, known: Known, due: _Due, left: set[str]) -> None:
    """All but what is ``left`` to do is settled."""
    written = {target: value for target, value in due.mapped.items() if f"mapped {target}" not in left}
    after = replace(known, handled=known.handled | (due.keys - left), mapped={**known.mapped, **written})
    if after != known:
        await run.ledger.state.set(run.tenant, memory_name(number), after.details())


def _keys(wanted: Wanted) -> frozenset[str]:
    notes, times = ({each.key for each in found} for found in (wanted.notes, wanted.times))
    found = notes | times | {each.key for each in wanted.values}
    return frozenset(key for key in found if not key.startswith("mapped "))


async def back_patiently(run: DispatchRun, step: Callable[[], Awaitable[Back]]) -> Back:
    """Does a step again while it is to be tried again soon, within the patience that is set.

    What was done in earlier tries is told with the last one.

    Raises:
        RetryableError: a vendor was away for too long.
    """
    waiting = run.settings.waiting
    did: dict[str, None] = {}

    async def attempt() -> Back:
        back = await step()
        did.update(dict.fromkeys(back.did))
        return back

    def again(back: Back) -> float | None:
        return max(back.retry_after or waiting.busy_seconds, waiting.pause_seconds) if back.again else None

    back = await retry_result(attempt, waiting, again=again, sleep=run.sleep)
    return back.including(tuple(did))

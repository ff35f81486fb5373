"""Applies the events of one work order to its ticket, each action once.

1. ``state.owner``    the record that the work order was made for
2. ``exclusive``      one process at a time
3. the work order is read, and its milestones are counted and kept
4. what the outbound rules and mappings want of its new events
5. notes, time entries and values are written; what is done is kept as handled
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from connectors.errors import RejectedError
from connectors.field_nation.models import status_of
from tasks.dispatch.outbox import (
    DeliveryReport,
    DeliveryResult,
    DeliveryStatus,
    delivered_or_failed,
    exclusive,
)
from tasks.dispatch.records import or_none, read_record
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.state import EVENTS_LOCK, WorkOrderOwner
from tasks.dispatch.ticket_writes import LinkedTicket, add_note, add_time, has_value, set_values
from tasks.rules.dispatch.events import (
    VANISHED,
    WorkOrderState,
    counted_milestones,
    events_of,
    open_events,
    status_doubt,
)
from tasks.rules.dispatch.outbound import (
    TimeWanted,
    ValueWanted,
    WantedActions,
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
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tasks.rules.dispatch.triggers import is_closed
from tasks.shared.retry import retry_result

CREATING = ("intent", "sent", "unresolved")
"""States of an intent whose work order is not known yet."""


async def sync_events(
    run: DispatchRun, work_order_id: int, *, owner: WorkOrderOwner | None = None
) -> DispatchResult:
    """Reads the work order, and does to its ticket what is due. Nothing new: one request.

    Two requests each way for a change of status, and one more for each note and time entry.

    Args:
        owner: its record, if the caller knows it from the ledger.

    Raises:
        RetryableError: a vendor is away; trying it again later loses nothing and repeats nothing.
        StopError: a person must act: credentials, rights, the ledger.
    """
    known = owner or await run.state.owner(work_order_id)
    if known is None:
        return await _not_ours(run, work_order_id)
    return await for_owner(run, work_order_id, known, EVENTS_LOCK, lambda result: _apply(run, result, known))


async def for_owner(
    run: DispatchRun,
    work_order_id: int,
    owner: WorkOrderOwner,
    lock: str,
    work: Callable[[DispatchResult], Awaitable[DispatchResult]],
) -> DispatchResult:
    """The result of ``work``, which is given the result as long as nothing was done.

    Nothing is done if the record has another work order by now, or while another process has the lock.
    """
    result = owner.ref.outbound(work_order_id)
    if owner.newer is not None:
        return result.but(DispatchStatus.OUTSIDE, f"its record has work order {owner.newer} by now")
    found = await exclusive(run, work_order_id, lock, lambda: work(result))
    if found is not None:
        return found
    return result.but(DispatchStatus.BUSY, "another process has it", run.settings.waiting.busy_seconds)


async def _apply(run: DispatchRun, result: DispatchResult, owner: WorkOrderOwner) -> DispatchResult:
    number = result.work_order_id or 0
    work_order = await or_none(run.field_nation.get_work_order(number))
    if work_order is None:
        return await _vanished(run, result)
    state = await _counted(run, number, work_order)
    doubt = status_doubt(work_order)
    result = replace(
        result,
        work_order_status=str(status_of(work_order)),
        warnings=(doubt,) if doubt else (),
        messages=read_path(work_order, "messages.metadata.total"),
    )
    due = _due(run, owner, work_order, state)
    if not due.wanted.anything:
        await _keep(run, number, state, due, set())
        return replace(result, warnings=(*result.warnings, *due.wanted.problems))
    record = await read_record(run.client, owner.ref.kind, owner.ref.id)
    if record is None:
        await _keep(run, number, state, due, set())
        return result.but(DispatchStatus.REPORTED, "its record was deleted in ConnectWise")
    report = DeliveryReport()
    ticket = LinkedTicket(number, owner.ref, record, look_first=owner.memory.found)
    left = await _write(run, ticket, due.wanted, report)
    await _keep(run, number, state, due, left)
    return report.result(result, due.wanted.problems)


async def _write(
    run: DispatchRun, ticket: LinkedTicket, wanted: WantedActions, report: DeliveryReport
) -> set[str]:
    """Does everything, one after the other; the keys of which something is left to do.

    Notes and time entries come first: a status may close the ticket.
    """
    left: set[str] = set()

    def take(key: str, words: str, delivered: DeliveryResult) -> None:
        report.add(words, delivered)
        if not delivered.final:
            left.add(key)

    for note in wanted.notes:
        delivered = await delivered_or_failed(partial(add_note, run, ticket, note))
        take(note.key, note_words(note), delivered)
    for time in wanted.times:
        delivered = await delivered_or_failed(partial(_add_time, run, ticket, time))
        take(time.key, time_words(time), delivered)
    values = _allowed(ticket.record, wanted.values, report)
    for value, ended in await set_values(run, ticket, values) if values else []:
        take(value.key, value_words(value), ended)
    return left


async def _add_time(run: DispatchRun, ticket: LinkedTicket, time: TimeWanted) -> DeliveryResult:
    try:
        return await add_time(run, ticket, time)
    except RejectedError as error:
        return DeliveryResult(DeliveryStatus.GIVEN_UP, message=str(error))


def _allowed(record: Record, values: tuple[ValueWanted, ...], report: DeliveryReport) -> list[ValueWanted]:
    """All but the status of a ticket that a person has closed: it is reported, and never reopened."""
    kept = [one for one in values if not one.target.startswith("status.")]
    for one in values:
        if one in kept:
            continue
        if not is_closed(record) or has_value(record, one):
            kept.append(one)
        else:
            report.report(f"the record is closed, so its status was not set to {one.value!r}")
    return kept


async def _vanished(run: DispatchRun, result: DispatchResult) -> DispatchResult:
    """Reported once: nothing will ever happen to it again."""
    number, gone = result.work_order_id or 0, "Field Nation does not have this work order any more"
    state = await run.state.work_order(number)
    if VANISHED in state.handled:
        return replace(result, message=gone)
    await run.state.keep_work_order(number, replace(state, handled=state.handled | {VANISHED}))
    return result.but(DispatchStatus.REPORTED, gone)


async def _not_ours(run: DispatchRun, work_order_id: int) -> DispatchResult:
    request = run.field_nation.get_work_order(work_order_id, columns="status,incident_id")
    work_order = await or_none(request)
    if work_order is None:
        message = "Field Nation does not have it"
        return DispatchResult(DispatchStatus.OUTSIDE, None, work_order_id, outbound=True, message=message)
    return await unlinked(run, work_order)


async def unlinked(run: DispatchRun, work_order: Record) -> DispatchResult:
    """The result of a work order that the ledger does not know: reported if it names a record of ours.

    While its record's creation is under way or not answered, it is most likely what that one makes.
    """
    number, reference = int(work_order["id"]), reference_carried(work_order)
    named = parse_reference(reference, run.settings.reference_prefix)
    status = str(status_of(work_order))
    if named is None:
        return DispatchResult(DispatchStatus.OUTSIDE, None, number, outbound=True, work_order_status=status)
    ref = run.state.ref(*named)
    intent = await run.state.intent(*named)
    result = replace(ref.outbound(number), work_order_status=status)
    if intent is not None and intent.state in CREATING:
        message = f"the creation for {reference} is not settled yet"
        return result.but(DispatchStatus.BUSY, message, run.settings.waiting.busy_seconds)
    message = f"it names {reference} but is not linked with it; the sweep of that record adopts it"
    if intent is not None and intent.work_order_id is not None:
        message = f"it names {reference}, which has work order {intent.work_order_id}: cancel one of the two"
    return result.but(DispatchStatus.REPORTED, message)


async def preview_events(run: DispatchRun, work_order_id: int) -> DispatchResult:
    """What ``sync_events`` would do, in words; one request, and nothing is written anywhere."""
    owner = await run.state.owner(work_order_id)
    if owner is None:
        return await _not_ours(run, work_order_id)
    result = owner.ref.outbound(work_order_id)
    if owner.newer is not None:
        return result.but(DispatchStatus.OUTSIDE, f"its record has work order {owner.newer} by now")
    work_order = await run.field_nation.get_work_order(work_order_id)
    wanted = _due(run, owner, work_order, await run.state.work_order(work_order_id)).wanted
    return replace(
        result,
        work_order_status=str(status_of(work_order)),
        did=tuple(f"would: {words}" for words in wanted_words(wanted)),
        warnings=wanted.problems,
    )


@dataclass(frozen=True, slots=True)
class _Due:
    """What is to be done; ``keys`` are handled by it, and ``mapped`` is what outbound mappings want."""

    wanted: WantedActions
    keys: frozenset[str]
    mapped: dict[str, Any]


def _due(run: DispatchRun, owner: WorkOrderOwner, work_order: Record, state: WorkOrderState) -> _Due:
    rules = run.settings.active_rules()
    opened = open_events(work_order, state)
    # Only lines of a person's own: the default ones say what the default events do.
    lines = getattr(run.settings.mappings, owner.ref.kind.value).outbound
    mapping, mapped = mapped_of(work_order, lines, state.mapped)
    times = times_wanted(work_order, events_of(work_order, state), rules, state.handled)
    wanted = joined(wanted_of(work_order, opened, rules), times, mapping)
    keys = {each.key for found in (wanted.notes, wanted.times, wanted.values) for each in found}
    named = frozenset(key for key in keys if not key.startswith("mapped "))
    return _Due(wanted, named | {each.key for each in opened} | stays_without_rule(work_order, rules), mapped)


async def _counted(run: DispatchRun, number: int, work_order: Record) -> WorkOrderState:
    """What is known, with the milestones counted and kept before anything is done for them."""
    state = await run.state.work_order(number)
    milestones = counted_milestones(work_order, state)
    if milestones == state.milestones:
        return state
    counted = replace(state, milestones=milestones)
    await run.state.keep_work_order(number, counted)
    return counted


async def _keep(run: DispatchRun, number: int, state: WorkOrderState, due: _Due, left: set[str]) -> None:
    """All but what is ``left`` to do is handled."""
    written = {target: value for target, value in due.mapped.items() if f"mapped {target}" not in left}
    after = replace(state, handled=state.handled | (due.keys - left), mapped={**state.mapped, **written})
    if after != state:
        await run.state.keep_work_order(number, after)


async def retry_outbound(run: DispatchRun, step: Callable[[], Awaitable[DispatchResult]]) -> DispatchResult:
    """Retries a step while it is to be tried again soon, within the patience that is set.

    What was done in earlier tries is told with the last one.

    Raises:
        RetryableError: a vendor was away for too long.
    """
    waiting, did = run.settings.waiting, dict[str, None]()

    async def attempt() -> DispatchResult:
        result = await step()
        did.update(dict.fromkeys(result.did))
        return result

    def again(result: DispatchResult) -> float | None:
        pause = max(result.retry_after or waiting.busy_seconds, waiting.pause_seconds)
        return pause if result.retryable else None

    return (await retry_result(attempt, waiting, again=again, sleep=run.sleep)).including(tuple(did))

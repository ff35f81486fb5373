"""The work order as its record wants it, and how a living one becomes so: only what differs is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.errors import RejectedError
from connectors.field_nation.models import dropped_fields
from connectors.ledger.models import WriteEntry
from tasks.dispatch.finish import finish
from tasks.dispatch.records import (
    SHOWN,
    FetchedRecord,
    order_mark,
    read_work_order,
    status_and_assigned,
    with_related,
)
from tasks.dispatch.refusals import KeptRefusal, RefusedStep
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.settings import CreateState
from tasks.dispatch.state import ClaimedRecord
from tasks.rules.dispatch.decision import OVER, after_sending, changed_sections, half_changed, laid_on_current
from tasks.rules.dispatch.mapping import work_order_of
from tasks.rules.dispatch.reference import with_reference
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tasks.rules.dispatch.triggers import RecordMemory
from tasks.shared.connections import current_run_id
from tasks.shared.journalled import RunJournal

FIELD_NATION = "field_nation"
"""What the journal says for a connection: dispatch knows the client and not its block's name."""


@dataclass(frozen=True, slots=True)
class MappedWorkOrder:
    """The work order as the record wants it: the body with its reference, and what is wrong with it.

    ``refusal`` names all that is missing; "" where it can be sent.
    """

    body: Record
    warnings: tuple[str, ...] = ()
    refusal: str = ""


def wanted_work_order(run: DispatchRun, fetched: FetchedRecord) -> MappedWorkOrder:
    """Maps the record. Missing fields are no refusal where incomplete drafts are allowed."""
    settings, ref = run.settings, fetched.ref
    mapped = work_order_of(settings.mappings_of(ref.kind).inbound, fetched.document)
    title = with_reference(str(mapped.body.get("title") or ""), ref.reference)
    body = {**mapped.body, "title": title, "incident_id": ref.reference}
    incomplete = settings.create_state is CreateState.DRAFT and settings.work_orders.incomplete_drafts
    refusal = mapped.message if mapped.missing and not incomplete else ""
    return MappedWorkOrder(body, mapped.problems, refusal)


def dropped_words(dropped: list[str]) -> tuple[str, ...]:
    """A warning about members that Field Nation dropped; none where it kept them all."""
    return (f"Field Nation dropped {', '.join(dropped)} without a word",) if dropped else ()


async def update(
    run: DispatchRun, claimed: ClaimedRecord, fetched: FetchedRecord, known: RecordMemory
) -> DispatchResult:
    """Sends the mapped values that differ from what was last sent; reads the answer back.

    Args:
        known: what is to be remembered of the record, once this version of it was sent or refused.
    """
    ref, number = claimed.ref, claimed.work_order_id or 0
    wanted = wanted_work_order(run, await with_related(run, fetched))
    changes = changed_sections(claimed.memory.sent, wanted.body)
    warnings = list(wanted.warnings)
    if changes:
        answer, body = await _send(run, claimed, changes)
        if isinstance(answer, str):
            await run.state.release(await run.state.remember(claimed, known))
            if not answer:
                return ref.result(DispatchStatus.UNCHANGED, number, message="its work order is over")
            return ref.result(DispatchStatus.REFUSED, number, message=answer, warnings=tuple(warnings))
        dropped = dropped_fields(body, answer)
        warnings += dropped_words(dropped)
        known = replace(known, sent=after_sending(claimed.memory.sent, changes), dropped=tuple(dropped))
    claimed = await run.state.remember(claimed, known)
    if not claimed.memory.finished:
        finished = await finish(run, claimed, fetched)
        claimed, warnings = finished.claimed, [*warnings, *finished.warnings]
    await run.state.release(claimed)
    status = DispatchStatus.UPDATED if changes else DispatchStatus.UNCHANGED
    message = f"changed {', '.join(sorted(changes))}" if changes else ""
    return ref.result(status, number, message=message, warnings=tuple(warnings))


def _journal(run: DispatchRun) -> RunJournal:
    theirs = run.field_nation
    tenant = theirs.tenant_key or theirs.settings.credential_key
    return RunJournal(run.ledger, current_run_id(), FIELD_NATION, 0, tenant)


def _entry(claimed: ClaimedRecord, body: Record) -> WriteEntry:
    """What was last sent is what is known to have been there before."""
    number, sent = claimed.work_order_id or 0, claimed.memory.sent
    before = {name: sent.get(name) for name in body}
    return WriteEntry("modify", "work order", number, None, claimed.ref.reference, before, body)


async def _send(run: DispatchRun, claimed: ClaimedRecord, changes: Record) -> tuple[Record | str, Record]:
    """The answer, or why it was refused ("": the work order is over), and what was sent.

    What was refused is sent again only once the work order was changed: one request to see that.
    """
    number = claimed.work_order_id or 0
    about, sent = (claimed.ref, RefusedStep.UPDATE), [number, changes]
    before = await run.refusals.kept(*about, sent)
    if before is not None:
        order = await read_work_order(run, number, columns=SHOWN)
        if status_and_assigned(order)[0] in OVER:
            return "", {}
        if order_mark(order) == before.order:
            return before.message, {}
    try:
        body = await _with_others_changes(run, claimed, changes)
        async with _journal(run).write(_entry(claimed, body)):
            return await run.field_nation.update_work_order(number, body), body
    except RejectedError as error:
        order = await read_work_order(run, number, columns=SHOWN)
        if status_and_assigned(order)[0] in OVER:
            return "", {}
        await run.refusals.keep(*about, sent, KeptRefusal(str(error), order_mark(order)))
        return str(error), {}


async def _with_others_changes(run: DispatchRun, claimed: ClaimedRecord, changes: Record) -> Record:
    """What is sent: Field Nation takes sections whole, so what a person changed in one there is sent again.

    Only where a section differs in part it is read first: one request.
    """
    before = claimed.memory.sent
    halves = half_changed(before, changes)
    if not halves:
        return changes
    now = await run.field_nation.get_work_order(claimed.work_order_id or 0, columns=",".join(halves))
    laid = {name: laid_on_current(before[name], changes[name], now.get(name)) for name in halves}
    return {**changes, **laid}


async def cancel(run: DispatchRun, claimed: ClaimedRecord, reason: str) -> DispatchResult | None:
    """Cancels a work order that nobody is assigned to yet; the record may get another when it comes back.

    None: the ceiling of cancellations is reached and no person accepted more; nothing was done. One at a
    time, so that several at once can't pass the ceiling together.
    """
    async with run.one_cancellation:
        if await run.state.count_cancellations(run.now()) >= run.settings.cancellations_a_day:
            if run.accept_cancellations < 1:
                return None
            run.accept_cancellations -= 1
        return await _cancel(run, claimed, reason)


def held_back_words(run: DispatchRun, reason: str) -> str:
    """Why a cancellation waits for a person, and how to go on."""
    return (
        f"{reason}, but it is not cancelled: the ceiling of {run.settings.cancellations_a_day} cancellations "
        "in 24 hours is reached. Look whether these tickets really left. If so, run dispatch-sweep with "
        "Accept cancellations; if not, mend the triggers, the board or the rights of the API member."
    )


async def _cancel(run: DispatchRun, claimed: ClaimedRecord, reason: str) -> DispatchResult:
    number = claimed.work_order_id or 0
    try:
        await run.field_nation.cancel_work_order(number, f"ConnectWise: {reason}")
    except RejectedError as error:
        await run.state.release(claimed)
        message = f"It could not be cancelled: {error}"
        return claimed.ref.result(DispatchStatus.REFUSED, number, message=message)
    await run.ledger.intents.cancel(claimed.intent.id, reason)
    return claimed.ref.result(DispatchStatus.CANCELLED, number, message=reason)

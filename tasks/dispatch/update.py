"""Brings a living work order up to date with its record, or ends it: only what differs is sent."""

from __future__ import annotations

from connectors.errors import RejectedError
from connectors.field_nation.models import dropped_fields
from tasks.dispatch.create import dropped_words, wanted_work_order
from tasks.dispatch.finish import finish
from tasks.dispatch.records import SHOWN, Source, read_work_order, standing_of, with_related
from tasks.dispatch.run import DispatchRun, Outcome, Record, Result, Told
from tasks.dispatch.state import Held, Refusal, What, keep_refusal, order_mark, refusal_of, release, remember
from tasks.rules.dispatch.decision import OVER, after_sending, changed_sections, half_changed, laid_on_current
from tasks.rules.dispatch.triggers import Memory


async def update(run: DispatchRun, held: Held, source: Source, known: Memory) -> Outcome:
    """Sends the mapped values that differ from what was last sent; reads the answer back.

    ``known``: what is to be remembered of the record, once this version of it was sent or refused.
    """
    told = Told(run, source.kind, source.record_id)
    number = held.work_order_id or 0
    source = await with_related(run, source)
    wanted = wanted_work_order(run, source)
    changes = changed_sections(held.memory.sent, wanted.body)
    warnings = list(wanted.warnings)
    if changes:
        answer, body = await _send(run, held, source, changes)
        if isinstance(answer, str):
            await release(run, await remember(run, held, known))
            if not answer:
                return told.outcome(Result.UNCHANGED, number, message="its work order is over")
            return told.outcome(Result.REFUSED, number, message=answer, warnings=tuple(warnings))
        dropped = dropped_fields(body, answer)
        warnings += dropped_words(dropped)
        sent = after_sending(held.memory.sent, changes)
        known = known.but(sent=sent, dropped=tuple(dropped))
    held = await remember(run, held, known)
    if not held.memory.finished:
        finished = await finish(run, held, source)
        held, warnings = finished.held, [*warnings, *finished.warnings]
    await release(run, held)
    result = Result.UPDATED if changes else Result.UNCHANGED
    message = f"changed {', '.join(sorted(changes))}" if changes else ""
    return told.outcome(result, number, message=message, warnings=tuple(warnings))


async def _send(run: DispatchRun, held: Held, source: Source, changes: Record) -> tuple[Record | str, Record]:
    """The answer, or why it was refused ("": the work order is over), and what was sent.

    What was refused is sent again only once the work order was changed: one request to see that.
    """
    number = held.work_order_id or 0
    about, sent = (source.kind, source.record_id, What.UPDATE), [number, changes]
    before = await refusal_of(run, *about, sent)
    if before is not None:
        order = await read_work_order(run, number, columns=SHOWN)
        if standing_of(order)[0] in OVER:
            return "", {}
        if order_mark(order) == before.order:
            return before.message, {}
    try:
        body = await _with_others_changes(run, held, changes)
        return await run.field_nation.update_work_order(number, body), body
    except RejectedError as error:
        order = await read_work_order(run, number, columns=SHOWN)
        if standing_of(order)[0] in OVER:
            return "", {}
        await keep_refusal(run, *about, sent, Refusal(str(error), order_mark(order)))
        return str(error), {}


async def _with_others_changes(run: DispatchRun, held: Held, changes: Record) -> Record:
    """What is sent: Field Nation takes sections whole, so what a person changed in one there is sent again.

    Only where a section differs in part it is read first: one request.
    """
    halves = half_changed(held.memory.sent, changes)
    if not halves:
        return changes
    now = await run.field_nation.get_work_order(held.work_order_id or 0, columns=",".join(halves))
    laid = {name: laid_on_current(held.memory.sent[name], changes[name], now.get(name)) for name in halves}
    return {**changes, **laid}


async def cancel(run: DispatchRun, held: Held, source: Source, reason: str) -> Outcome:
    """Cancels a work order that nobody is assigned to yet; the record may get another when it comes back."""
    told = Told(run, source.kind, source.record_id)
    number = held.work_order_id or 0
    try:
        await run.field_nation.cancel_work_order(number, f"ConnectWise: {reason}")
    except RejectedError as error:
        await release(run, held)
        return told.outcome(Result.REFUSED, number, message=f"It could not be cancelled: {error}")
    await run.ledger.intents.cancel(held.intent.id, reason)
    return told.outcome(Result.CANCELLED, number, message=reason)

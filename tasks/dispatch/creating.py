"""Makes a record's work order, once: noted before it is sent, looked for when no answer comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import anyio

from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError
from connectors.field_nation.readback import dropped_fields
from tasks.dispatch.finding import look, number_on
from tasks.dispatch.finishing import finish
from tasks.dispatch.intents import Held, hold_again, outliving, release
from tasks.dispatch.outcomes import Told
from tasks.dispatch.refusals import Refusal, What, keep_refusal, refusal_of
from tasks.dispatch.related import Source
from tasks.dispatch.run import DispatchRun, Outcome, Record, Result
from tasks.dispatch.settings import CreateState
from tasks.progress import run_logger
from tasks.rules.dispatch_mapping import work_order_of
from tasks.rules.dispatch_memory import FOUND, RULES, Memory
from tasks.rules.dispatch_reference import with_reference
from tasks.rules.dispatch_triggers import Seen, triggers_mark


@dataclass(frozen=True, slots=True)
class Wanted:
    """The work order as the record wants it: the body with its reference, and what is wrong with it."""

    body: Record
    warnings: tuple[str, ...] = ()
    refusal: str = ""


def wanted_work_order(run: DispatchRun, source: Source) -> Wanted:
    """Maps the record; ``refusal`` names all that is missing, unless incomplete drafts are allowed."""
    mapped = work_order_of(run.settings.mappings_of(source.kind).inbound, source.document)
    reference = run.reference(source.kind, source.record_id)
    title = with_reference(str(mapped.record.get("title") or ""), reference)
    body = {**mapped.record, "title": title, "incident_id": reference}
    refusal = mapped.message if mapped.missing and not _may_lack(run) else ""
    return Wanted(body, mapped.problems, refusal)


def _may_lack(run: DispatchRun) -> bool:
    drafts = run.settings.create_state is CreateState.DRAFT
    return drafts and run.settings.work_orders.incomplete_drafts


async def create(run: DispatchRun, held: Held, source: Source, seen: Seen, *, look_first: bool) -> Outcome:
    """One creation, from the mapping to the linked, published and written back work order.

    Args:
        source: with its related records.
        look_first: the ledger may have forgotten this record: adopt its work order rather than make one.
    """
    told = Told(run, source.kind, source.record_id)
    wanted = wanted_work_order(run, source)
    if wanted.refusal:
        await run.ledger.intents.refused(held.intent.id, held.holder, wanted.refusal)
        return told.outcome(Result.REFUSED, message=wanted.refusal, warnings=wanted.warnings)
    memory = Memory(sent=wanted.body, seen=seen, more=_judged_by(run, source))
    if look_first and (adopted := await adopt(run, held, source, seen, wanted)) is not None:
        return adopted
    sent = [held.intent.generation, wanted.body]
    before = await refusal_of(run, source.kind, source.record_id, What.CREATION, sent)
    if before is not None:
        await release(run, held)
        return told.outcome(Result.REFUSED, message=before.message, warnings=wanted.warnings)
    seconds = outliving(run.settings.waiting.creation_seconds)
    await run.ledger.intents.mark_sent(held.intent.id, held.holder, seconds=seconds)
    made = await _send(run, held, wanted)
    if isinstance(made, Outcome):
        return made
    dropped = dropped_fields(wanted.body, made)
    memory = memory.but(dropped=tuple(dropped))
    await run.ledger.intents.created(held.intent.id, int(made["id"]), memory.details())
    warnings = (*wanted.warnings, *dropped_words(dropped))
    return await _finished(run, held, source, Result.CREATED, int(made["id"]), warnings)


async def adopt(
    run: DispatchRun, held: Held, source: Source, seen: Seen, wanted: Wanted | None
) -> Outcome | None:
    """Looks once; an adopted work order is linked and finished. None: there is none.

    Two living ones are reported, and nothing is done.
    """
    told = Told(run, source.kind, source.record_id)
    told_number = number_on(run, source.record) if held.intent.generation == 1 else None
    adoption = await look(run, held.intent, told_number)
    if adoption.problem:
        await release(run, held)
        return told.outcome(Result.REPORTED, message=adoption.problem)
    if adoption.work_order_id is None:
        return None
    number = adoption.work_order_id
    kept = await _kept(run, number, wanted)
    body = wanted.body if wanted is not None else {}
    found = held.intent.attempts == 0
    # Of a work order that the ledger had forgotten nobody knows what was sent last: what it has stays.
    others = sorted(body.keys() - kept.keys()) if found else []
    more = _judged_by(run, source) | ({FOUND: True} if found else {})
    if not found and body.keys() - kept.keys():
        # As if this change of the record had not been seen: the sweep then looks again, and sends the rest.
        seen = replace(seen, updated=None)
    if wanted is None:
        # Its record left before the work order was found: the next look sees it leave, and does what is set.
        seen = replace(seen, updated=None, inside=True)
    memory = Memory(sent=body if found else kept, seen=seen, more=more)
    await run.ledger.intents.created(held.intent.id, number, memory.details())
    if wanted is None:
        return told.outcome(Result.ADOPTED, number, message="its record wants no work order any more")
    warning = f"Work order {number} was found with another {', '.join(others)}, which stays"
    return await _finished(run, held, source, Result.ADOPTED, number, (warning,) if others else ())


def _judged_by(run: DispatchRun, source: Source) -> dict[str, Any]:
    return {RULES: triggers_mark(run.settings.triggers, source.kind)}


async def _kept(run: DispatchRun, number: int, wanted: Wanted | None) -> dict[str, Any]:
    """Of what is wanted the sections that the found work order has as they are; the others are sent yet.

    Of a record that wants none any more the description alone: the note that it was made of is no news.
    """
    found = await run.field_nation.get_work_order(number)
    if wanted is None:
        html = (found.get("description") or {}).get("html")
        return {"description": {"html": html}} if html else {}
    return {name: value for name, value in wanted.body.items() if not dropped_fields({name: value}, found)}


async def _send(run: DispatchRun, held: Held, wanted: Wanted) -> Record | Outcome:
    """The created work order; or what to tell where it was refused, or its outcome is not known."""
    intents, intent = run.ledger.intents, held.intent
    told = Told.of(run, intent)
    try:
        with anyio.fail_after(run.settings.waiting.creation_seconds):
            return await run.field_nation.create_work_order(wanted.body)
    except (UnclearOutcomeError, TimeoutError) as error:
        why = str(error) or "it took too long"
        run_logger().warning("%s: no answer to the creation, it is looked for: %s", intent.reference, why)
        await release(run, held)
        return told.outcome(Result.UNCLEAR, message=why, retry_after=run.settings.waiting.pause_seconds)
    except RetryableError as error:
        # Not sent, or refused with 429 before any work: nothing was made.
        await intents.refused(intent.id, held.holder, str(error))
        return told.outcome(Result.FAILED, message=str(error), retry_after=error.retry_after)
    except RejectedError as error:
        about, sent = (told.kind, told.record_id, What.CREATION), [intent.generation, wanted.body]
        await keep_refusal(run, *about, sent, Refusal(str(error)))
        await intents.refused(intent.id, held.holder, str(error))
        return told.outcome(Result.REFUSED, message=str(error), warnings=wanted.warnings)
    except StopError as error:
        await intents.refused(intent.id, held.holder, str(error))
        raise


async def _finished(
    run: DispatchRun, held: Held, source: Source, result: Result, number: int, warnings: tuple[str, ...]
) -> Outcome:
    """Publishes and writes back; whatever of that fails now is done by the next one who sees the record."""
    told = Told(run, source.kind, source.record_id)
    again = await hold_again(run, held)
    if again is None:
        return told.outcome(result, number, warnings=warnings)
    finished = await finish(run, again, source)
    await release(run, again)
    return told.outcome(result, number, warnings=(*warnings, *finished.warnings))


def dropped_words(dropped: list[str]) -> tuple[str, ...]:
    """A warning about members that Field Nation dropped; none where it kept them all."""
    return (f"Field Nation dropped {', '.join(dropped)} without a word",) if dropped else ()

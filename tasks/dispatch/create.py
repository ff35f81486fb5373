"""Makes a record's work order, once: noted before it is sent, looked for when no answer comes.

Finds out what an unanswered creation made: looks several times, with growing pauses, then gives up.

Looks in Field Nation for the work order of a record: by the title's reference, and by date of creation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import anyio

from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError
from connectors.field_nation.models import dropped_fields
from connectors.ledger.models import Intent
from tasks.dispatch.finish import finish
from tasks.dispatch.records import Source, with_related
from tasks.dispatch.run import DispatchRun, Outcome, Record, Result, Told
from tasks.dispatch.settings import CreateState
from tasks.dispatch.state import Held, Refusal, What, hold_again, keep_refusal, outliving, refusal_of, release
from tasks.rules.dispatch.decision import COLUMNS, Adoption, adoptable, may_create_again, next_look
from tasks.rules.dispatch.mapping import work_order_of
from tasks.rules.dispatch.reference import carries, with_reference
from tasks.rules.dispatch.triggers import FOUND, RULES, Memory, Seen, triggers_mark
from tasks.shared.progress import run_logger

DAY = "%Y-%m-%d"
LATEST = timedelta(days=2)
"""What a creation made bears a date of creation before that; so the list of an old one does not grow."""


def number_on(run: DispatchRun, record: Record | None) -> int | None:
    """The work order's number that was written to the record once its work order existed."""
    caption = run.settings.write_back.custom_field
    fields = (record or {}).get("customFields") or []
    texts = [str(each.get("value") or "").strip() for each in fields if each.get("caption") == caption]
    return next((int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19), None)


async def look(run: DispatchRun, intent: Intent, told: int | None = None) -> Adoption:
    """The work order that carries the intent's reference and belongs to no other intent.

    After a creation was sent those made since are listed too: a title may have been edited, and the search
    may not look into the Incident ID. Two requests, more where many were made.

    Args:
        told: the number that the record itself bears, which is looked at too: one request more.
    """
    found = {int(each["id"]): each for each in await _by_title(run, intent.reference)}
    if told is not None and told not in found:
        found |= {int(each["id"]): each for each in await _by_number(run, told)}
    if intent.sent_at is not None:
        until = min(run.now(), intent.sent_at + LATEST)
        found |= {int(each["id"]): each for each in await _since(run, intent.sent_at, until)}
    ours = [each for each in found.values() if carries(each, intent.reference)]
    taken = await _taken(run, intent, (int(each["id"]) for each in ours))
    return adoptable(ours, intent.reference, since=intent.sent_at, taken=taken)


async def created_since(run: DispatchRun, days: int) -> list[Record]:
    """Every work order that was made in the last days, whole days in UTC."""
    return await _since(run, run.now() - timedelta(days=days), run.now())


async def _by_title(run: DispatchRun, reference: str) -> list[Record]:
    return await run.field_nation.search_work_orders(reference, columns=COLUMNS)


async def _by_number(run: DispatchRun, number: int) -> list[Record]:
    try:
        return [await run.field_nation.get_work_order(number, columns=COLUMNS)]
    except RejectedError as error:
        if error.status in (401, 404):
            return []
        raise


async def _since(run: DispatchRun, moment: datetime, until: datetime) -> list[Record]:
    # A day more at each end, since the vendor's clock may disagree about the date.
    first = (moment - timedelta(hours=1)).strftime(DAY)
    last = (until + timedelta(hours=1)).strftime(DAY)
    return await run.field_nation.work_orders_created(first, last, columns=COLUMNS)


async def _taken(run: DispatchRun, intent: Intent, ids: Iterable[int]) -> set[int]:
    """Those that an earlier generation, or another record, has already."""
    taken = set()
    for number in ids:
        owner = await run.ledger.intents.of_work_order(run.tenant, number)
        if owner is not None and owner.id != intent.id:
            taken.add(number)
    return taken


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


SECOND_LOOK = 2.0
"""Seconds from the last look to one more: one alone, by whoever takes over late, proves too little."""


async def settle(
    run: DispatchRun, held: Held, source: Source, seen: Seen, *, wanted: bool, again: bool = False
) -> Outcome:
    """Adopts what is found; else says when to look again, leaves it unresolved, or makes it once more.

    Args:
        wanted: the record still wants a work order.
        again: a person has seen that nothing was made, so the long pause is not waited for.
    """
    told = Told(run, source.kind, source.record_id)
    related = await with_related(run, source) if wanted else source
    body = wanted_work_order(run, related) if wanted else None
    adopted = await adopt(run, held, source, seen, body)
    if adopted is not None:
        return adopted
    waiting = run.settings.waiting
    pause = next_look(await _age(run, held), waiting.settle_seconds, waiting.pause_seconds)
    if pause is not None:
        await release(run, held)
        return told.outcome(Result.UNCLEAR, message="not found yet", retry_after=pause)
    await run.sleep(min(waiting.pause_seconds, SECOND_LOOK))
    taken = await hold_again(run, held)
    if taken is None:
        return told.busy()
    adopted = await adopt(run, taken, source, seen, body)
    return adopted or await _nothing_found(run, taken, related, seen, wanted=wanted, again=again)


async def _nothing_found(
    run: DispatchRun, held: Held, source: Source, seen: Seen, *, wanted: bool, again: bool
) -> Outcome:
    """Unresolved, and made once more where that is due."""
    intent, told = held.intent, Told(run, source.kind, source.record_id)
    unanswered = await _unanswered(run, held)
    age = timedelta(seconds=await _age(run, held))
    once_more = may_create_again(
        unanswered,
        age,
        timedelta(seconds=run.settings.waiting.unresolved_seconds),
        most=run.settings.waiting.unanswered_creations,
        wanted=wanted,
        by_hand=again,
    )
    message = (
        f"Its creation was not answered and nothing was found {age.total_seconds():.0f} s later. Look in "
        f"Field Nation for {intent.reference}; if there is none, run Work Order Creation with Again."
    )
    await run.ledger.intents.unresolved(intent.id, held.holder, message)
    if not once_more:
        return told.outcome(Result.UNRESOLVED, message=message)
    taken = await hold_again(run, held)
    return told.busy() if taken is None else await create(run, taken, source, seen, look_first=False)


async def _unanswered(run: DispatchRun, held: Held) -> int:
    """How many creations of this intent were never answered and found; those refused do not count."""
    name = f"dispatch-unanswered-{held.intent.id}"
    known = await run.ledger.state.get(run.tenant, name) or {}
    count = int(known.get("count") or 0)
    if held.intent.state == "sent":
        count += 1
        await run.ledger.state.set(run.tenant, name, {"count": count})
    return count


async def _age(run: DispatchRun, held: Held) -> float:
    """Seconds since the creation was sent, by the ledger's clock, which wrote it."""
    sent = held.intent.sent_at
    return max(0.0, (await run.ledger.now() - sent).total_seconds()) if sent else float("inf")

"""Creates a record's work order once: noted before it is sent, read back when no answer comes.

create    maps the record, notes in its intent that the creation is sent, sends it, links and finishes it
adopt     looks for a work order of the record, by the title's reference and by date, and takes it
recover   after a creation without answer: looks several times with growing pauses, then gives up, or
          creates once more after a long pause
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio

from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError
from connectors.field_nation.models import dropped_fields
from connectors.ledger.models import Intent
from tasks.dispatch.finish import finish
from tasks.dispatch.records import FetchedRecord, custom_fields_called, with_related
from tasks.dispatch.refusals import KeptRefusal, RefusedStep
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.state import ClaimedRecord, outliving
from tasks.dispatch.update import MappedWorkOrder, dropped_words, wanted_work_order
from tasks.rules.dispatch.decision import (
    ADOPTION_COLUMNS,
    CLOCK_SKEW,
    Adoption,
    adoptable,
    double_words,
    doubles,
    may_create_again,
    next_look,
)
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import carries
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus, RecordRef
from tasks.rules.dispatch.triggers import RecordMemory, Seen, triggers_mark
from tasks.rules.values import read_date_time
from tasks.shared.progress import run_logger

DAY = "%Y-%m-%d"
LATEST_FIND = timedelta(days=2)
"""What a creation made bears a date of creation before that; so the list of an old one does not grow."""
MOST_CONTROLS = 3
"""Known work orders that are looked for at most, to see whether the search is right: some may be deleted."""
SECOND_LOOK = 2.0
"""Seconds from the last look to one more: one alone, by whoever takes over late, proves too little."""


async def create(
    run: DispatchRun, claimed: ClaimedRecord, fetched: FetchedRecord, seen: Seen, *, look_first: bool
) -> DispatchResult:
    """Creates the work order of a claimed record: maps, sends once, links, publishes and writes back.

    Args:
        fetched: with its related records.
        look_first: the ledger may have forgotten this record: adopt its work order rather than make one.
    """
    ref, intent, intents = claimed.ref, claimed.intent, run.ledger.intents
    wanted = wanted_work_order(run, fetched)
    if wanted.refusal:
        await intents.refused(intent.id, claimed.holder, wanted.refusal)
        return ref.result(DispatchStatus.REFUSED, message=wanted.refusal, warnings=wanted.warnings)
    if look_first:
        adopted = await adopt(run, claimed, fetched, seen, wanted) or await _doubt(run, claimed, fetched)
        if adopted is not None:
            return adopted
    before = await run.refusals.kept(ref, RefusedStep.CREATION, [intent.generation, wanted.body])
    if before is not None:
        await run.state.release(claimed)
        return ref.result(DispatchStatus.REFUSED, message=before.message, warnings=wanted.warnings)
    seconds = outliving(run.settings.waiting.creation_seconds)
    await intents.mark_sent(intent.id, claimed.holder, seconds=seconds)
    made = await _send(run, claimed, wanted)
    if isinstance(made, DispatchResult):
        return made
    number, dropped = int(made["id"]), dropped_fields(wanted.body, made)
    mark = triggers_mark(run.settings.triggers, ref.kind)
    memory = RecordMemory(sent=wanted.body, seen=seen, dropped=tuple(dropped), triggers=mark)
    await run.state.created(claimed, number, memory)
    warnings = (*wanted.warnings, *dropped_words(dropped))
    return await _finished(run, claimed, fetched, DispatchStatus.CREATED, number, warnings)


async def _send(run: DispatchRun, claimed: ClaimedRecord, wanted: MappedWorkOrder) -> Record | DispatchResult:
    """The created work order; or the result where it was refused, or its outcome is not known."""
    intents, intent, ref = run.ledger.intents, claimed.intent, claimed.ref
    try:
        with anyio.fail_after(run.settings.waiting.creation_seconds):
            return await run.field_nation.create_work_order(wanted.body)
    except (UnclearOutcomeError, TimeoutError) as error:
        why = str(error) or "it took too long"
        run_logger().warning("%s: no answer to the creation, it is looked for: %s", intent.reference, why)
        await run.state.release(claimed)
        pause = run.settings.waiting.pause_seconds
        return ref.result(DispatchStatus.UNCLEAR, message=why, retry_after=pause)
    except RetryableError as error:
        # Not sent, or refused with 429 before any work: nothing was made.
        await intents.refused(intent.id, claimed.holder, str(error))
        return ref.result(DispatchStatus.FAILED, message=str(error), retry_after=error.retry_after)
    except RejectedError as error:
        sent = [intent.generation, wanted.body]
        await run.refusals.keep(ref, RefusedStep.CREATION, sent, KeptRefusal(str(error)))
        await intents.refused(intent.id, claimed.holder, str(error))
        return ref.result(DispatchStatus.REFUSED, message=str(error), warnings=wanted.warnings)
    except StopError as error:
        await intents.refused(intent.id, claimed.holder, str(error))
        raise


async def _finished(
    run: DispatchRun,
    claimed: ClaimedRecord,
    fetched: FetchedRecord,
    status: DispatchStatus,
    number: int,
    warnings: tuple[str, ...],
) -> DispatchResult:
    """Publishes and writes back; whatever of that fails now is done by the next one who sees the record."""
    again = await run.state.renew(claimed)
    if again is None:
        return claimed.ref.result(status, number, warnings=warnings)
    finished = await finish(run, again, fetched)
    await run.state.release(again)
    return claimed.ref.result(status, number, warnings=(*warnings, *finished.warnings))


async def adopt(
    run: DispatchRun,
    claimed: ClaimedRecord,
    fetched: FetchedRecord,
    seen: Seen,
    wanted: MappedWorkOrder | None,
) -> DispatchResult | None:
    """Looks once for a work order of the record, links it and finishes it; None: there is none.

    Two living ones are reported, and nothing is done. Costs what ``find_work_order`` does, and one request
    for the work order that was found.

    Args:
        wanted: None where the record wants no work order any more.
    """
    ref, intent = claimed.ref, claimed.intent
    written = written_number(run, fetched.record) if intent.generation == 1 else None
    adoption = await find_work_order(run, intent, written)
    if adoption.problem:
        await run.state.release(claimed)
        return ref.result(DispatchStatus.REPORTED, message=adoption.problem)
    if adoption.work_order_id is None:
        return None
    number = adoption.work_order_id
    kept = await _kept(run, number, wanted)
    body = wanted.body if wanted is not None else {}
    forgotten = intent.attempts == 0
    # Of a work order that the ledger had forgotten nobody knows what was sent last: what it has stays.
    others = sorted(body.keys() - kept.keys()) if forgotten else []
    if not forgotten and body.keys() - kept.keys():
        # As if this change of the record had not been seen: the sweep then looks again, and sends the rest.
        seen = replace(seen, updated=None)
    if wanted is None:
        # Its record left before the work order was found: the next look sees it leave, and does what is set.
        seen = replace(seen, updated=None, inside=True)
    memory = RecordMemory(
        sent=body if forgotten else kept,
        seen=seen,
        triggers=triggers_mark(run.settings.triggers, ref.kind),
        found=forgotten,
    )
    await run.state.created(claimed, number, memory)
    if wanted is None:
        message = "its record wants no work order any more"
        return ref.result(DispatchStatus.ADOPTED, number, message=message)
    stays = (f"Work order {number} was found with another {', '.join(others)}, which stays",)
    return await _finished(run, claimed, fetched, DispatchStatus.ADOPTED, number, stays if others else ())


async def _kept(run: DispatchRun, number: int, wanted: MappedWorkOrder | None) -> dict[str, Any]:
    """Of what is wanted the sections that the found work order has as they are; the others are sent yet.

    Of a record that wants none any more the description alone: the note that it was made of is no news.
    """
    found = await run.field_nation.get_work_order(number)
    if wanted is None:
        html = read_path(found, "description.html")
        return {"description": {"html": html}} if html else {}
    return {name: value for name, value in wanted.body.items() if not dropped_fields({name: value}, found)}


def written_number(run: DispatchRun, record: Record | None) -> int | None:
    """The work order's number that was written to the record once its work order existed."""
    caption = run.settings.write_back.custom_field
    texts = [str(each.get("value") or "").strip() for each in custom_fields_called(record or {}, caption)]
    return next((int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19), None)


async def find_work_order(run: DispatchRun, intent: Intent, written: int | None = None) -> Adoption:
    """Finds the work order that carries the intent's reference and belongs to no other intent.

    After a creation was sent those made since are listed too: a title may have been edited, and the search
    may not look into the Incident ID. Two requests, more where many were made.

    Args:
        written: the number that the record itself bears, which is looked at too: one request more.
    """
    listed = await run.field_nation.search_work_orders(intent.reference, columns=ADOPTION_COLUMNS)
    # The search knows no Incident ID: where a person has edited the title, a recent one is found by that.
    recent = [each for each in run.recent_orders if carries(each, intent.reference)]
    found = {int(each["id"]): each for each in (*recent, *listed)}
    if written is not None and written not in found:
        found |= {int(each["id"]): each for each in await _by_number(run, written)}
    if intent.sent_at is not None:
        until = min(run.now(), intent.sent_at + LATEST_FIND)
        listed = await _created_between(run, intent.sent_at, until)
        found |= {int(each["id"]): each for each in listed}
    ours = [each for each in found.values() if carries(each, intent.reference)]
    taken = await _taken(run, intent, (int(each["id"]) for each in ours))
    return adoptable(ours, intent.reference, since=intent.sent_at, taken=taken)


async def _doubt(run: DispatchRun, claimed: ClaimedRecord, fetched: FetchedRecord) -> DispatchResult | None:
    """Why nothing is created though nothing was found: the record itself bears a number; None: go on."""
    await check_search(run)
    written = written_number(run, fetched.record) if claimed.intent.generation == 1 else None
    if written is None or await _by_number(run, written):
        return None
    await run.state.release(claimed)
    message = (
        f"it bears work order {written}, which Field Nation does not show. If it is to get another, empty "
        f"its custom field {run.settings.write_back.custom_field!r}"
    )
    return claimed.ref.result(DispatchStatus.REPORTED, message=message)


async def check_search(run: DispatchRun) -> None:
    """Looks whether Field Nation finds a work order that is known to exist; one request a cached while.

    That nothing was found for a record means nothing where not even that one is found. The title may have
    been edited, so it counts as found in the list of its day too.

    Raises:
        RetryableError: it is not found, so no creation may rest on the search.
    """
    await run.related.get(("search",), lambda: _search_is_right(run))


async def _search_is_right(run: DispatchRun) -> bool:
    # What was just made may be missing from lists for a while.
    latest = run.now() - CLOCK_SKEW
    created = await run.ledger.intents.in_state(run.tenant, "created")
    known = [each for each in created if each.work_order_id and each.changed_at < latest]
    for each in reversed(known[-MOST_CONTROLS:]):
        number = each.work_order_id or 0
        found = await run.field_nation.search_work_orders(each.reference, columns="status")
        if any(one["id"] == number for one in found):
            return True
        for order in await _by_number(run, number):
            moment = read_date_time(read_path(order, "milestones.created.utc"))
            day = await _created_between(run, moment, moment) if moment else []
            if any(one["id"] == number for one in day):
                return True
            raise RetryableError(
                f"Field Nation does not find work order {number} ({each.reference}) although it exists. It "
                "may not find others either, so nothing is created",
                remedy="The next sweep looks again.",
            )
    return True


async def _created_since(run: DispatchRun, days: int) -> list[Record]:
    """Lists every work order made in the last days, whole days in UTC: a request for each 100."""
    return await _created_between(run, run.now() - timedelta(days=days), run.now())


async def find_doubles(run: DispatchRun, recent: list[Record] | None = None) -> list[str]:
    """A sentence for each reference that several living work orders of the last days carry.

    Args:
        recent: the work orders of the last days, where they were listed before.
    """
    days = run.settings.polling.duplicate_days
    if recent is None:
        recent = await _created_since(run, days) if days else []
    found = doubles(recent, run.settings.reference_prefix)
    return [double_words(reference, ids) for reference, ids in found.items()]


async def list_recent(run: DispatchRun) -> list[Record] | None:
    """The work orders of the last days, for ``find_work_order`` too; None while Field Nation is away.

    Listed before any record is looked at: what a lost ledger has forgotten is then found by its Incident ID,
    whatever a person made of its title.
    """
    days = run.settings.polling.duplicate_days
    try:
        found = await _created_since(run, days) if days else []
    except RetryableError as error:
        run_logger().warning("The work orders of the last days can't be listed yet: %s", error)
        return None
    run.recent_orders = found
    return found


async def _by_number(run: DispatchRun, number: int) -> list[Record]:
    try:
        return [await run.field_nation.get_work_order(number, columns=ADOPTION_COLUMNS)]
    except RejectedError as error:
        if error.status in (401, 404):
            return []
        raise


async def _created_between(run: DispatchRun, moment: datetime, until: datetime) -> list[Record]:
    # A day more at each end, since the vendor's clock may disagree about the date.
    first = (moment - timedelta(hours=1)).strftime(DAY)
    last = (until + timedelta(hours=1)).strftime(DAY)
    return await run.field_nation.work_orders_created(first, last, columns=ADOPTION_COLUMNS)


async def _taken(run: DispatchRun, intent: Intent, ids: Iterable[int]) -> set[int]:
    """Those that an earlier generation, or another record, has already."""
    taken = set()
    for number in ids:
        owner = await run.ledger.intents.of_work_order(run.tenant, number)
        if owner is not None and owner.id != intent.id:
            taken.add(number)
    return taken


async def recover(
    run: DispatchRun,
    claimed: ClaimedRecord,
    fetched: FetchedRecord,
    seen: Seen,
    *,
    wanted: bool,
    retry_creation: bool = False,
) -> DispatchResult:
    """Adopts what an unanswered creation made; else says when to look again, gives up, or creates once more.

    Args:
        wanted: the record still wants a work order.
        retry_creation: a person has seen that nothing was made, so the long pause is not waited for.
    """
    ref, waiting = claimed.ref, run.settings.waiting
    related = await with_related(run, fetched) if wanted else fetched
    body = wanted_work_order(run, related) if wanted else None
    adopted = await adopt(run, claimed, fetched, seen, body)
    if adopted is not None:
        return adopted
    pause = next_look(await _age(run, claimed), waiting.settle_seconds, waiting.pause_seconds)
    if pause is not None:
        await run.state.release(claimed)
        return ref.result(DispatchStatus.UNCLEAR, message="not found yet", retry_after=pause)
    await run.sleep(min(waiting.pause_seconds, SECOND_LOOK))
    again = await run.state.renew(claimed)
    if again is None:
        return busy(run, ref)
    adopted = await adopt(run, again, fetched, seen, body)
    if adopted is not None:
        return adopted
    return await _nothing_found(run, again, related, seen, wanted=wanted, retry_creation=retry_creation)


async def _nothing_found(
    run: DispatchRun,
    claimed: ClaimedRecord,
    fetched: FetchedRecord,
    seen: Seen,
    *,
    wanted: bool,
    retry_creation: bool,
) -> DispatchResult:
    """Unresolved, and created once more where that is due."""
    intent, ref, waiting = claimed.intent, claimed.ref, run.settings.waiting
    unanswered = await run.state.count_unanswered(claimed)
    age = timedelta(seconds=await _age(run, claimed))
    once_more = may_create_again(
        unanswered,
        age,
        timedelta(seconds=waiting.unresolved_seconds),
        most=waiting.unanswered_creations,
        wanted=wanted,
        by_hand=retry_creation,
    )
    message = (
        f"Its creation was not answered and nothing was found {age.total_seconds():.0f} s later. Look in "
        f"Field Nation for {intent.reference}; if there is none, run Work Order Creation with Again."
    )
    await run.ledger.intents.unresolved(intent.id, claimed.holder, message)
    if not once_more:
        return ref.result(DispatchStatus.UNRESOLVED, message=message)
    await check_search(run)
    again = await run.state.renew(claimed)
    if again is None:
        return busy(run, ref)
    return await create(run, again, fetched, seen, look_first=False)


async def _age(run: DispatchRun, claimed: ClaimedRecord) -> float:
    """Seconds since the creation was sent, by the ledger's clock, which wrote it."""
    sent = claimed.intent.sent_at
    return max(0.0, (await run.ledger.now() - sent).total_seconds()) if sent else float("inf")


def busy(run: DispatchRun, ref: RecordRef) -> DispatchResult:
    """The result where another process has the record: it is tried again soon."""
    wait = run.settings.waiting.busy_seconds
    return ref.result(DispatchStatus.BUSY, message="another process works on it", retry_after=wait)

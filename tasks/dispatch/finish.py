"""Finishes a creation: publishes the work order, writes its number to the record. Both may be repeated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.connectwise.models import PatchOperation
from connectors.errors import RejectedError
from connectors.field_nation.models import LIVING, Status, status_of
from tasks.dispatch.outbox import DeliveryResult
from tasks.dispatch.records import (
    SHOWN,
    FetchedRecord,
    custom_fields_called,
    order_mark,
    read_work_order,
)
from tasks.dispatch.refusals import KeptRefusal, RefusedStep
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.settings import CreateState
from tasks.dispatch.state import ClaimedRecord
from tasks.dispatch.ticket_writes import LinkedTicket, add_note, field_operations, patch_ticket, status_id
from tasks.rules.dispatch.decision import OVER
from tasks.rules.dispatch.outbound import NoteWanted
from tasks.rules.dispatch.reference import RecordKind, effect_mark, marked
from tasks.rules.values import folded

NUMBER_NOTE = "number/note"


@dataclass(frozen=True, slots=True)
class FinishedCreation:
    """The record with what is remembered afterwards, and what could not be done, a sentence each."""

    claimed: ClaimedRecord
    warnings: tuple[str, ...] = ()


async def finish(run: DispatchRun, claimed: ClaimedRecord, fetched: FetchedRecord) -> FinishedCreation:
    """Publishes and writes back what is not done yet: a request each, none where nothing is set.

    A refusal is a warning: the work order exists, and that counts.
    """
    warnings: list[str] = []
    memory = claimed.memory
    if not memory.published:
        problem = await _publish(run, claimed)
        warnings += [problem] if problem else []
        memory = replace(memory, published=not problem)
        claimed = await run.state.remember(claimed, memory)
    if not memory.written_back and fetched.record is not None:
        # Before the values are set: what waits for its note is finished by the next look, values and all.
        noted = await _note_number(run, claimed, fetched.record)
        if noted is not None and noted.message:
            warnings.append(f"The note with the work order's number: {noted.message}")
        if noted is not None and not noted.final:
            return FinishedCreation(claimed, tuple(warnings))
        problem = await _write_back(run, claimed, fetched.record)
        warnings += [*filter(None, [problem]), *_untold(run, claimed, fetched.record)]
        claimed = await run.state.remember(claimed, replace(memory, written_back=True))
    return FinishedCreation(claimed, tuple(warnings))


async def _publish(run: DispatchRun, claimed: ClaimedRecord) -> str:
    """Why it stays a draft. What was refused is sent again only once something has changed."""
    number = claimed.work_order_id
    if run.settings.create_state is not CreateState.PUBLISH or number is None:
        return ""
    about, sent = (claimed.ref, RefusedStep.PUBLISHING), [number, claimed.memory.sent]
    before = await run.refusals.kept(*about, sent)
    if before is not None:
        order = await read_work_order(run, number, columns=SHOWN)
        if _is_past_publishing(order):
            return ""
        if order_mark(order) == before.order:
            return f"Work order {number} stays a draft: {before.message}"
    try:
        await run.field_nation.publish_work_order(number)
    except RejectedError as error:
        order = await read_work_order(run, number, columns=SHOWN)
        if _is_past_publishing(order):
            return ""
        await run.refusals.keep(*about, sent, KeptRefusal(str(error), order_mark(order)))
        return f"Work order {number} stays a draft: {error}"
    return ""


def _is_past_publishing(order: Record | None) -> bool:
    """Whether nothing is left to publish: without this it would be tried for ever.

    Old servers say 401 for a work order that does not exist, so nothing was read of it then.
    """
    return not order or status_of(order) in OVER | (LIVING - {Status.DRAFT, Status.POSTPONED})


async def _note_number(run: DispatchRun, claimed: ClaimedRecord, record: Record) -> DeliveryResult | None:
    """Names the work order in an internal note, once, where the record has no field for its number.

    None: it has the field, no note is wanted, or it is a service ticket, whose field is set up with dispatch.
    """
    number = claimed.work_order_id
    if number is None or not _wants_note(run, claimed) or not _lacks_field(run, record):
        return None
    mark = effect_mark(number, "number")
    text = marked(f"Field Nation work order {number}: {run.work_order_url(number)}", mark)
    ticket = LinkedTicket(number, claimed.ref, record, look_first=claimed.memory.found)
    return await add_note(run, ticket, NoteWanted(NUMBER_NOTE, "number", mark, text))


def _wants_note(run: DispatchRun, claimed: ClaimedRecord) -> bool:
    return run.settings.write_back.note and claimed.ref.kind is not RecordKind.SERVICE_TICKET


def _lacks_field(run: DispatchRun, record: Record) -> bool:
    """Whether the record has no custom field for the number although the rules name one."""
    caption = run.settings.write_back.custom_field.strip()
    return bool(caption) and not custom_fields_called(record, caption)


def _untold(run: DispatchRun, claimed: ClaimedRecord, record: Record) -> list[str]:
    """A warning where the record is told its work order's number neither by a field nor by a note."""
    if _wants_note(run, claimed) or not _lacks_field(run, record):
        return []
    caption = run.settings.write_back.custom_field.strip()
    return [
        f"The record has no custom field {caption!r}, so it does not bear the number of work order "
        f"{claimed.work_order_id}: set the field up in ConnectWise, or name another one under Write back"
    ]


async def _write_back(run: DispatchRun, claimed: ClaimedRecord, record: Record) -> str:
    """One PATCH of absolute values, so that it may be sent again; none where nothing is to be set."""
    caption = run.settings.write_back.custom_field
    fields = {caption: str(claimed.work_order_id)} if caption else {}
    try:
        status = await _status_operations(run, claimed.ref.kind, record)
        if operations := [*field_operations(record, fields), *status]:
            await patch_ticket(run, claimed.ref, operations)
    except RejectedError as error:
        return f"The record could not be told of its work order: {error}"
    return ""


async def _status_operations(run: DispatchRun, kind: RecordKind, record: Record) -> list[PatchOperation]:
    name = run.settings.write_back.status.strip()
    if not name or folded(str((record.get("status") or {}).get("name") or "")) == folded(name):
        return []
    number = await status_id(run, kind, record, name)
    return [{"op": "replace", "path": "status", "value": {"id": number}}]

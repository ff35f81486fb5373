"""Writes to the record of a work order: notes, time entries, and values of the record itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.connectwise.models import PatchOperation, TicketKind
from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from tasks.dispatch.outbox import (
    Delivery,
    DeliveryResult,
    DeliveryStatus,
    OutboxClaim,
    claim_repeatable,
    deliver,
    effect_row,
    postponed,
)
from tasks.dispatch.records import (
    custom_fields_called,
    fetch_record,
    notes_of,
    observe_record,
    records_of,
    ticket_kind,
)
from tasks.dispatch.refusals import KeptRefusal
from tasks.dispatch.run import DispatchRun, Record
from tasks.rules.dispatch.outbound import TICKET_FIELD, NoteWanted, TimeWanted, ValueWanted, time_entry
from tasks.rules.dispatch.paths import members_of, objects_of
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import RecordRef
from tasks.rules.dispatch.triggers import RecordChange, is_closed
from tasks.rules.mapping.comparison import same
from tasks.rules.mapping.targets import ValueKind
from tasks.rules.values import folded

CHARGED: dict[TicketKind, str] = {"service": "ServiceTicket", "project": "ProjectTicket"}
_FLAGS = {
    "internal": "internalAnalysisFlag",
    "discussion": "detailDescriptionFlag",
    "resolution": "resolutionFlag",
}


@dataclass(frozen=True, slots=True)
class LinkedTicket:
    """The record that is written, as it was just read, and its work order.

    ``look_first``: the ledger does not know all that was done for this work order, so it is looked for.
    """

    work_order_id: int
    ref: RecordRef
    record: Record
    look_first: bool = False


async def patch_ticket(run: DispatchRun, ref: RecordRef, operations: list[PatchOperation]) -> Record:
    """PATCH a ticket or opportunity; only absolute values, since it may be sent twice."""
    return await records_of(run.client, ref.kind).patch(ref.id, operations)


def field_operations(record: Record, values: Mapping[str, Any]) -> list[PatchOperation]:
    """The PATCH operation that sets custom fields by caption; none where nothing would change."""
    wanted = {folded(caption): value for caption, value in values.items()}
    changed = [
        {"id": field["id"], "caption": field.get("caption"), "value": wanted[caption]}
        for field in objects_of(record.get("customFields"))
        if isinstance(field.get("id"), int)
        and (caption := folded(str(field.get("caption") or ""))) in wanted
        and not _is_value(field.get("value"), wanted[caption])
    ]
    return [{"op": "replace", "path": "customFields", "value": changed}] if changed else []


def _is_value(held: Any, wanted: Any) -> bool:
    """Whether a custom field holds a value already; a text in another normal form is the same text."""
    return held == wanted or (
        isinstance(held, str) and isinstance(wanted, str) and same(ValueKind.TEXT, held, wanted)
    )


async def list_statuses(run: DispatchRun, kind: RecordKind, record: Record) -> list[Record]:
    """Id and name of every status that the record may have: those of its board differ from other boards'."""
    board = members_of(record.get("board")).get("id")
    if not isinstance(board, int) or board < 0:
        board = None

    async def fetch() -> list[Record]:
        if kind is RecordKind.OPPORTUNITY:
            return await run.client.opportunity_statuses.list(fields="id,name")
        return await run.client.board_statuses(int(board or 0)).list(fields="id,name")

    found: list[Record] = await run.related.get(("statuses", kind.value, board), fetch)
    return found


async def status_id(run: DispatchRun, kind: RecordKind, record: Record, name: str) -> int:
    """The id of the status of that name on the record's board.

    Raises:
        RejectedError: the board has none of that name.
    """
    statuses = await list_statuses(run, kind, record)
    found = [each["id"] for each in statuses if folded(str(each.get("name"))) == folded(name)]
    if not found:
        known = ", ".join(sorted(str(each.get("name")) for each in statuses))
        raise RejectedError(
            f"The board of this record has no status {name!r}", remedy=f"It has: {known}. Correct the rules."
        )
    return int(found[0])


async def list_notes(run: DispatchRun, ref: RecordRef) -> list[Record]:
    """Every note of a ticket or opportunity."""
    return await notes_of(run.client, ref).list()


async def post_note(run: DispatchRun, ref: RecordRef, text: str, place: str) -> str:
    """Adds a note, ``internal``, ``discussion`` or ``resolution``; its id. An opportunity knows no places."""
    note: Record = {"text": text}
    if ref.kind is not RecordKind.OPPORTUNITY:
        note |= {flag: name == place for name, flag in _FLAGS.items()}
    return str((await notes_of(run.client, ref).create(note))["id"])


async def add_note(run: DispatchRun, ticket: LinkedTicket, wanted: NoteWanted) -> DeliveryResult:
    """Adds the note of an event, once."""

    async def send() -> str:
        return await post_note(run, ticket.ref, wanted.text, wanted.place)

    async def find() -> str | None:
        return _marked(await list_notes(run, ticket.ref), wanted.mark, "text")

    row = effect_row(run, ticket.work_order_id, wanted.name)
    return await deliver(run, Delivery(row, send, find, ticket.look_first))


async def add_time(run: DispatchRun, ticket: LinkedTicket, wanted: TimeWanted) -> DeliveryResult:
    """Adds the time entry of a stay on site, once.

    Raises:
        RejectedError: an opportunity takes no time entries.
    """
    tickets = ticket_kind(ticket.ref.kind)
    if tickets is None:
        raise RejectedError("No time can be entered for an opportunity", remedy="Correct the rules.")
    charge = {"chargeToType": CHARGED[tickets], "chargeToId": ticket.ref.id}

    async def send() -> str:
        entry = time_entry(wanted, charge, run.settings.time_entries)
        return str((await run.client.time_entries.create(entry))["id"])

    async def find() -> str | None:
        of_ticket = f'chargeToType = "{CHARGED[tickets]}" and chargeToId = {ticket.ref.id}'
        return _marked(await run.client.time_entries.list(of_ticket), wanted.mark, "notes")

    row = effect_row(run, ticket.work_order_id, wanted.name)
    return await deliver(run, Delivery(row, send, find, ticket.look_first))


def operations_for(record: Record, values: Sequence[ValueWanted]) -> list[PatchOperation]:
    """One PATCH that sets all of them; those that the record has already are left out.

    A status goes by its name: the server looks for it on the ticket's own board, which spares a request.

    Raises:
        RejectedError: the record has no such custom field.
    """
    fields = {one.target.removeprefix(TICKET_FIELD): one.value for one in values if _is_field(one)}
    missing = [caption for caption in fields if not custom_fields_called(record, caption)]
    if missing:
        captions = {str(each.get("caption")) for each in objects_of(record.get("customFields"))}
        raise RejectedError(
            f"The record has no custom field {', '.join(map(repr, missing))}",
            remedy=f"It has: {', '.join(sorted(captions)) or 'none'}. Correct the rules.",
        )
    plain = [_operation(one) for one in values if not _is_field(one) and not has_value(record, one)]
    return [*plain, *field_operations(record, fields)]


def has_value(record: Mapping[str, Any], wanted: ValueWanted) -> bool:
    """Whether a record has a value already; names without regard to case."""
    if _is_field(wanted):
        fields = custom_fields_called(record, wanted.target.removeprefix(TICKET_FIELD))
        return any(_is_value(each.get("value"), wanted.value) for each in fields)
    member, _, below = wanted.target.partition(".")
    found = record.get(member)
    found = members_of(found).get(below) if below else found
    return folded(str(found)) == folded(str(wanted.value))


async def refusal_words(
    run: DispatchRun, ticket: LinkedTicket, wanted: ValueWanted, error: RejectedError
) -> str:
    """Why a value was refused; of a status that the board lacks, with the names that it has."""
    if wanted.target != "status.name":
        return str(error)
    board = members_of(ticket.record.get("board"))
    try:
        names = [str(each.get("name")) for each in await list_statuses(run, ticket.ref.kind, ticket.record)]
    except ConnectorError:
        return str(error)
    if folded(str(wanted.value)) in set(map(folded, names)):
        return str(error)
    where = f"The board {board.get('name')!r}" if board else "This kind of record"
    return f"{where} has no status {wanted.value!r}; it has {', '.join(names) or 'none'}. Correct the rules."


def _operation(wanted: ValueWanted) -> PatchOperation:
    member, _, below = wanted.target.partition(".")
    return {"op": "replace", "path": member, "value": {below: wanted.value} if below else wanted.value}


def _is_field(wanted: ValueWanted) -> bool:
    return wanted.target.startswith(TICKET_FIELD)


def _marked(records: Sequence[Record], mark: str, member: str) -> str | None:
    texts = ((int(each["id"]), each.get(member)) for each in records)
    found = [number for number, text in texts if isinstance(text, str) and mark in text]
    return str(min(found)) if found else None


ValueResults = list[tuple[ValueWanted, DeliveryResult]]


@dataclass(frozen=True, slots=True)
class _Value:
    """A value that is to be sent; those of an outbound mapping have no row, so no claim."""

    wanted: ValueWanted
    claim: OutboxClaim | None = None


async def set_values(run: DispatchRun, ticket: LinkedTicket, wanted: Sequence[ValueWanted]) -> ValueResults:
    """Sets values of the ticket, all in one PATCH, each remembered as done.

    They are absolute, so that sending them again after a kill does no harm. Where the vendor refuses them
    together each is sent by itself, so that one wrong name spoils only itself.
    """
    values, results = await _claim(run, ticket, wanted)
    if not values:
        return results
    try:
        return [*results, *await _send(run, ticket, values)]
    except RejectedError as error:
        if len(values) == 1:
            return [*results, await _refused(run, ticket, values[0], error)]
    for one in values:
        try:
            results += await _send(run, ticket, [one])
        except RejectedError as error:
            results.append(await _refused(run, ticket, one, error))
    return results


async def _claim(
    run: DispatchRun, ticket: LinkedTicket, wanted: Sequence[ValueWanted]
) -> tuple[list[_Value], ValueResults]:
    """The values to send, in the order given, since a status may close the ticket; the others' results."""
    values: list[_Value] = []
    results: ValueResults = []
    for one in wanted:
        if one.name:
            claim = await claim_repeatable(run, effect_row(run, ticket.work_order_id, one.name))
            if isinstance(claim, DeliveryResult):
                results.append((one, claim))
            else:
                values.append(_Value(one, claim))
        elif (before := await run.refusals.kept(*_refused_value(ticket, one))) is not None:
            results.append((one, DeliveryResult(DeliveryStatus.REFUSED, message=before.message)))
        else:
            values.append(_Value(one))
    return values, results


async def _send(run: DispatchRun, ticket: LinkedTicket, values: Sequence[_Value]) -> ValueResults:
    wanted = [one.wanted for one in values]
    claims = [one.claim for one in values if one.claim is not None]
    waiting, answer = run.settings.waiting, ticket.record
    if operations := operations_for(ticket.record, wanted):
        for claim in claims:
            await claim.mark_sent(waiting.creation_seconds)
        try:
            answer = await patch_ticket(run, ticket.ref, operations)
        except (RetryableError, StopError) as error:
            for claim in claims:
                await claim.postpone(error, waiting.pause_seconds)
            if isinstance(error, StopError):
                raise
            return [(one, postponed(error, waiting.pause_seconds)) for one in wanted]
    for claim in claims:
        await claim.done()
    if any(one.target.startswith("status.") for one in wanted):
        await note_own_status_change(run, ticket.ref, answer)
    results = []
    for one in wanted:
        lost = f"ConnectWise took {one.target} = {one.value!r} and shows another value"
        message = "" if has_value(answer, one) else lost
        results.append((one, DeliveryResult(DeliveryStatus.DONE, message=message)))
    return results


async def _refused(
    run: DispatchRun, ticket: LinkedTicket, value: _Value, error: RejectedError
) -> tuple[ValueWanted, DeliveryResult]:
    words = await refusal_words(run, ticket, value.wanted, error)
    if value.claim is not None:
        return value.wanted, await value.claim.refuse(words)
    await run.refusals.keep(*_refused_value(ticket, value.wanted), KeptRefusal(words))
    return value.wanted, DeliveryResult(DeliveryStatus.REFUSED, message=words)


def _refused_value(ticket: LinkedTicket, value: ValueWanted) -> tuple[RecordRef, str, Any]:
    """By what a refusal is remembered: the value, and as much of the record as may have made it refused.

    Not its status, nor its time, since other values of the same run change those.
    """
    record = ticket.record
    captions = sorted(str(each.get("caption")) for each in objects_of(record.get("customFields")))
    named = [members_of(record.get(name)).get("id") for name in ("board", "company", "type", "stage")]
    judged = [ticket.work_order_id, value.value, captions, named, is_closed(record)]
    return ticket.ref, f"value {value.target}", judged


async def note_own_status_change(run: DispatchRun, ref: RecordRef, record: Record) -> None:
    """Remembers that the record left its trigger by our own hand: a person who puts it back makes it enter.

    ConnectWise need not tell of changes that the API member made. Where another process works on the record
    nothing is noted: that one, or the next sweep, sees the record itself.
    """
    intent = await run.state.intent(ref.kind, ref.id)
    if intent is None or intent.state != "created":
        return
    claimed = await run.state.claim(ref)
    if claimed is None:
        return
    change, seen = observe_record(run, await fetch_record(run, ref, record), claimed.memory)
    if claimed.link is not None and change is RecordChange.LEFT:
        await run.state.remember(claimed, replace(claimed.memory, seen=seen))
    await run.state.release(claimed)

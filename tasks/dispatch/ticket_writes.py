"""What an event writes in ConnectWise: notes, time entries, and values of the ticket itself.

Sets values of the ticket that events want: all in one request, each remembered as done.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.connectwise.models import PatchOperation, TicketKind
from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.ledger.models import Claimed, Effect
from tasks.dispatch.finish import field_operations, patch_record
from tasks.dispatch.outbox import MOST_REFUSALS, Done, Fate, do_once, effect_job
from tasks.dispatch.records import ticket_kind
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.state import Refusal, keep_refusal, note_own_move, outliving, refusal_of
from tasks.rules.dispatch.outbound import CUSTOM_FIELD, NoteWanted, TimeWanted, ValueWanted, time_entry
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import is_closed

CHARGED: dict[TicketKind, str] = {"service": "ServiceTicket", "project": "ProjectTicket"}
_FLAGS = {
    "internal": "internalAnalysisFlag",
    "discussion": "detailDescriptionFlag",
    "resolution": "resolutionFlag",
}


@dataclass(frozen=True, slots=True)
class Target:
    """The record that is written, as it was just read, and its work order.

    ``found``: the ledger does not know all that was done for this work order, so it is looked for first.
    """

    work_order_id: int
    kind: RecordKind
    record_id: int
    record: Record
    found: bool = False


async def list_notes(run: DispatchRun, kind: RecordKind, record_id: int) -> list[Record]:
    """Every note of a ticket or opportunity."""
    tickets = ticket_kind(kind)
    if tickets is None:
        return await run.client.opportunity_notes(record_id).list()
    return await run.client.ticket_notes(tickets, record_id).list()


async def post_note(run: DispatchRun, kind: RecordKind, record_id: int, text: str, place: str) -> str:
    """Adds a note, ``internal``, ``discussion`` or ``resolution``; its id. An opportunity knows no places."""
    tickets = ticket_kind(kind)
    if tickets is None:
        made = await run.client.opportunity_notes(record_id).create({"text": text})
    else:
        flags = {flag: name == place for name, flag in _FLAGS.items()}
        made = await run.client.ticket_notes(tickets, record_id).create({"text": text, **flags})
    return str(made["id"])


async def add_note(run: DispatchRun, target: Target, wanted: NoteWanted) -> Done:
    """The note of an event, once."""
    kind, record_id = target.kind, target.record_id

    async def send() -> str:
        return await post_note(run, kind, record_id, wanted.text, wanted.place)

    async def find() -> str | None:
        return _marked(await list_notes(run, kind, record_id), wanted.mark, "text")

    return await do_once(run, effect_job(run, target.work_order_id, wanted.name, send, find, target.found))


async def add_time(run: DispatchRun, target: Target, wanted: TimeWanted) -> Done:
    """The time entry of a stay on site, once.

    Raises:
        RejectedError: an opportunity takes no time entries.
    """
    record_id, tickets = target.record_id, ticket_kind(target.kind)
    if tickets is None:
        raise RejectedError("No time can be entered for an opportunity", remedy="Correct the rules.")
    charge = {"chargeToType": CHARGED[tickets], "chargeToId": record_id}

    async def send() -> str:
        entry = time_entry(wanted, charge, run.settings.time_entries)
        return str((await run.client.time_entries.create(entry))["id"])

    async def find() -> str | None:
        of_ticket = f'chargeToType = "{CHARGED[tickets]}" and chargeToId = {record_id}'
        return _marked(await run.client.time_entries.list(of_ticket), wanted.mark, "notes")

    return await do_once(run, effect_job(run, target.work_order_id, wanted.name, send, find, target.found))


def operations_for(record: Record, values: Sequence[ValueWanted]) -> list[PatchOperation]:
    """One PATCH that sets all of them; those that the record has already are left out.

    A status goes by its name: the server looks for it on the ticket's own board, which spares a request.

    Raises:
        RejectedError: the record has no such custom field.
    """
    fields = {one.target.removeprefix(CUSTOM_FIELD): one.value for one in values if _is_field(one)}
    captions = {each.get("caption") for each in record.get("customFields") or []}
    missing = [caption for caption in fields if caption not in captions]
    if missing:
        raise RejectedError(
            f"The record has no custom field {', '.join(map(repr, missing))}",
            remedy=f"It has: {', '.join(sorted(map(str, captions))) or 'none'}. Correct the rules.",
        )
    plain = [_operation(one) for one in values if not _is_field(one) and not has_value(record, one)]
    return [*plain, *field_operations(record, fields)]


def has_value(record: Mapping[str, Any], wanted: ValueWanted) -> bool:
    """Whether a record has a value already; names without regard to case."""
    if _is_field(wanted):
        caption = wanted.target.removeprefix(CUSTOM_FIELD)
        fields = record.get("customFields") or []
        return any(each.get("caption") == caption and each.get("value") == wanted.value for each in fields)
    member, _, below = wanted.target.partition(".")
    found = record.get(member)
    found = (found or {}).get(below) if below else found
    return str(found).strip().casefold() == str(wanted.value).strip().casefold()


async def refusal_words(
    run: DispatchRun, kind: RecordKind, record: Record, wanted: ValueWanted, error: RejectedError
) -> str:
    """Why a value was refused; of a status that the board lacks, with the names that it has."""
    if wanted.target != "status.name":
        return str(error)
    board = record.get("board") or {}
    try:
        names = await _status_names(run, kind, board.get("id"))
    except ConnectorError:
        return str(error)
    if str(wanted.value).strip().casefold() in {name.casefold() for name in names}:
        return str(error)
    where = f"The board {board.get('name')!r}" if board else "This kind of record"
    return f"{where} has no status {wanted.value!r}; it has {', '.join(names) or 'none'}. Correct the rules."


async def _status_names(run: DispatchRun, kind: RecordKind, board: int | None) -> list[str]:
    async def fetch() -> list[Record]:
        if kind is RecordKind.OPPORTUNITY or board is None:
            return await run.client.opportunity_statuses.list(fields="id,name")
        return await run.client.board_statuses(board).list(fields="id,name")

    found: list[Record] = await run.related.get(("statuses", kind.value, board), fetch)
    return [str(each.get("name")) for each in found]


def _operation(wanted: ValueWanted) -> PatchOperation:
    member, _, below = wanted.target.partition(".")
    return {"op": "replace", "path": member, "value": {below: wanted.value} if below else wanted.value}


def _is_field(wanted: ValueWanted) -> bool:
    return wanted.target.startswith(CUSTOM_FIELD)


def _marked(records: Sequence[Record], mark: str, member: str) -> str | None:
    found = [int(each["id"]) for each in records if mark in str(each.get(member) or "")]
    return str(min(found)) if found else None


Settled = list[tuple[ValueWanted, Done]]


async def set_values(run: DispatchRun, target: Target, values: Sequence[ValueWanted]) -> Settled:
    """What became of each. They are absolute, so that sending them again after a kill does no harm.

    Where the vendor refuses them together each is sent by itself, so that one wrong name spoils only itself.
    """
    claimed, settled = await _claim(run, target, values)
    if not claimed:
        return settled
    try:
        return [*settled, *await _send(run, target, claimed)]
    except RejectedError as error:
        if len(claimed) == 1:
            return [*settled, await _refused(run, target, claimed[0], error)]
    for one in claimed:
        try:
            settled += await _send(run, target, [one])
        except RejectedError as error:
            settled.append(await _refused(run, target, one, error))
    return settled


@dataclass(slots=True)
class _Claim:
    """A value with its row in the ledger; values of an outbound mapping have none."""

    value: ValueWanted
    row_id: int | None
    holder: str
    sent: bool = False


async def _claim(
    run: DispatchRun, target: Target, values: Sequence[ValueWanted]
) -> tuple[list[_Claim], Settled]:
    claimed: list[_Claim] = []
    settled: Settled = []
    for value in values:
        if not value.name:
            before = await refusal_of(run, *_about(target, value))
            if before is None:
                claimed.append(_Claim(value, None, ""))
            else:
                settled.append((value, Done(Fate.REFUSED, message=before.message)))
            continue
        holder = str(uuid.uuid4())
        found = await _row(run, target, value, holder)
        row, ours = found.row, found.ours
        if ours and row.state == "sent":
            # Of a process that was killed: what it sent may be sent again.
            await run.ledger.effects.unresolved(row.id, holder, "not known, and harmless to repeat")
            ours = (await _row(run, target, value, holder)).ours
        if row.state == "done":
            settled.append((value, Done(Fate.BEFORE)))
        elif not ours:
            busy = run.settings.waiting.busy_seconds
            settled.append((value, Done(Fate.BUSY, message="another process does it", retry_after=busy)))
        elif row.state == "refused" and row.attempts >= MOST_REFUSALS:
            await run.ledger.effects.release(row.id, holder)
            settled.append((value, Done(Fate.GIVEN_UP, message=row.message or "")))
        else:
            claimed.append(_Claim(value, row.id, holder))
    return claimed, settled


async def _row(run: DispatchRun, target: Target, value: ValueWanted, holder: str) -> Claimed[Effect]:
    seconds = run.settings.waiting.hold_seconds
    number = target.work_order_id
    return await run.ledger.effects.claim(run.tenant, number, value.name, holder=holder, seconds=seconds)


async def _send(run: DispatchRun, target: Target, claimed: Sequence[_Claim]) -> Settled:
    values = [one.value for one in claimed]
    operations = operations_for(target.record, values)
    if operations:
        await _mark(run, claimed)
        try:
            answer = await patch_record(run, target.kind, target.record_id, operations)
        except RetryableError as error:
            await _give_back(run, claimed, error)
            return [(one.value, _later(run, error)) for one in claimed]
        except StopError as error:
            await _give_back(run, claimed, error)
            raise
    else:
        answer = target.record
    settled: Settled = []
    for one in claimed:
        if one.row_id is not None:
            await run.ledger.effects.done(one.row_id)
        kept = has_value(answer, one.value)
        settled.append((one.value, Done(Fate.DONE, message="" if kept else _not_kept(one.value))))
    if any(one.target.startswith("status.") for one in values):
        await note_own_move(run, target.kind, target.record_id, answer)
    return settled


async def _mark(run: DispatchRun, claimed: Sequence[_Claim]) -> None:
    """All as sent, right before they are."""
    seconds = outliving(run.settings.waiting.creation_seconds)
    for one in claimed:
        if one.row_id is not None and not one.sent:
            await run.ledger.effects.mark_sent(one.row_id, one.holder, seconds=seconds)
            one.sent = True


async def _give_back(run: DispatchRun, claimed: Sequence[_Claim], error: ConnectorError) -> None:
    for one in claimed:
        if one.row_id is not None:
            await run.ledger.effects.unresolved(one.row_id, one.holder, str(error))


def _later(run: DispatchRun, error: RetryableError) -> Done:
    pause = error.retry_after if error.retry_after is not None else run.settings.waiting.pause_seconds
    return Done(Fate.LATER, message=str(error), retry_after=pause)


async def _refused(
    run: DispatchRun, target: Target, one: _Claim, error: RejectedError
) -> tuple[ValueWanted, Done]:
    words = await refusal_words(run, target.kind, target.record, one.value, error)
    if one.row_id is not None:
        await run.ledger.effects.refused(one.row_id, one.holder, words)
    else:
        await keep_refusal(run, *_about(target, one.value), Refusal(words))
    return one.value, Done(Fate.REFUSED, message=words)


def _about(target: Target, value: ValueWanted) -> tuple[RecordKind, int, str, Any]:
    """By what a refusal is remembered: the value, and as much of the record as may have made it refused.

    Not its status, nor its time, since other values of the same run change those.
    """
    record = target.record
    captions = sorted(str(each.get("caption")) for each in record.get("customFields") or [])
    named = [(record.get(name) or {}).get("id") for name in ("board", "company", "type", "stage")]
    judged = [target.work_order_id, value.value, captions, named, is_closed(record)]
    return target.kind, target.record_id, f"value {value.target}", judged


def _not_kept(value: ValueWanted) -> str:
    return f"ConnectWise took {value.target} = {value.value!r} and shows another value"

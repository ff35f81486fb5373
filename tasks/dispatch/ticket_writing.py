"""What an event writes in ConnectWise: notes, time entries, and values of the ticket itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.connectwise.models import PatchOperation
from connectors.connectwise.tickets import TicketKind
from connectors.errors import ConnectorError, RejectedError
from tasks.dispatch.effects import effect_job
from tasks.dispatch.finishing import field_operations
from tasks.dispatch.once import Done, do_once
from tasks.dispatch.related import ticket_kind
from tasks.dispatch.run import DispatchRun, Record
from tasks.rules.dispatch_outbound import CUSTOM_FIELD, NoteWanted, TimeWanted, ValueWanted, time_entry
from tasks.rules.dispatch_reference import RecordKind

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
        return await run.client.list_opportunity_notes(record_id)
    return await run.client.list_ticket_notes(tickets, record_id)


async def post_note(run: DispatchRun, kind: RecordKind, record_id: int, text: str, place: str) -> str:
    """Adds a note, ``internal``, ``discussion`` or ``resolution``; its id. An opportunity knows no places."""
    tickets = ticket_kind(kind)
    if tickets is None:
        made = await run.client.create_opportunity_note(record_id, {"text": text})
    else:
        flags = {flag: name == place for name, flag in _FLAGS.items()}
        made = await run.client.create_ticket_note(tickets, record_id, {"text": text, **flags})
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
        return str((await run.client.create_time_entry(entry))["id"])

    async def find() -> str | None:
        of_ticket = f'chargeToType = "{CHARGED[tickets]}" and chargeToId = {record_id}'
        return _marked(await run.client.list_time_entries(of_ticket), wanted.mark, "notes")

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
            return await run.client.list_opportunity_statuses(fields="id,name")
        return await run.client.list_board_statuses(board, fields="id,name")

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

"""Notes beyond their own collection: the merged list of a ticket, and the change of the owner."""

from collections.abc import Iterator

from sandbox.connectwise.fields import Table
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.tables import table_of

_FLAGS = ("detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag")
_CHARGED = {"service/tickets": "ServiceTicket", "project/tickets": "ProjectTicket"}


def all_notes(store: Store, table: Table, ticket_id: int) -> dict[int, Record]:
    """The stored form of a ticket's merged list: its own notes, then those of its time entries.

    The keys are places in the list, since the ids of the two may be the same.
    """
    owner = table.fields["ticket"].target
    ticket = {"ticket": {"id": ticket_id}}
    notes = [
        {**one, "noteType": "TicketNote", "_info": _entered(one)}
        for one in store.collection(f"{owner}/notes").values()
        if one.get("ticket") == ticket["ticket"]
    ]
    found = [*notes, *_of_time_entries(store, _CHARGED[owner], ticket_id)]
    return {place: {**table.defaults, **one, **ticket} for place, one in enumerate(found)}


def _of_time_entries(store: Store, charged: str, ticket_id: int) -> Iterator[Record]:
    for one in store.collection("time/entries").values():
        if one.get("chargeToId") != ticket_id or one.get("chargeToType") != charged or not one.get("notes"):
            continue
        flags = ("addToDetailDescriptionFlag", "addToInternalAnalysisFlag", "addToResolutionFlag")
        note = {name: bool(one.get(flag)) for name, flag in zip(_FLAGS, flags, strict=True)}
        note |= {name: one[name] for name in ("id", "member", "timeStart", "timeEnd") if name in one}
        yield {**note, "noteType": "TimeEntryNote", "text": one["notes"], "_info": _entered(one)}


def _entered(record: Record) -> Record:
    info = record.get("_info", {})
    author = record.get("createdBy") or record.get("enteredBy") or info.get("updatedBy")
    entered = record.get("dateCreated") or record.get("dateEntered") or info.get("lastUpdated")
    return {**info, "dateEntered": entered, "enteredBy": author}


def move_owner(store: Store, table: Table, owner_id: int | None, *, by: str) -> None:
    """Note a change of the record that notes of this collection belong to."""
    owner = store.get(table.owner, owner_id) if table.owner and owner_id is not None else None
    if owner is not None:
        store.touch(table_of(table.owner), owner, by=by)

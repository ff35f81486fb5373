"""Notes and time entries beyond their own collection: a ticket's merged list, and its change."""

from collections.abc import Iterator

from sandbox.connectwise.charging import CHARGED, charged_ticket
from sandbox.connectwise.fields import Table
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.tables import table_of
from sandbox.connectwise.time_tables import TIME_ENTRIES

_FLAGS = ("detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag")


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
    charged = next(kind for kind, collection in CHARGED.items() if collection == owner)
    found = [*notes, *_of_time_entries(store, charged, ticket_id)]
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


def move_owner(store: Store, table: Table, record: Record, *, notes_move: bool, by: str) -> None:
    """Do to the owner of a record what writing, or deleting, the record does to it.

    A note changes what it belongs to if `notes_move`; a time entry changes the hours of its ticket.
    """
    if table.owner and notes_move:
        owner = store.get(table.owner, record.get(table.parent, {}).get("id", 0))
        if owner is not None:
            store.touch(table_of(table.owner), owner, by=by)
    elif table.name == TIME_ENTRIES.name and record.get("chargeToType") in CHARGED:
        ticket = charged_ticket(record, store.collection)
        if ticket is not None:
            ticket["actualHours"] = _hours(store, record)
            store.touch(table_of(CHARGED[record["chargeToType"]]), ticket, by=by)


def _hours(store: Store, entry: Record) -> float:
    names = ("chargeToType", "chargeToId")
    entries = store.collection(TIME_ENTRIES.name).values()
    same = (one for one in entries if all(one.get(name) == entry[name] for name in names))
    return round(sum(float(one.get("actualHours", 0)) for one in same), 2)

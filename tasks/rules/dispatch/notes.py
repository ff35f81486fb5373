"""Which notes of a ticket and messages of a work order are copied to the other side: each once, never back.

A note is a copy, and so not copied, if its id is remembered as one, if its author is named as this
integration's own, or if it ends with one of our marks and was not written by somebody else: a person who
answers below a quoted copy is not this integration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tasks.rules.dispatch.events import NoteSettings
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import ends_with_mark, marked, message_mark, note_mark
from tasks.rules.markup import text_of_markup
from tasks.rules.values import folded

Side = Literal["connectwise", "field_nation"]
Record = Mapping[str, Any]
OWN_COMPANY = frozenset({"INTERNAL", "STAFF_NOTE"})
"""Types of messages that only the own company sees."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note of a ticket, or a message of a work order. ``internal``: no customer or provider sees it.

    ``id`` is the vendor's, as text, "" where it gave none: such a one is never copied, since nobody could
    tell whether it was. ``author`` is a name to show, ``writer`` what the side knows authors by.
    """

    side: Side
    id: str
    text: str
    author: str = ""
    writer: str = ""
    internal: bool = False
    description: bool = False
    """Of the discussion: the oldest of these may be the ticket's description."""


@dataclass(frozen=True, slots=True)
class KnownCopy:
    """What the ledger knows: a note of one side, and its copy's id on the other, None if not known."""

    origin: Side
    origin_id: str
    copy_id: str | None


@dataclass(frozen=True, slots=True)
class NoteCopy:
    """A note that is due. ``found``: id of a copy that is there already although nobody remembers it.

    ``internal`` is the copy's own: for messages, only the own company sees it.
    """

    note: Note
    text: str
    mark: str
    internal: bool
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Both sides as read, and whose they are."""

    work_order_id: int
    reference: str
    notes: Sequence[Note]
    messages: Sequence[Note]
    description: str = ""
    """The work order's description: the note that it was made of is not copied as well."""


def ticket_note(record: Record) -> Note:
    """A note of a ticket as ConnectWise shows it. One that is in no discussion counts as internal."""
    discussion = bool(record.get("detailDescriptionFlag"))
    shown = discussion or bool(record.get("resolutionFlag"))
    hidden = bool(record.get("internalAnalysisFlag") or record.get("internalFlag"))
    writer = _first(record, "createdBy", "member.identifier", "contact.name", "enteredBy", "_info.updatedBy")
    return Note(
        "connectwise",
        _id(record.get("id")),
        str(record.get("text") or ""),
        _first(record, "member.name", "contact.name", "createdBy", "enteredBy"),
        writer,
        internal=hidden or not shown,
        description=discussion,
    )


def opportunity_note(record: Record) -> Note:
    """A note of an opportunity: the customer sees none of them."""
    return Note(
        "connectwise",
        _id(record.get("id")),
        str(record.get("text") or ""),
        _first(record, "enteredBy", "_info.updatedBy"),
        _first(record, "enteredBy", "_info.updatedBy"),
        internal=True,
    )


def order_message(record: Record) -> Note:
    """A message of a work order; its ``role`` repeats the type that it was posted with."""
    return Note(
        "field_nation",
        _id(record.get("msg_id")),
        str(record.get("message") or ""),
        _first(record, "from.name"),
        _first(record, "from.id", "from.name"),
        internal=str(record.get("role") or "").upper() in OWN_COMPANY,
    )


def copies_due(talk: Conversation, known: Iterable[KnownCopy], settings: NoteSettings) -> list[NoteCopy]:
    """What is to be copied, oldest first on each side; the ledger then sees to it that each is once."""
    remembered = list(known)
    own = {folded(name) for name in settings.own_authors}
    due: list[NoteCopy] = []
    for notes, others in ((talk.notes, talk.messages), (talk.messages, talk.notes)):
        side: Side = "connectwise" if notes is talk.notes else "field_nation"
        if not (settings.to_field_nation if side == "connectwise" else settings.to_connectwise):
            continue
        done = {one.origin_id for one in remembered if one.origin == side and one.copy_id is not None}
        made = {one.copy_id for one in remembered if one.origin != side and one.copy_id is not None}
        ours = {note.writer for note in notes if note.id in made and note.writer}
        skipped = _description_note(talk) if side == "connectwise" else None
        for note in sorted(notes, key=_age):
            if not note.id or note.id in done | made or note.id == skipped:
                continue
            if not text_of_markup(note.text).strip():
                continue
            if own & {folded(note.writer), folded(note.author)}:
                continue
            # A mark tells a copy, unless copies that are known here were written by another.
            if ends_with_mark(note.text) and (not ours or note.writer in ours or not note.writer):
                continue
            if note.internal and side == "connectwise" and not settings.internal_too:
                continue
            due.append(_copy(talk, note, others, settings))
    return due


def _copy(talk: Conversation, note: Note, others: Iterable[Note], settings: NoteSettings) -> NoteCopy:
    if note.side == "connectwise":
        mark = note_mark(talk.reference, note.id)
        internal = note.internal or not settings.visible_to_provider
        place = "ConnectWise"
    else:
        mark = message_mark(talk.work_order_id, note.id)
        internal = note.internal or settings.provider_messages_internal
        place = "Field Nation"
    who = f"{note.author} in {place}" if note.author else f"In {place}"
    text = marked(f"{who}: {text_of_markup(note.text).strip()}", mark)
    return NoteCopy(note, text, mark, internal, copy_of(others, mark))


def copy_of(others: Iterable[Note], mark: str) -> str | None:
    """The id of the oldest note that holds a mark; None: there is none."""
    found = [note for note in others if mark in note.text]
    return min(found, key=_age).id if found else None


def _description_note(talk: Conversation) -> str | None:
    discussion = sorted((note for note in talk.notes if note.description), key=_age)
    if not discussion:
        return None
    description = folded(text_of_markup(talk.description))
    # A mapping may put more around it; what looks like markup was taken as it is, or as markup.
    said = {folded(discussion[0].text), folded(text_of_markup(discussion[0].text))} - {""}
    return discussion[0].id if any(each in description for each in said) else None


def _id(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _age(note: Note) -> tuple[int, str]:
    return (int(note.id), "") if note.id.isdecimal() else (0, note.id)


def _first(record: Record, *paths: str) -> str:
    found: Iterator[Any] = (read_path(record, path) for path in paths)
    return next((str(value) for value in found if value not in (None, "")), "")

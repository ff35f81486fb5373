"""The reference by which a work order is found again, and the marks by which a copy or a note is.

    CW-S-123                     service ticket 123; in a title: [CW-S-123] Replace the access point
    CW-P-124                     project ticket 124
    CW-O-7                       opportunity 7
    [FN-410001-completed]        in ConnectWise: what an event of work order 410001 wrote
    [FN-410001-message-55]       in ConnectWise: the copy of message 55
    [CW-S-123-note-77]           in Field Nation: the copy of note 77 of service ticket 123

Field Nation takes no external id and ConnectWise none for a note, so what an unanswered request made is
looked for by these texts. A work order carries its reference in title and Incident ID; a mark stands at the
end of what this integration writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

PREFIX = "CW"
"""What references begin with unless a setting says otherwise."""
NUMBER_FIELD = "FN Work Order"
"""Caption of the custom field for the work order's number, unless a setting says otherwise."""


class RecordKind(StrEnum):
    """What is dispatched."""

    SERVICE_TICKET = "service"
    PROJECT_TICKET = "project"
    OPPORTUNITY = "opportunity"

    @property
    def words(self) -> str:
        """``service ticket``."""
        return self.value if self is RecordKind.OPPORTUNITY else f"{self.value} ticket"

    @property
    def plural(self) -> str:
        """``service tickets``, ``opportunities``."""
        return "opportunities" if self is RecordKind.OPPORTUNITY else f"{self.words}s"


_LETTERS = {RecordKind.SERVICE_TICKET: "S", RecordKind.PROJECT_TICKET: "P", RecordKind.OPPORTUNITY: "O"}
_KINDS = {letter: kind for kind, letter in _LETTERS.items()}
_SHAPE = r"(?P<prefix>[A-Za-z][A-Za-z0-9]{0,9})-(?P<letter>[SPO])-(?P<number>[1-9]\d{0,17})"
_WHOLE = re.compile(_SHAPE)
_IN_BRACKETS = re.compile(rf"\[{_SHAPE}\]")


def reference_of(kind: RecordKind, number: int, prefix: str = PREFIX) -> str:
    """``CW-S-123`` for service ticket 123."""
    return f"{prefix}-{_LETTERS[kind]}-{int(number)}"


def parse_reference(text: str, prefix: str = PREFIX) -> tuple[RecordKind, int] | None:
    """The record that a reference names; None for any other text, and for another prefix."""
    found = _WHOLE.fullmatch(text.strip())
    if found is None or found["prefix"] != prefix:
        return None
    return _KINDS[found["letter"]], int(found["number"])


def with_reference(title: str, reference: str) -> str:
    """``[CW-S-123] title``; a title that begins so already stays, one that names another record does not."""
    text = title.strip()
    if _title_reference(text) == reference:
        return text
    return f"[{reference}] {text}".strip()


def references_in(work_order: Mapping[str, Any]) -> tuple[str, str]:
    """What Incident ID and title carry, each "" where it is no reference; the title's is at its start."""
    incident, title = _text(work_order.get("incident_id")), _text(work_order.get("title"))
    return (incident if _WHOLE.fullmatch(incident) else "", _title_reference(title))


def carries(work_order: Mapping[str, Any], reference: str) -> bool:
    """Whether a work order belongs to the record: its Incident ID is the reference, or its title names it.

    Where both name one, the Incident ID counts: a title is edited more easily. CW-S-10 is not found in
    CW-S-101.
    """
    incident, title = references_in(work_order)
    return (incident or title) == reference


def reference_carried(work_order: Mapping[str, Any]) -> str:
    """The reference that a work order carries, "" for none; see ``carries``."""
    incident, title = references_in(work_order)
    return incident or title


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _title_reference(title: str) -> str:
    found = _IN_BRACKETS.match(title)
    return found[0][1:-1] if found else ""


_MARK = re.compile(
    r"\[(?:FN-\d+-[a-z0-9_.-]+|[A-Za-z][A-Za-z0-9]{0,9}-[SPO]-\d+-note-\d+)\]\s*(?:</?\w+>\s*)*\Z"
)


def effect_mark(work_order_id: int, what: str) -> str:
    """The mark of what an event wrote; ``what`` is the event's key, and a number where it writes more."""
    return f"[FN-{work_order_id}-{what}]"


def message_mark(work_order_id: int, message_id: str) -> str:
    """The mark of a message's copy in ConnectWise."""
    return f"[FN-{work_order_id}-message-{message_id}]"


def note_mark(reference: str, note_id: str) -> str:
    """The mark of a note's copy in Field Nation."""
    return f"[{reference}-note-{note_id}]"


def marked(text: str, mark: str) -> str:
    """The text with its mark on a line of its own at the end."""
    return f"{text.strip()}\n\n{mark}".strip()


def ends_with_mark(text: str) -> bool:
    """Whether the text ends as everything does that this integration writes."""
    return _MARK.search(text.rstrip()) is not None

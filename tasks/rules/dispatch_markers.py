"""Marks that this integration leaves at the end of what it writes, so that it finds it and knows it again.

[FN-410001-completed]        in ConnectWise: what an event of work order 410001 wrote
[FN-410001-message-55]       in ConnectWise: the copy of message 55
[CW-S-123-note-77]           in Field Nation: the copy of note 77 of service ticket 123
"""

from __future__ import annotations

import re

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

"""What comes back from a work order, as settings; the words themselves belong to the rules."""

from __future__ import annotations

from tasks.rules.outbound_words import (
    NoteSettings,
    OutboundAction,
    OutboundRule,
    TimeEntrySettings,
    WorkOrderEvent,
    default_outbound_rules,
)

__all__ = [
    "NoteSettings",
    "OutboundAction",
    "OutboundRule",
    "TimeEntrySettings",
    "WorkOrderEvent",
    "default_outbound_rules",
]

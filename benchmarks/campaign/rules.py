"""The rules that the campaign runs with: the documented ones, with waiting times made short."""

from __future__ import annotations

from tasks.dispatch.settings import (
    CreateState,
    DispatchSettings,
    DispatchWaiting,
    OnLeave,
    PollingSettings,
    WorkOrderDefaults,
)
from tasks.rules.dispatch.events import OutboundAction, OutboundRule, WorkOrderEvent, default_outbound_rules

REQUESTS_A_MINUTE = 60_000
"""Of the clients' own budget for Field Nation, and the sandbox counts none: 60 would take hours."""
WAITING = DispatchWaiting(
    settle_seconds=6,
    pause_seconds=0.5,
    unresolved_seconds=15,
    unanswered_creations=6,
    creation_seconds=20,
    hold_seconds=12,
    busy_seconds=1,
    patience_seconds=60,
)
POLLING = PollingSettings(overlap_seconds=5, cache_seconds=120, inbox_seconds=0.3, inbox_attempts=8)


def campaign_rules() -> DispatchSettings:
    """Both documented triggers, the page's four outbound rules and a time entry, cancelling, publishing."""
    time_entry = OutboundRule(event=WorkOrderEvent.COMPLETED, action=OutboundAction.ADD_TIME_ENTRY)
    return DispatchSettings(
        create_state=CreateState.PUBLISH,
        on_leave=OnLeave.CANCEL,
        work_orders=WorkOrderDefaults(type_of_work_id=103, pay_type="fixed", pay_amount=150, pay_units=1),
        outbound_rules=[*default_outbound_rules(), time_entry],
        waiting=WAITING,
        polling=POLLING,
    )


def changed_settings() -> dict[str, str]:
    """What differs from production, and is told with the result."""
    usual, overlap = DispatchWaiting(), PollingSettings().overlap_seconds
    waits = {
        name: f"{value:g} instead of {getattr(usual, name):g}" for name, value in WAITING.model_dump().items()
    }
    return {
        "Field Nation requests a minute": f"{REQUESTS_A_MINUTE:,} instead of 60, and the sandbox counts none",
        **waits,
        "overlap_seconds": f"{POLLING.overlap_seconds:g} instead of {overlap:g}",
    }

"""The documented action Status Synchronization."""

from __future__ import annotations

from functools import partial
from typing import Any

from tasks.dispatch.report import answer_of
from tasks.dispatch.run import open_dispatch
from tasks.dispatch.work_order_events import retry_outbound, sync_events
from tasks.rules.limits import check_positive
from tasks.shared.action import action
from tasks.shared.connections import DEFAULT


@action("Status Synchronization", key="statusSynchronizationAction")
async def status_synchronization(
    connection: str, work_order_id: int, connectwise: str = DEFAULT, rules: str = DEFAULT
) -> dict[str, Any]:
    """Do to the ticket what the events of its work order want: status, note, custom field, time entry.

    Each is done once, however often this is run.

    Args:
        connection: name of the Field Nation Connection block.
        work_order_id: number of the work order, such as ``410001``.
        connectwise: name of the ConnectWise PSA Connection block.
        rules: name of the Dispatch Rules block; without one of that name the documented defaults.

    Raises:
        LimitError: the number is not positive; nothing was sent.
        RejectedError: the work order belongs to no record that is known.
        StopError: a credential or right is missing.
    """
    number = check_positive("Work Order Id", work_order_id)
    async with open_dispatch(connectwise, connection, rules) as run:
        return answer_of(run, await retry_outbound(run, partial(sync_events, run, number)))

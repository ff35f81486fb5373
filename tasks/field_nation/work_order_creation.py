"""The documented action Work Order Creation."""

from __future__ import annotations

from typing import Any, Literal

from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.records import Override
from tasks.dispatch.report import answer_of
from tasks.dispatch.run import open_dispatch
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.limits import check_positive
from tasks.shared.action import action
from tasks.shared.connections import DEFAULT


@action("Work Order Creation", key="workOrderCreationAction")
async def work_order_creation(
    connection: str,
    record_id: int,
    record_kind: Literal["service", "project", "opportunity"] = "service",
    connectwise: str = DEFAULT,
    rules: str = DEFAULT,
    again: bool = False,
) -> dict[str, Any]:
    """Create the Field Nation work order of one ConnectWise record, in a trigger or not.

    A record with a living work order gets no second one: that one is brought up to date.

    Args:
        connection: name of the Field Nation Connection block.
        record_id: number of the ticket or opportunity, such as ``5021``.
        record_kind: service or project for a ticket, or opportunity.
        connectwise: name of the ConnectWise PSA Connection block.
        rules: name of the Dispatch Rules block; without one of that name the documented defaults.
        again: make it once more after a creation without answer of which nothing was found in Field Nation.

    Raises:
        LimitError: the number is not positive; nothing was sent.
        RejectedError: Field Nation refuses it, or required fields are missing; the text names them all.
        StopError: a credential or right is missing.
    """
    number = check_positive("Record Id", record_id)
    async with open_dispatch(connectwise, connection, rules) as run:
        override, kind = Override(outside_trigger=True, retry_creation=again), RecordKind(record_kind)
        await run.refusals.forget(run.state.ref(kind, number))
        return answer_of(run, await dispatch_record(run, kind, number, override=override))

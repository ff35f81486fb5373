"""The documented action Work Order Update."""

from __future__ import annotations

from typing import Any, Literal

from connectors.errors import RejectedError
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.report import answer_of
from tasks.dispatch.run import open_dispatch
from tasks.dispatch.settings import OnLeave
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.limits import check_positive
from tasks.shared.action import action
from tasks.shared.connections import DEFAULT


@action("Work Order Update", key="workOrderUpdateAction")
async def work_order_update(
    connection: str,
    record_id: int,
    record_kind: Literal["service", "project", "opportunity"] = "service",
    connectwise: str = DEFAULT,
    rules: str = DEFAULT,
) -> dict[str, Any]:
    """Bring the work order of one ConnectWise record up to date: only mapped values that changed are sent.

    It never cancels, and what people changed in Field Nation stays unless the record's own value changed.

    Args:
        connection: name of the Field Nation Connection block.
        record_id: number of the ticket or opportunity, such as ``5021``.
        record_kind: service or project for a ticket, or opportunity.
        connectwise: name of the ConnectWise PSA Connection block.
        rules: name of the Dispatch Rules block; without one of that name the documented defaults.

    Raises:
        LimitError: the number is not positive; nothing was sent.
        RejectedError: the record has no work order yet, or Field Nation refuses the change.
        StopError: a credential or right is missing.
    """
    number, kind = check_positive("Record Id", record_id), RecordKind(record_kind)
    async with open_dispatch(connectwise, connection, rules, on_leave=OnLeave.REPORT) as run:
        intent = await run.state.intent(kind, number)
        if intent is None or intent.state != "created":
            raise RejectedError(
                f"{run.state.ref(kind, number).reference} has no work order that is known",
                remedy="Run Work Order Creation.",
            )
        return answer_of(run, await dispatch_record(run, kind, number))

"""Reads how a work order stands: its status, who has it, and as much as its refusals may depend on."""

from __future__ import annotations

from connectors.errors import RejectedError
from connectors.field_nation.models import Status, status_of
from tasks.dispatch.run import DispatchRun, Record

SHOWN = (
    "status,assignee,title,description,confidential,types_of_work,service_types,template,client,project,"
    "manager,location,schedule,pay,contacts,custom_fields,problems"
)
"""Sections whose change may undo a refusal. Messages and time logs come by themselves, so they are none."""


async def read_work_order(
    run: DispatchRun, number: int, *, columns: str = "status,assignee"
) -> Record | None:
    """Sections of a work order, its status and provider if not told otherwise; None if it does not exist any
    more.

    401 tells of one that does not exist and of one that we may not see; the latter lives, so it is taken for
    one in a status that is not known.
    """
    try:
        return await run.field_nation.get_work_order(number, columns=columns)
    except RejectedError as error:
        if error.status == 401:
            return {}
        if error.status == 404:
            return None
        raise


def standing_of(work_order: Record | None) -> tuple[Status, bool]:
    """Its status, Deleted for one that does not exist, and whether a provider has it."""
    if work_order is None:
        return Status.DELETED, False
    user = (work_order.get("assignee") or {}).get("user") or {}
    return status_of(work_order), bool(user.get("id"))

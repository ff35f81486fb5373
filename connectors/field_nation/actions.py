"""Steps of a work order's life that a buyer can take."""

from __future__ import annotations

from typing import Any

from connectors.errors import RejectedError
from connectors.field_nation.api import Params
from connectors.field_nation.models import Record, Status, status_of
from connectors.field_nation.work_orders import WorkOrderOperations, work_order_path
from connectors.http import Kind

_AFTER_WORK = {Status.WORK_DONE, Status.APPROVED, Status.PAID}
_REFUSED_STEP = (400, 404, 409, 422)


class ActionOperations(WorkOrderOperations):
    """Each step can be sent again: one that is refused since it was taken before counts as taken.

    That matters after a dropped answer, where the step is repeated and the vendor refuses the second one; it
    costs one more read then. Routing alone is not repeated.
    """

    async def publish_work_order(self, work_order_id: int) -> Record:
        """Draft to Published; visible to providers then: ``POST /workorders/{id}/publish``."""
        seen = {Status.PUBLISHED, Status.ROUTED, Status.ASSIGNED} | _AFTER_WORK
        return await self._step("POST", work_order_id, "/publish", seen)

    async def unpublish_work_order(self, work_order_id: int) -> Record:
        """Back to Draft: ``DELETE /workorders/{id}/publish``."""
        return await self._step("DELETE", work_order_id, "/publish", {Status.DRAFT})

    async def route_work_order(self, work_order_id: int, provider_id: int) -> Record:
        """Offer it to one provider; returns ``{id}`` of the routing: ``POST /workorders/{id}/route``.

        Raises:
            UnclearOutcomeError: no answer came: read the work order's routes.
        """
        path = work_order_path(work_order_id, "/route")
        body = await self._rest(Kind.CREATE, "POST", path, json={"technician": {"id": int(provider_id)}})
        return self._record(body, "POST", path)

    async def unroute_work_order(self, work_order_id: int, provider_id: int) -> None:
        """Take the offer back: ``DELETE /workorders/{id}/route``."""
        path = work_order_path(work_order_id, "/route")
        await self._rest(Kind.MODIFY, "DELETE", path, json={"technician": {"id": int(provider_id)}})

    async def assign_work_order(self, work_order_id: int, provider_id: int) -> None:
        """Give it to a provider: ``POST /workorders/{id}/assignee``."""
        path = work_order_path(work_order_id, "/assignee")
        try:
            await self._rest(Kind.MODIFY, "POST", path, json={"user": {"id": int(provider_id)}})
        except RejectedError as error:
            if error.status not in _REFUSED_STEP or await self._assignee(work_order_id) != provider_id:
                raise

    async def unassign_work_order(self, work_order_id: int, provider_id: int, comment: str = "") -> None:
        """Take it from its provider: ``DELETE /workorders/{id}/assignee``."""
        path = work_order_path(work_order_id, "/assignee")
        body = {"user": {"id": int(provider_id)}, "comment": comment}
        try:
            await self._rest(Kind.MODIFY, "DELETE", path, json=body)
        except RejectedError as error:
            if error.status not in _REFUSED_STEP or await self._assignee(work_order_id) is not None:
                raise

    async def complete_work_order(self, work_order_id: int) -> Record:
        """Mark the work as done: ``POST /workorders/{id}/complete`` (known from older clients only)."""
        return await self._step("POST", work_order_id, "/complete", _AFTER_WORK)

    async def send_back_work_order(self, work_order_id: int, reason: str, reason_id: int) -> Record:
        """Work Done back to Assigned, as incomplete: ``DELETE /workorders/{id}/complete``."""
        params: Params = {"reason": reason, "reason_id": int(reason_id)}
        return await self._step("DELETE", work_order_id, "/complete", {Status.ASSIGNED}, params)

    async def approve_work_order(self, work_order_id: int) -> Record:
        """Work Done to Approved, which lets it be paid: ``POST /workorders/{id}/approve``."""
        return await self._step("POST", work_order_id, "/approve", {Status.APPROVED, Status.PAID})

    async def cancel_work_order(self, work_order_id: int, reason: str) -> Record:
        """Cancel it; after assignment that can cost a fee: ``DELETE /workorders/{id}``."""
        over = {Status.CANCELLED, Status.DELETED}
        return await self._step("DELETE", work_order_id, "", over, {"cancel_reason": reason})

    async def _step(
        self,
        method: str,
        work_order_id: int,
        below: str,
        reached: set[Status],
        params: Params | None = None,
    ) -> Record:
        path = work_order_path(work_order_id, below)
        try:
            body = await self._rest(Kind.MODIFY, method, path, params=params)
        except RejectedError as error:
            taken = await self._taken_before(error, work_order_id, reached)
            if taken is None:
                raise
            return taken
        return self._work_order(body, method, path)

    async def _taken_before(
        self, error: RejectedError, work_order_id: int, reached: set[Status]
    ) -> Record | None:
        if error.status not in _REFUSED_STEP:
            return None
        try:
            record = await self.get_work_order(work_order_id)
        except RejectedError:
            return None
        return record if status_of(record) in reached else None

    async def _assignee(self, work_order_id: int) -> Any:
        record = await self.get_work_order(work_order_id)
        user = (record.get("assignee") or {}).get("user") or {}
        return user.get("id")

"""Work orders: create, read, update, list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from connectors.errors import RejectedError, StopError
from connectors.field_nation.api import FieldNationApi
from connectors.field_nation.models import BaseList, Record, WorkOrderPage
from connectors.field_nation.settings import SYSTEM
from connectors.http import Kind

WORK_ORDERS = "/workorders"
LARGEST_PAGE = 100
OLDER_NAMES = {
    "f_template": "f_templates",
    "f_service_schedule": "f_schedule",
    "f_created_date": "f_created",
    "f_work_done_done": "f_completed",
    "f_assigned_provider": "f_assignment",
    "f_zip": "f_postal_code",
    "f_location_ids": "f_saved_location",
    "f_fund": "f_financing",
    "f_has_counter_offer": "f_counter_offers",
}
"""Filters whose name differs between the 2026 page and the REST file. Both are sent; one must be echoed."""


class WorkOrderOperations(FieldNationApi):
    """The work orders of the company."""

    async def create_work_order(self, record: Mapping[str, Any]) -> Record:
        """Create a draft; returns the whole work order: ``POST /workorders``. Never repeated blindly.

        Unknown or misplaced members are dropped silently by the vendor: see ``readback.dropped_fields``.

        Raises:
            UnclearOutcomeError: no answer came: it may exist, so search before creating it again.
        """
        body = await self._rest(Kind.CREATE, "POST", WORK_ORDERS, json=dict(record))
        return self._work_order(body, "POST", WORK_ORDERS)

    async def get_work_order(self, work_order_id: int, *, columns: str = "") -> Record:
        """One work order; ``columns`` names the sections wanted: ``GET /workorders/{id}``."""
        path = work_order_path(work_order_id)
        params = {"columns": columns} if columns else None
        return self._work_order(await self._rest(Kind.READ, "GET", path, params=params), "GET", path)

    async def get_status(self, work_order_id: int) -> Record:
        """The status section only: ``GET /workorders/{id}/status``."""
        path = work_order_path(work_order_id, "/status")
        return self._record(await self._rest(Kind.READ, "GET", path), "GET", path)

    async def update_work_order(self, work_order_id: int, changes: Mapping[str, Any]) -> Record:
        """Change the members sent and nothing else; returns the whole: ``PUT /workorders/{id}``.

        Status can't be set here; sending the same twice is sending it once.
        """
        path = work_order_path(work_order_id)
        body = await self._rest(Kind.MODIFY, "PUT", path, json=dict(changes))
        return self._work_order(body, "PUT", path)

    async def list_work_orders(
        self,
        base_list: BaseList = "workorders_all",
        filters: Mapping[str, str] | None = None,
        *,
        columns: str = "",
        page: int = 1,
        page_size: int = LARGEST_PAGE,
    ) -> WorkOrderPage:
        """One page in the order of ids: ``GET /workorders``. Filters combine with AND.

        Args:
            filters: by the names of the 2026 page, such as ``{"f_search": "x", "f_created_date":
                "2026-11-01,2026-11-02"}`` (dates inclusive, UTC). A work order just made may be missing.

        Raises:
            RejectedError: a filter is not echoed, so the vendor did not understand it: the page would hold
                work orders that were not asked for.
        """
        wanted = dict(filters or {})
        params: dict[str, str | int] = {
            # Without these two the vendor uses, and stores, what its user chose last.
            "list": base_list,
            "sticky": "false",
            "page": page,
            "per_page": page_size,
            "sort": "id",
            "order": "asc",
            **({"columns": columns} if columns else {}),
            **wanted,
            **{OLDER_NAMES[name]: value for name, value in wanted.items() if name in OLDER_NAMES},
        }
        body = self._record(
            await self._rest(Kind.READ, "GET", WORK_ORDERS, params=params), "GET", WORK_ORDERS
        )
        _check_echo(body, wanted)
        return self._page(body, page)

    async def work_orders_pages(
        self,
        base_list: BaseList = "workorders_all",
        filters: Mapping[str, str] | None = None,
        *,
        columns: str = "",
        page_size: int = LARGEST_PAGE,
    ) -> AsyncIterator[list[Record]]:
        """Every page of a list, in the order of ids; see ``list_work_orders``."""
        number, pages = 1, 1
        while number <= pages:
            found = await self.list_work_orders(
                base_list, filters, columns=columns, page=number, page_size=page_size
            )
            yield found.items
            pages = found.pages if found.items else 0
            number += 1

    async def search_work_orders(self, text: str, *, columns: str = "") -> list[Record]:
        """All work orders, of any list, whose title, description or place holds the words of ``text``.

        The Incident ID is not searched as far as is known, and what was just made may be missing. The caller
        compares exactly: the vendor searches words.
        """
        pages = self.work_orders_pages("workorders_all", {"f_search": text}, columns=columns)
        return [record async for page in pages for record in page]

    async def work_orders_created(self, first: str, last: str, *, columns: str = "") -> list[Record]:
        """All work orders created from ``first`` to ``last`` (YYYY-MM-DD, inclusive, UTC)."""
        filters = {"f_created_date": f"{first},{last}"}
        pages = self.work_orders_pages("workorders_all", filters, columns=columns)
        return [record async for page in pages for record in page]

    def _work_order(self, body: Any, method: str, path: str) -> Record:
        record = self._record(body, method, path)
        if not isinstance(record.get("id"), int):
            raise self._unexpected(method, path, "a work order")
        return record

    def _page(self, body: Record, asked: int) -> WorkOrderPage:
        metadata = body.get("metadata")
        if not isinstance(metadata, dict):
            raise self._unexpected("GET", WORK_ORDERS, "a page of work orders")
        items = self._results(body, "GET", WORK_ORDERS)
        page = int(metadata.get("page") or asked)
        if page != asked and items:
            raise StopError(
                f"{SYSTEM} answered page {page} where page {asked} was asked for",
                system=SYSTEM,
                method="GET",
                path=WORK_ORDERS,
                remedy="Reading stopped, since going on would miss records or never end.",
            )
        return WorkOrderPage(items, page, int(metadata.get("pages") or 1), int(metadata.get("total") or 0))


def work_order_path(work_order_id: int, below: str = "") -> str:
    """``/workorders/7/status``."""
    return f"{WORK_ORDERS}/{int(work_order_id)}{below}"


def _check_echo(body: Record, wanted: Mapping[str, str]) -> None:
    ignored = [name for name in wanted if name not in body and OLDER_NAMES.get(name) not in body]
    if ignored:
        raise RejectedError(
            f"{SYSTEM} did not understand the filter {', '.join(ignored)}, so other records came too",
            system=SYSTEM,
            method="GET",
            path=WORK_ORDERS,
            remedy="Its name may have changed on the vendor's side.",
        )

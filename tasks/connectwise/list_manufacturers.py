"""The documented action List Manufacturers."""

from __future__ import annotations

from typing import Any

from tasks.shared.action import action
from tasks.shared.connections import connectwise_client


@action("List Manufacturers", key="listOfManufacturersAction")
async def list_manufacturers(
    connection: str, conditions: str | None = None, page: int | None = None, page_size: int | None = None
) -> list[dict[str, Any]]:
    """Fetch manufacturers from ConnectWise, as its API answers them.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        conditions: a search in the vendor's conditions language, such as ``name like "Dell%"``.
        page: which page; without a page size a page holds 25 records.
        page_size: records a page, at most 1,000; with neither page nor page size every record is fetched.

    Raises:
        RejectedError: the conditions or the page size are refused; the message says why.
    """
    async with connectwise_client(connection) as client:
        return await client.manufacturers.list(conditions=conditions, page=page, page_size=page_size)

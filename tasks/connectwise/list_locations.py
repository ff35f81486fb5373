"""The documented action List Locations."""

from __future__ import annotations

from typing import Any

from tasks.shared.action import action
from tasks.shared.connections import connectwise_client


@action("List Locations", key="listOfLocationsAction")
async def list_locations(
    connection: str,
    conditions: str | None = None,
    child_conditions: str | None = None,
    custom_field_conditions: str | None = None,
    page: int | None = None,
    page_size: int | None = None,
) -> list[dict[str, Any]]:
    """Fetch locations (business units of the provider) from ConnectWise, as its API answers them.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        conditions: a search in the vendor's conditions language, such as ``name="Tampa Office"``.
        child_conditions: conditions on members of lists, such as ``communicationItems/value like "%@x.com"``.
        custom_field_conditions: such as ``caption="ls_asset_id" AND value != null``.
        page: which page; without a page size a page holds 25 records.
        page_size: records a page, at most 1,000; with neither page nor page size every record is fetched.

    Raises:
        RejectedError: the conditions or the page size are refused; the message says why.
    """
    async with connectwise_client(connection) as client:
        return await client.locations.list(
            conditions=conditions,
            child_conditions=child_conditions,
            custom_field_conditions=custom_field_conditions,
            page=page,
            page_size=page_size,
        )

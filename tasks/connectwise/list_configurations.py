"""The documented action List of Configurations, and its step in a run: read all, keep what is mapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from tasks.rules.isolation import UnreadRecord, convert_page
from tasks.shared.action import Inventory, action, action_step
from tasks.shared.connections import connectwise_client
from tasks.shared.progress import Progress


@action("List of Configurations", key="listOfConfigurationsAction")
async def list_configurations(
    connection: str,
    conditions: str | None = None,
    child_conditions: str | None = None,
    custom_field_conditions: str | None = None,
    page: int | None = None,
    page_size: int | None = None,
) -> list[dict[str, Any]]:
    """Fetch configurations from ConnectWise, as its API answers them.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        conditions: a search in the vendor's conditions language, such as ``company/identifier="Acme"``.
        child_conditions: conditions on members of lists.
        custom_field_conditions: such as ``caption="ls_asset_id" AND value != null``.
        page: which page; without a page size a page holds 25 records.
        page_size: records a page, at most 1,000; with neither page nor page size every record is fetched.

    Raises:
        RejectedError: the conditions or the page size are refused; the message says why.
    """
    async with connectwise_client(connection) as client:
        return await client.configurations.list(
            conditions=conditions,
            child_conditions=child_conditions,
            custom_field_conditions=custom_field_conditions,
            page=page,
            page_size=page_size,
        )


@action_step(list_configurations)
async def read_configurations(
    client: ConnectWiseClient, conditions: str | None, fields: str, keep: Callable[[dict[str, Any]], Any]
) -> Inventory[Any]:
    """Read every configuration under ``conditions`` and keep of each only what ``keep`` takes from it.

    Pages of 1,000 in order of id; a page's records are dropped before the next page is read. A configuration
    that ``keep`` fails on is among the ``unread`` of the answer: it is there, and must not count as absent.
    """
    kept: list[Any] = []
    unread: list[UnreadRecord] = []
    progress = Progress("configurations read")
    async for page in client.configurations.pages(conditions=conditions, fields=fields):
        kept += convert_page(page, keep, unread)
        progress.advance(len(page))
    return Inventory(kept, unread)

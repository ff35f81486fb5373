"""The documented action List Custom Fields."""

from __future__ import annotations

from typing import Any

from tasks.shared.action import action
from tasks.shared.connections import lansweeper_client


@action("List Custom Fields", key="listCustomFieldsAction")
async def list_custom_fields(connection: str, site_id: str = "") -> list[dict[str, Any]]:
    """Fetch the custom fields of a Lansweeper site, each with ``key``, ``name``, ``type`` and ``props``.

    Several may have one name.

    Args:
        connection: name of the Lansweeper Connection block.
        site_id: the site; empty for the site of the connection.

    Raises:
        StopError: the token is refused, or has no access to the site.
    """
    async with lansweeper_client(connection) as client:
        site = site_id or (await client.site())["id"]
        return [dict(each) for each in await client.custom_fields(site)]

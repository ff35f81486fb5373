"""The documented action List Sites."""

from __future__ import annotations

from typing import Any

from tasks.shared.action import action
from tasks.shared.connections import lansweeper_client


@action("List Sites", key="listSitesAction")
async def list_sites(connection: str) -> list[dict[str, Any]]:
    """Fetch the Lansweeper sites that the token may read, each with ``id`` and ``name``.

    Args:
        connection: name of the Lansweeper Connection block.

    Raises:
        StopError: the token is refused.
    """
    async with lansweeper_client(connection) as client:
        return [dict(site) for site in await client.authorized_sites()]

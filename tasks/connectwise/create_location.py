"""The documented action Create Location."""

from __future__ import annotations

from typing import Any

from tasks.rules.limits import check_name, check_positive_id
from tasks.shared.action import action
from tasks.shared.connections import connectwise_client


@action("Create Location", key="createLocationAction")
async def create_location(connection: str, name: str, structure_level_id: int | str) -> dict[str, Any]:
    """Create a location in ConnectWise and answer the record as the server keeps it.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        name: name of the location, at most 50 characters.
        structure_level_id: id of the corporate structure level (Level 1 to Level 5) that it belongs to.

    Raises:
        LimitError: an input is refused before any request is sent.
        RejectedError: ConnectWise refuses it; code ``ObjectExists`` if there is one of that name.
        UnclearOutcomeError: no answer came; look whether it exists before you create it again.
    """
    name = check_name("Name of the location", name)
    level = check_positive_id("Structure Level Id", structure_level_id)
    async with connectwise_client(connection) as client:
        return await client.locations.create({"name": name, "structureLevel": {"id": level}})

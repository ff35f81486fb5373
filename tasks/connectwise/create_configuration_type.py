"""The documented action Create Configuration Type."""

from __future__ import annotations

from typing import Any

from tasks.rules.limits import check_name
from tasks.shared.action import action
from tasks.shared.connections import connectwise_client


@action("Create Configuration Type", key="createConfigurationTypeAction")
async def create_configuration_type(connection: str, name: str) -> dict[str, Any]:
    """Create a configuration type in ConnectWise and answer the record as the server keeps it.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        name: name of the configuration type, at most 50 characters.

    Raises:
        LimitError: an input is refused before any request is sent.
        RejectedError: ConnectWise refuses it; code ``ObjectExists`` if there is one of that name.
        UnclearOutcomeError: no answer came; look whether it exists before you create it again.
    """
    name = check_name("Name of the configuration type", name)
    async with connectwise_client(connection) as client:
        return await client.configuration_types.create({"name": name})

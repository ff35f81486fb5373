"""The documented action Create Configuration Status."""

from __future__ import annotations

from typing import Any

from tasks.rules.limits import check_name
from tasks.shared.action import action
from tasks.shared.connections import connectwise_client


@action("Create Configuration Status", key="createConfigurationStatusAction")
async def create_configuration_status(
    connection: str, description: str, closed_flag: bool = False, default_flag: bool = False
) -> dict[str, Any]:
    """Create a configuration status in ConnectWise and answer the record as the server keeps it.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        description: description of the status, at most 50 characters.
        closed_flag: whether configurations of this status count as closed.
        default_flag: whether new configurations get this status when none is named.

    Raises:
        LimitError: an input is refused before any request is sent.
        RejectedError: ConnectWise refuses it; code ``ObjectExists`` if there is one of that name.
        UnclearOutcomeError: no answer came; look whether it exists before you create it again.
    """
    description = check_name("Description of the status", description)
    async with connectwise_client(connection) as client:
        record = {"description": description, "closedFlag": closed_flag, "defaultFlag": default_flag}
        return await client.configuration_statuses.create(record)

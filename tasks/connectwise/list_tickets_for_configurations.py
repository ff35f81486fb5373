"""The documented action List Tickets for Configurations."""

from __future__ import annotations

from typing import Any

from tasks.enrichment.tickets import find_tickets
from tasks.rules.enrichment.answers import ticket_answer
from tasks.shared.action import action
from tasks.shared.connections import connectwise_client, open_ledger


@action("List Tickets for Configurations", key="listTicketsForConfigurationsAction")
async def list_tickets_for_configurations(
    connection: str, configuration_request_payload: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Fetch the tickets of configurations, service and project tickets, with totals; nothing is written.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        configuration_request_payload: configurations with at least ``id`` and ``company``, as the action
            List of Configurations answers them.

    Returns:
        The configurations in the order given, each with ``id``, ``name``, ``customFields.ls_asset_id``,
        ``tickets`` and ``ticketsInfo``, whose totals go by ``closedFlag``.

    Raises:
        RejectedError: a configuration of the payload has no id or no company.
    """
    async with connectwise_client(connection) as client, open_ledger() as ledger:
        found = await find_tickets(client, ledger, configuration_request_payload, remember=False)
    return [
        ticket_answer(each, found.by_configuration[int(each["id"])]) for each in configuration_request_payload
    ]

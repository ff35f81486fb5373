"""The documented action List Tickets for Configurations, and its step in a run; see ``link_search``."""

from __future__ import annotations

from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.ledger.store import Ledger
from tasks.connectwise.link_search.tickets import TicketLinks, find_tickets
from tasks.rules.enrichment.answers import ticket_answer
from tasks.shared.action import Inventory, Opaque, action, action_step
from tasks.shared.connections import connectwise_client, open_ledger
from tasks.shared.progress import run_logger
from tasks.shared.retry import RetryPolicy


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
    for number, why in found.unread.items():
        run_logger().warning("The tickets of configuration %d are not whole: %s", number, why)
    return [
        ticket_answer(each, found.by_configuration[int(each["id"])]) for each in configuration_request_payload
    ]


@action_step(list_tickets_for_configurations)
async def list_tickets(
    client: ConnectWiseClient,
    ledger: Ledger,
    configurations: Inventory[dict[str, Any]],
    policy: RetryPolicy,
    *,
    reconcile_every: int,
    force_reconcile: bool,
) -> Opaque[TicketLinks]:
    """The service and project tickets of these configurations; what is remembered is not asked again."""
    found = await find_tickets(
        client,
        ledger,
        configurations.records,
        reconcile_every=reconcile_every,
        force_reconcile=force_reconcile,
        waiting=policy,
    )
    return Opaque(found)

"""The documented action List Agreements for Configurations, and its step in a run; see ``link_search``."""

from __future__ import annotations

from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.ledger.store import Ledger
from tasks.connectwise.link_search.agreements import AgreementLinks, find_agreements
from tasks.rules.enrichment.answers import agreement_answer
from tasks.shared.action import Inventory, Opaque, action, action_step
from tasks.shared.connections import connectwise_client, open_ledger
from tasks.shared.progress import run_logger
from tasks.shared.retry import RetryPolicy


@action("List Agreements for Configurations", key="listAgreementsForConfigurationsAction")
async def list_agreements_for_configurations(
    connection: str, configuration_request_payload: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Fetch the agreements of configurations, each with its SLA; nothing is written.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        configuration_request_payload: configurations with at least ``id`` and ``company``, as the action
            List of Configurations answers them.

    Returns:
        The configurations in the order given, each with ``id``, ``name``, ``customFields.ls_asset_id``,
        ``sla`` and ``agreements``, whose dates are DD/MM/YYYY.

    Raises:
        RejectedError: a configuration of the payload has no id or no company.
    """
    async with connectwise_client(connection) as client, open_ledger() as ledger:
        found = await find_agreements(client, ledger, configuration_request_payload)
    for number, why in found.unread.items():
        run_logger().warning("The agreements of configuration %d are not whole: %s", number, why)
    return [
        agreement_answer(each, found.by_configuration[int(each["id"])])
        for each in configuration_request_payload
    ]


@action_step(list_agreements_for_configurations)
async def list_agreements(
    client: ConnectWiseClient, ledger: Ledger, configurations: Inventory[dict[str, Any]], policy: RetryPolicy
) -> Opaque[AgreementLinks]:
    """The agreements of these configurations, and what it took to find them."""
    return Opaque(await find_agreements(client, ledger, configurations.records, waiting=policy))

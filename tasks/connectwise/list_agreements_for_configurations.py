"""The documented action List Agreements for Configurations."""

from __future__ import annotations

from typing import Any

from tasks.enrichment.agreements import find_agreements
from tasks.rules.enrichment.answers import agreement_answer
from tasks.shared.action import action
from tasks.shared.connections import connectwise_client, open_ledger


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
    return [
        agreement_answer(each, found.by_configuration[int(each["id"])])
        for each in configuration_request_payload
    ]

"""The documented action Bulk Configuration Modification, and every other change of a configuration.

``replace_records`` is its step in a run. The page's action replaces whole records; what must not touch the
rest of a record is changed here too, by PATCH.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.models import PatchOperation
from tasks.rules.bulk import MAX_BATCH, ItemOutcome, join_bulk_answer
from tasks.rules.limits import check_batch
from tasks.shared.action import Inventory, action, action_step
from tasks.shared.connections import connectwise_client


@action("Bulk Configuration Modification", key="bulkConfigurationModificationAction")
async def bulk_modify_configurations(
    connection: str, configurations: list[dict[str, Any]]
) -> list[ItemOutcome]:
    """Replace up to 50 configurations with one request; each may be refused for itself.

    ConnectWise replaces whole records: a member that is not sent is reset. Send what you have just read,
    with the changes laid over.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        configurations: whole configuration records with their ids.

    Returns:
        One outcome for each record, in the order sent; ``ok`` is None where the answer does not tell.

    Raises:
        LimitError: none or more than 50 records.
        RetryableError: no answer came; sending the same records again is harmless if you read them anew.
    """
    check_batch("Configurations", configurations, MAX_BATCH)
    async with connectwise_client(connection) as client:
        answer = await client.replace_configurations(configurations)
        return join_bulk_answer(len(configurations), answer, client.session.redact)


@action_step(bulk_modify_configurations, retries=0)
async def replace_records(client: ConnectWiseClient, records: Inventory[dict[str, Any]]) -> list[ItemOutcome]:
    """Replace records that were just read, the changes laid over, with one request.

    It is never repeated as it is: what a person wrote in between would be overwritten.
    """
    answer = await client.replace_configurations(records.records)
    return join_bulk_answer(len(records), answer, client.session.redact)


async def patch_record(
    client: ConnectWiseClient, record_id: int, operations: Sequence[PatchOperation]
) -> dict[str, Any]:
    """Change single fields of one configuration with one request; returns the record as it is then."""
    return await client.configurations.patch(record_id, operations)


async def change_type(client: ConnectWiseClient, record_id: int, type_id: int) -> None:
    """Give one configuration another type, by a request of its own: the old type's questions are dropped."""
    await client.change_configuration_type(record_id, type_id)

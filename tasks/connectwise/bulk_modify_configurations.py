"""The documented action Bulk Configuration Modification."""

from __future__ import annotations

from typing import Any

from tasks.rules.bulk import MAX_BATCH, ItemOutcome, join_bulk_answer
from tasks.rules.limits import check_batch
from tasks.shared.action import action
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
        return join_bulk_answer(len(configurations), await client.replace_configurations(configurations))

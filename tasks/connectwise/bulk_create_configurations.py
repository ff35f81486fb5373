"""The documented action Bulk Configuration Creation."""

from __future__ import annotations

from typing import Any

from tasks.rules.bulk import MAX_BATCH, ItemOutcome, join_bulk_answer
from tasks.rules.limits import check_batch
from tasks.shared.action import action
from tasks.shared.connections import connectwise_client


@action("Bulk Configuration Creation", key="bulkConfigurationCreationAction")
async def bulk_create_configurations(
    connection: str, configurations: list[dict[str, Any]]
) -> list[ItemOutcome]:
    """Create up to 50 configurations with one request; each may be refused for itself.

    Args:
        connection: name of the ConnectWise PSA Connection block.
        configurations: whole configuration records; name, type and company are required.

    Returns:
        One outcome for each record, in the order sent; ``ok`` is None where the answer does not tell.

    Raises:
        LimitError: none or more than 50 records.
        UnclearOutcomeError: no answer came; read what exists before sending any of them again.
    """
    check_batch("Configurations", configurations, MAX_BATCH)
    async with connectwise_client(connection) as client:
        return join_bulk_answer(len(configurations), await client.create_configurations(configurations))

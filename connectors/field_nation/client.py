"""The client of Field Nation: a method per vendor operation, by area."""

from __future__ import annotations

from connectors.field_nation.actions import ActionOperations
from connectors.field_nation.company import CompanyOperations
from connectors.field_nation.conversation import ConversationOperations
from connectors.field_nation.settings import REQUEST_LIMITS, FieldNationSettings
from connectors.field_nation.webhooks import WebhookOperations

__all__ = ["REQUEST_LIMITS", "FieldNationClient", "FieldNationSettings"]


class FieldNationClient(ActionOperations, ConversationOperations, CompanyOperations, WebhookOperations):
    """Every operation that this project uses; answers are plain dictionaries with the vendor's names.

    Example:
        ```python
        async with FieldNationClient(settings, read_only=True) as client:
            async for page in client.work_orders_pages("workorders_assigned", columns="status"):
                print(len(page))
        ```
    """

"""Tries a connection out and says in words what is wrong with it."""

from __future__ import annotations

from connectors.checks import ConnectionCheck
from connectors.errors import ConnectorError
from connectors.field_nation.client import FieldNationClient


async def check_connection(client: FieldNationClient) -> ConnectionCheck:
    """Logs in, reads one work order and the webhooks: three requests, nothing is written."""
    try:
        found = await client.list_work_orders(columns="status", page_size=1)
    except ConnectorError as error:
        return ConnectionCheck(False, str(error))
    name = client.settings.environment
    message = f"Connected to Field Nation {name}, where the user sees {found.total} work orders."
    return ConnectionCheck(True, message, await _webhooks(client))


async def _webhooks(client: FieldNationClient) -> tuple[str, ...]:
    """What there is to know about webhooks; polling does without them."""
    try:
        found = await client.list_webhooks()
    except ConnectorError as error:
        return (f"Webhooks can't be read: {error}",)
    active = sum(each.get("status") == "active" for each in found)
    lines = [f"{len(found)} webhooks, {active} of them active."]
    if not client.settings.webhook_secret:
        lines.append("No webhook secret is saved in the block, so webhooks can't be verified.")
    return tuple(lines)

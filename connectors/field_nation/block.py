"""The Prefect block of a Field Nation connection: its fields, its client, and its connection check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr

from connectors.errors import ConnectionCheck, ConnectorError, StopError
from connectors.field_nation.client import FieldNationClient
from connectors.field_nation.settings import FieldNationSettings
from connectors.http import RateLimiter
from connectors.logos import WEB_API

if TYPE_CHECKING:
    from connectors.metrics import RequestMetrics


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


class FieldNationConnection(Block):
    """Client and user of one Field Nation company.

    Field Nation's support issues client ID and secret, one pair for each environment.

    Example:
        Load a saved connection and count the work orders:
        ```python
        import asyncio

        from connectors.field_nation.block import FieldNationConnection


        async def count(connection: FieldNationConnection) -> int | None:
            async with connection.get_client(read_only=True) as client:
                return (await client.list_work_orders(page_size=1)).total


        connection = FieldNationConnection.load("BLOCK_NAME")
        print(asyncio.run(count(connection)))
        ```
    """

    _block_type_name = "Field Nation Connection"
    _block_type_slug = "field-nation-connection"
    _description = "Client, user and webhook secret of a Field Nation company."
    _documentation_url = HttpUrl("https://developer.fieldnation.com")
    _logo_url = HttpUrl(WEB_API)

    # A refused value may be a secret.
    model_config = ConfigDict(hide_input_in_errors=True)

    environment: Literal["sandbox", "production"] = Field(
        default="sandbox",
        title="Environment",
        description="Ids, users and credentials differ between the two.",
    )
    client_id: SecretStr = Field(
        title="Client ID", description="Issued by Field Nation's support for this environment."
    )
    client_secret: SecretStr = Field(
        title="Client Secret", description="Issued by Field Nation's support together with the client ID."
    )
    username: str = Field(
        title="User",
        description="Buyer user that appears as the actor in the work orders' history; use one of its own.",
    )
    password: SecretStr = Field(title="Password", description="Password of that user.")
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Webhook Secret",
        description="UUID that webhooks are signed with. Leave it empty if none are received.",
    )
    base_address: str = Field(
        default="",
        title="Base Address",
        description="Address of a local sandbox on this machine. Leave it empty for Field Nation itself.",
    )
    request_warning_percent: int = Field(
        default=80,
        ge=1,
        le=100,
        title="Warn at",
        description="Share of the request limit, in percent, from which on runs warn that it nears its end.",
    )

    def settings(self) -> FieldNationSettings:
        """What the client must know; StopError names the field that is empty or mangled."""
        return FieldNationSettings(
            client_id=self.client_id.get_secret_value(),
            client_secret=self.client_secret.get_secret_value(),
            username=self.username,
            password=self.password.get_secret_value(),
            environment=self.environment,
            webhook_secret=self.webhook_secret.get_secret_value(),
            base_address=self.base_address,
        )

    def get_client(
        self,
        *,
        read_only: bool = False,
        rate_limiter: RateLimiter | None = None,
        metrics: RequestMetrics | None = None,
    ) -> FieldNationClient:
        """A client for ``async with``; ``rate_limiter`` shares ``settings.REQUEST_LIMITS``."""
        return FieldNationClient(
            self.settings(), read_only=read_only, rate_limiter=rate_limiter, metrics=metrics
        )

    async def check(self) -> ConnectionCheck:
        """Tries the connection out, reading only; the answer says in words what is wrong."""
        try:
            client = self.get_client(read_only=True)
        except StopError as error:
            return ConnectionCheck(False, str(error))
        async with client:
            return await check_connection(client)

"""The Prefect block of a Lansweeper connection: its fields, its client, and its connection check."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr, field_validator

from connectors.errors import ConnectionCheck, ConnectorError, StopError
from connectors.http import RateLimiter
from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.settings import DEFAULT_ENDPOINT, LansweeperSettings, authorization
from connectors.logos import WEB_API

if TYPE_CHECKING:
    from connectors.metrics import RequestMetrics


async def check_connection(client: LansweeperClient) -> ConnectionCheck:
    """Looks the site up and reads one asset of it: two requests, nothing is written."""
    try:
        site = await client.site()
        async with aclosing(client.asset_pages(site["id"], ["assetBasicInfo.name"], page_size=1)) as pages:
            first = await anext(pages)
    except ConnectorError as error:
        return ConnectionCheck(False, str(error))
    number = "an unknown number of" if first.total is None else str(first.total)
    return ConnectionCheck(True, f"Connected to Lansweeper site {site['name']}, which has {number} assets.")


class LansweeperConnection(Block):
    """Access token of one Lansweeper site.

    Make the token in Lansweeper under Developer tools; it is shown once.

    Example:
        Load a saved connection and print the site's name:
        ```python
        import asyncio

        from connectors.lansweeper.block import LansweeperConnection


        async def site_name(connection: LansweeperConnection) -> str:
            async with connection.get_client(read_only=True) as client:
                return (await client.site())["name"]


        connection = LansweeperConnection.load("BLOCK_NAME")
        print(asyncio.run(site_name(connection)))
        ```
    """

    _block_type_name = "Lansweeper Connection"
    _block_type_slug = "lansweeper-connection"
    _description = "Access token of a Lansweeper site."
    _documentation_url = HttpUrl("https://developer.lansweeper.com")
    _logo_url = HttpUrl(WEB_API)

    # A refused value may be a token.
    model_config = ConfigDict(hide_input_in_errors=True)

    access_token: SecretStr = Field(
        title="Access Token",
        description="Token from Lansweeper's Developer tools: personal, lsf_ or lsp_, or an OAuth token.",
    )
    site_id: str = Field(
        default="",
        title="Site ID",
        description="ID of the Lansweeper site. Leave it empty if the token may see one site only.",
    )
    endpoint: str = Field(
        default=DEFAULT_ENDPOINT,
        title="Endpoint",
        description="Address of Lansweeper's GraphQL service; one address serves all regions.",
    )
    request_warning_percent: int = Field(
        default=80,
        ge=1,
        le=100,
        title="Warn at",
        description="Share of the request limit, in percent, from which on runs warn that it nears its end.",
    )

    @field_validator("access_token")
    @classmethod
    def _token_is_whole(cls, value: SecretStr) -> SecretStr:
        try:
            authorization(value.get_secret_value())
        except StopError as error:
            raise ValueError(str(error)) from None
        return value

    def settings(self) -> LansweeperSettings:
        """What the client must know; StopError names what is empty or mangled."""
        return LansweeperSettings(self.access_token.get_secret_value(), self.site_id, self.endpoint)

    def get_client(
        self,
        *,
        read_only: bool = False,
        rate_limiter: RateLimiter | None = None,
        metrics: RequestMetrics | None = None,
    ) -> LansweeperClient:
        """A client for ``async with``; ``rate_limiter`` shares ``settings.REQUEST_LIMITS``."""
        return LansweeperClient(
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

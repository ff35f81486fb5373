"""The Prefect block of a ConnectWise PSA connection: its fields, its client, and its connection check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr, field_validator

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.models import CompanyInfo
from connectors.connectwise.refusals import CHECK_RIGHTS
from connectors.connectwise.settings import ConnectWiseSettings, base_address
from connectors.errors import ConnectionCheck, ConnectorError, StopError
from connectors.http import RateLimiter
from connectors.logos import WEB_API

if TYPE_CHECKING:
    from connectors.metrics import RequestMetrics

_NO_RIGHT = 403


async def check_connection(client: ConnectWiseClient) -> ConnectionCheck:
    """Look the company up, then read one record of every collection that the flows need; nothing is written.

    About eight requests. A wrong company, wrong keys, a missing client ID, a missing right, an untrusted
    certificate and an unreachable server are told apart, as far as the server does.
    """
    try:
        company = await client.company_info()
        missing = await missing_rights(client)
    except ConnectorError as error:
        return ConnectionCheck(False, str(error))
    if missing:
        message = f"The keys work, but the API member may not read: {', '.join(missing)}. {CHECK_RIGHTS}"
        return ConnectionCheck(False, message, (_reached(company),))
    return ConnectionCheck(True, _reached(company))


async def missing_rights(client: ConnectWiseClient) -> list[str]:
    """The collections, in words, that the API member may not read; one record of each is asked for."""
    reads = {
        "configurations": client.configurations.list,
        "configuration types": client.configuration_types.list,
        "configuration statuses": client.configuration_statuses.list,
        "companies": client.companies.list,
        "manufacturers": client.manufacturers.list,
        "locations": client.locations.list,
        "user-defined fields": client.user_defined_fields.list,
    }
    missing = []
    for name, read in reads.items():
        try:
            await read(fields="id", page_size=1)
        except StopError as error:
            if error.status != _NO_RIGHT or error.remedy != CHECK_RIGHTS:
                raise
            missing.append(name)
    return missing


def _reached(company: CompanyInfo) -> str:
    name = company.get("CompanyName") or company.get("CompanyID") or "the company"
    version = company.get("VersionNumber") or company.get("VersionCode")
    return f"Connected to {name}" + (f", ConnectWise version {version}." if version else ".")


class ConnectWiseConnection(Block):
    """Site and API keys of one ConnectWise PSA login company.

    Make the keys in ConnectWise under System, Members, API Members, and the client ID at
    developer.connectwise.com.

    Example:
        Load a saved connection and count its configurations:
        ```python
        import asyncio

        from connectors.connectwise.block import ConnectWiseConnection


        async def count(connection: ConnectWiseConnection) -> int:
            async with connection.get_client(read_only=True) as client:
                return await client.configurations.count()


        connection = ConnectWiseConnection.load("BLOCK_NAME")
        print(asyncio.run(count(connection)))
        ```
    """

    _block_type_name = "ConnectWise PSA Connection"
    _block_type_slug = "connectwise-psa-connection"
    _description = "Site and API keys of a ConnectWise PSA company."
    _documentation_url = HttpUrl("https://developer.connectwise.com/Products/ConnectWise_PSA")
    _logo_url = HttpUrl(WEB_API)

    # A refused value may be a key in the wrong field.
    model_config = ConfigDict(hide_input_in_errors=True)

    site: str = Field(
        title="ConnectWise PSA Site",
        description=(
            "Server of ConnectWise PSA, such as na.myconnectwise.net, staging.connectwisedev.com or your own "
            "server's name. The api- prefix of cloud servers is added where it is missing."
        ),
        examples=["staging.connectwisedev.com"],
    )
    company_id: str = Field(
        title="ConnectWise Company ID",
        description="The company that you type when you log in to ConnectWise.",
        examples=["lansweeper_f"],
    )
    public_key: SecretStr = Field(
        title="ConnectWise Public Key", description="Public key of the API member, from its API Keys tab."
    )
    private_key: SecretStr = Field(
        title="ConnectWise Private Key",
        description="Private key of the API member; ConnectWise shows it once, when the key is made.",
    )
    client_id: SecretStr = Field(
        title="Client ID",
        description="GUID of your integration from developer.connectwise.com. One page of the vendor calls "
        "it optional, but its API refuses every request without one, so it is required here.",
    )
    member_id: str | None = Field(
        default=None,
        title="Member ID",
        description="Identifier of the API member. It is never sent: it only tells the integration's own "
        "changes and notes from those of people.",
    )
    api_version: str | None = Field(
        default=None,
        title="API version",
        description="Version of the data model to ask for, such as 2026.4. Leave it empty for the newest.",
    )
    verify_tls: bool = Field(
        default=True,
        title="Verify TLS certificate",
        description="Check the server's certificate. Switch it off only for a test server of your own.",
    )
    request_limit: int = Field(
        default=1000,
        ge=1,
        title="Request limit",
        description="Requests that all flows together may send in one window.",
    )
    request_window_seconds: int = Field(
        default=300,
        ge=1,
        title="Request window",
        description="Length of the window of the request limit, in seconds.",
    )
    request_warning_percent: int = Field(
        default=80,
        ge=1,
        le=100,
        title="Warn at",
        description="Share of the request limit, in percent, from which on runs warn that it nears its end.",
    )

    @field_validator("site")
    @classmethod
    def _site_is_a_server(cls, value: str) -> str:
        try:
            return base_address(value).removeprefix("https://")
        except StopError as error:
            raise ValueError(str(error)) from None

    @field_validator("company_id")
    @classmethod
    def _company_is_named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("The company ID is empty. Enter the company that you type when you log in.")
        return value.strip()

    def settings(self) -> ConnectWiseSettings:
        """The client's settings. StopError names the field that is empty or mangled."""
        return ConnectWiseSettings(
            site=self.site,
            company_id=self.company_id,
            public_key=self.public_key.get_secret_value(),
            private_key=self.private_key.get_secret_value(),
            client_id=self.client_id.get_secret_value(),
            member_id=self.member_id or None,
            api_version=self.api_version or None,
        )

    def get_client(
        self,
        *,
        read_only: bool = False,
        rate_limiter: RateLimiter | None = None,
        metrics: RequestMetrics | None = None,
    ) -> ConnectWiseClient:
        """A client for ``async with``; ``rate_limiter`` shares ``settings().tenant_key``'s limit."""
        return ConnectWiseClient(
            self.settings(),
            read_only=read_only,
            rate_limiter=rate_limiter,
            verify=self.verify_tls,
            metrics=metrics,
        )

    async def check(self) -> ConnectionCheck:
        """Try the connection out, reading only; the answer says in words what is wrong."""
        try:
            client = self.get_client(read_only=True)
        except StopError as error:
            return ConnectionCheck(False, str(error))
        async with client:
            return await check_connection(client)

"""What a Lansweeper client must know, checked before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from connectors.addresses import check_base_url
from connectors.errors import StopError
from connectors.lansweeper.token import authorization

SYSTEM = "Lansweeper"
PATH = "/api/v2/graphql"
DEFAULT_ENDPOINT = f"https://api.lansweeper.com{PATH}"
#: (requests, seconds): 150 a minute and 2,000 synchronous ones an hour (reference, section 3).
REQUEST_LIMITS: tuple[tuple[int, float], ...] = ((150, 60.0), (2000, 3600.0))


@dataclass(frozen=True, slots=True)
class LansweeperSettings:
    """Token and endpoint of one Lansweeper login; the token never shows in its repr.

    Attributes:
        access_token: personal, Flow Builder (``lsf_``, ``lsp_``) or OAuth token; see ``token``.
        site_id: the site to work on; empty: the only one that the token may see.
        endpoint: address of the GraphQL service; a bare server name gets the usual path.

    Raises:
        StopError: the token is mangled, or the endpoint is no https address.
    """

    access_token: str = field(repr=False)
    site_id: str = ""
    endpoint: str = DEFAULT_ENDPOINT

    def __post_init__(self) -> None:
        authorization(self.access_token)
        address = self.endpoint.strip() or DEFAULT_ENDPOINT
        url = check_base_url(address if "://" in address else f"https://{address}", SYSTEM)
        object.__setattr__(self, "endpoint", str(url.copy_with(path=PATH) if url.path in ("", "/") else url))
        object.__setattr__(self, "access_token", self.access_token.strip())
        object.__setattr__(self, "site_id", self.site_id.strip())

    @property
    def base_url(self) -> str:
        """Scheme, host and port of the endpoint."""
        return str(httpx.URL(self.endpoint).copy_with(path="/")).rstrip("/")

    @property
    def path(self) -> str:
        """Path of the endpoint, as shown in errors."""
        return httpx.URL(self.endpoint).path

    @property
    def budget_key(self) -> str:
        """Names the vendor's request limits that this token shares (assumed: counted per token)."""
        owner = hashlib.sha256(self.access_token.encode()).hexdigest()[:16]
        return f"lansweeper:{httpx.URL(self.endpoint).netloc.decode()}:{owner}"

    def secrets(self) -> list[str]:
        """What no message may show."""
        return [self.access_token]

    def headers(self) -> Mapping[str, str]:
        """The headers of every request."""
        return {"Authorization": authorization(self.access_token), "Accept": "application/json"}


def several_sites(names: str) -> StopError:
    """The token sees several sites and none is named."""
    return StopError(
        f"The Lansweeper token may see several sites: {names}",
        remedy="Enter the ID of one of them as the site ID.",
    )

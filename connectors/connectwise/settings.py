"""Site and credentials of a ConnectWise client, checked before anything is sent."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal
from urllib.parse import urlencode

from connectors.connection import LOOPBACK
from connectors.errors import StopError

SYSTEM = "ConnectWise PSA"
_WORDS = {
    "company_id": "company ID",
    "public_key": "public key",
    "private_key": "private key",
    "client_id": "client ID",
}
_REMEDIES = {
    "company_id": "Enter the company that you type when you log in to ConnectWise.",
    "public_key": "Copy it from the API Keys tab of the API member.",
    "private_key": "It is shown once, when the key is made: make a new key if it is lost.",
    "client_id": "Register the integration at developer.connectwise.com and enter the GUID it gets.",
}
_PLAIN = "application/json"
_PARTS = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>\[[0-9a-f:]+\]|[^/:?#\s@]+)(?P<port>:\d+)?"
)
_CLOUD = re.compile(r"[a-z0-9-]+\.(myconnectwise\.net|connectwisedev\.com)")
_USUAL_PORTS = frozenset({("https", ":443"), ("http", ":80")})
_ROUTER = "v4_6_release/services/system_io/router/openrecord.rails"


def base_address(site: str) -> str:
    """The API's base address, such as ``https://api-na.myconnectwise.net``, without a trailing slash.

    A scheme, a path and blanks around it are dropped. ConnectWise's cloud serves its API on the host with
    ``api-`` in front and refuses everything elsewhere with "SSL is required." (developer guide), so the
    prefix is added to cloud sites; a server of one's own keeps its name. Always https, but for a loopback
    address that is written with ``http://``.

    Raises:
        StopError: empty, or not the name of a server.
    """
    scheme, host, port = _parts(site)
    if _CLOUD.fullmatch(host) and not host.startswith("api-"):
        host = f"api-{host}"
    plain = scheme == "http" and host.strip("[]") in LOOPBACK
    return f"{'http' if plain else 'https'}://{host}{port}"


RecordType = Literal["ConfigFv", "ServiceFv", "OpportunityFv"]
"""ConnectWise's names of the pages of a configuration, a ticket of either kind, and an opportunity."""


def record_address(site: str, company_id: str, record_type: RecordType, record_id: int) -> str:
    """Where a person opens a record in a browser: the site without the ``api-`` prefix."""
    scheme, _, server = base_address(site).partition("://")
    if _CLOUD.fullmatch(server):
        server = server.removeprefix("api-")
    query = urlencode(
        {"locale": "en_US", "recordType": record_type, "recid": record_id, "companyName": company_id}
    )
    return f"{scheme}://{server}/{_ROUTER}?{query}"


def server_name(site: str) -> str:
    """Names the server, such as ``api-na.myconnectwise.net``, however its site is spelt.

    Case, scheme, path, a missing ``api-``, the usual port, and the dot that may end a full name make no
    difference.
    """
    scheme, _, server = base_address(site).partition("://")
    host, port = _host_and_port(server)
    host = host.rstrip(".")
    if _CLOUD.fullmatch(host) and not host.startswith("api-"):
        host = f"api-{host}"
    return host if (scheme, port) in _USUAL_PORTS else host + port


def _host_and_port(server: str) -> tuple[str, str]:
    host, colon, port = server.rpartition(":")
    return (host, f":{port}") if colon and port.isdigit() else (server, "")


def _parts(site: str) -> tuple[str, str, str]:
    text = site.strip().lower()
    found = _PARTS.match(text)
    rest = text[found.end() :] if found else text
    if found is None or found["scheme"] not in (None, "http", "https") or rest[:1] not in "/?#":
        raise StopError(
            "The ConnectWise PSA site is not the name of a server"
            if text
            else "The ConnectWise PSA site is empty",
            remedy="Enter it as api-na.myconnectwise.net, or the name of your own server.",
        )
    return found["scheme"] or "https", found["host"], found["port"] or ""


@dataclass(frozen=True, slots=True)
class ConnectWiseSettings:
    """Site and credentials of one ConnectWise PSA login company; keys never show in its repr.

    Attributes:
        site: server name, such as ``na.myconnectwise.net``; see ``base_address``.
        client_id: GUID that the vendor gives each integration; it is required on every request.
        member_id: identifier of the API member that owns the keys, to recognise one's own changes.
        api_version: model version such as ``2026.4``; None asks for the server's newest. See ``headers``.

    Raises:
        StopError: a setting is empty or can't be what its name says.
    """

    site: str
    company_id: str
    public_key: str = field(repr=False)
    private_key: str = field(repr=False)
    client_id: str = field(repr=False)
    member_id: str | None = None
    api_version: str | None = None

    def __post_init__(self) -> None:
        base_address(self.site)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, str):
                # Pasted values come with blanks and line breaks around them.
                object.__setattr__(self, item.name, value.strip())
        for name in _WORDS:
            self._check(name)

    def _check(self, name: str) -> None:
        value: str = getattr(self, name)
        forbidden = {"company_id": "+:/", "public_key": "+:"}.get(name, "")
        problem = ""
        if not value:
            problem = "is empty"
        elif not (value.isascii() and value.isprintable()) or " " in value:
            problem = "holds blanks, line breaks or letters outside ASCII"
        elif any(letter in value for letter in forbidden):
            problem = f"must not hold any of {' '.join(forbidden)}"
        if problem:
            raise StopError(f"The {_WORDS[name]} of {SYSTEM} {problem}", remedy=_REMEDIES[name])

    @property
    def base_url(self) -> str:
        """The API's base address, without the codebase."""
        return base_address(self.site)

    @property
    def credential_key(self) -> str:
        """Names these credentials; a hash, no credential. Earlier versions kept rows under it."""
        owner = hashlib.sha256(f"{self.company_id}+{self.public_key}".encode()).hexdigest()[:16]
        return f"connectwise:{self.base_url.partition('://')[2]}:{owner}"

    @property
    def tenant_key(self) -> str:
        """Names the tenant: server and login company, whatever the keys, the spelling and the block's name.

        Leases, the request budget, open batches and all that is remembered go by it (ADR 0012).
        """
        return f"connectwise:{server_name(self.site)}:{self.company_id.lower()}"

    def configuration_url(self, configuration_id: int) -> str:
        """Where a person opens a configuration in a browser."""
        return record_address(self.site, self.company_id, "ConfigFv", configuration_id)

    def secrets(self) -> list[str]:
        """Texts that no message may show."""
        return [self.public_key, self.private_key, self.client_id, self._credential()]

    def headers(self) -> Mapping[str, str]:
        """The headers of every request.

        Plain JSON is asked for unless ``api_version`` is set. The vendor keeps old model versions for
        about a year and refuses versions that a server does not know, so that a pinned version breaks both
        old servers of one's own and, in time, every other; the members used here have been stable since
        2015, and a reader that ignores unknown members takes the newest model.
        """
        version = f"application/vnd.connectwise.com+json; version={self.api_version}"
        return {
            "Authorization": f"Basic {self._credential()}",
            "clientId": self.client_id,
            "Accept": version if self.api_version else _PLAIN,
        }

    def _credential(self) -> str:
        return base64.b64encode(f"{self.company_id}+{self.public_key}:{self.private_key}".encode()).decode()

"""The address of a ConnectWise site, from whatever a person pastes into the site field."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlencode

from connectors.addresses import LOOPBACK
from connectors.errors import StopError

_PARTS = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>\[[0-9a-f:]+\]|[^/:?#\s@]+)(?P<port>:\d+)?"
)
_CLOUD = re.compile(r"[a-z0-9-]+\.(myconnectwise\.net|connectwisedev\.com)")
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
        {
            "locale": "en_US",
            "recordType": record_type,
            "recid": record_id,
            "companyName": company_id,
        }
    )
    return f"{scheme}://{server}/{_ROUTER}?{query}"


def _parts(site: str) -> tuple[str, str, str]:
    text = site.strip().lower()
    found = _PARTS.match(text)
    rest = text[found.end() :] if found else text
    if found is None or found["scheme"] not in (None, "http", "https") or not _may_follow(rest):
        raise StopError(
            "The ConnectWise PSA site is not the name of a server"
            if text
            else "The ConnectWise PSA site is empty",
            remedy="Enter it as api-na.myconnectwise.net, or the name of your own server.",
        )
    return found["scheme"] or "https", found["host"], found["port"] or ""


def _may_follow(rest: str) -> bool:
    return rest == "" or rest[0] in "/?#"

"""Where a vendor is reached and how: the address that is allowed, time limits, pooled connections.

Nothing that a server sends steers a later request: cookies are not kept, and redirects neither followed nor
parsed.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar
from typing import Any

import httpx

from connectors.answers import ACCEPTED_CODINGS
from connectors.errors import StopError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Where the environment may name other authorities than the usual ones."""


def check_base_url(base_url: str, system: str) -> httpx.URL:
    """The address, parsed, without a trailing slash.

    Raises:
        StopError: not an address, not https (http is taken for 127.0.0.1, localhost and ::1 only, where
            the sandbox listens), or one that carries a user name, a query or a fragment.
    """
    try:
        url = httpx.URL(base_url.strip().rstrip("/"))
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL("")
    problem = _problem(url)
    if problem:
        raise StopError(f"The address of {system} {problem}", system=system, remedy="Use https://host.")
    return url


def is_loopback(url: httpx.URL) -> bool:
    """Whether the address is on this machine."""
    return url.host in LOOPBACK


def _problem(url: httpx.URL) -> str:
    if not url.host:
        return "is not a web address"
    if url.userinfo or url.query or url.fragment:
        return "must not carry a user name, a query or a fragment"
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url)):
        return "must begin with https, or the credentials would travel unencrypted"
    return ""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds that each part of one try may take; ``whole`` ends an answer that only trickles in."""

    connect: float = 10.0
    read: float = 60.0
    write: float = 30.0
    pool: float = 30.0
    whole: float = 180.0


class _NoCookies(CookieJar):
    """Keeps no cookie: each request proves itself anew, and nothing that a server sends goes out again."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Takes none."""


async def _forget_location(response: httpx.Response) -> None:
    """Takes the address off a redirect, since the library parses it even where it does not follow."""
    response.headers.pop("Location", None)


def without_proxy(base_url: httpx.URL) -> dict[str, None]:
    """httpx's mounts: a proxy named in the environment must not see what is meant for this machine."""
    return {f"all://{base_url.netloc.decode()}": None} if is_loopback(base_url) else {}


def open_connections(
    base_url: httpx.URL,
    headers: Mapping[str, str],
    transport: httpx.AsyncBaseTransport | None,
    concurrency: int,
    limits: TimeLimits,
    verify: bool | ssl.SSLContext,
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        headers={"User-Agent": "connectwise-flows", "Accept-Encoding": ACCEPTED_CODINGS, **headers},
        cookies=_NoCookies(),
        event_hooks={"response": [_forget_location]},
        transport=transport,
        mounts=without_proxy(base_url),
        verify=_certificates(*map(os.environ.get, _AUTHORITIES)) if verify is True else verify,
        follow_redirects=False,
        timeout=httpx.Timeout(limits.read, connect=limits.connect, write=limits.write, pool=limits.pool),
        # Shorter than the 5 s after which common servers close an idle connection: a create that
        # meets a connection just being closed would have an unclear outcome.
        limits=httpx.Limits(
            max_connections=concurrency, max_keepalive_connections=concurrency, keepalive_expiry=4.0
        ),
    )


@cache
def _certificates(*_named: str | None) -> ssl.SSLContext:
    """The trusted authorities, cached by what the environment names: reading them is slow."""
    return httpx.create_ssl_context()

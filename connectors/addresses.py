"""Which base addresses a client may talk to: https, and plain http only to this very machine."""

from __future__ import annotations

import httpx

from connectors.errors import StopError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


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

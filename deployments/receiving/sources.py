"""Whether an address may send messages at all: an optional list of networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from deployments.receiving.settings import Network
from deployments.receiving.verdicts import RefusedError


def check_source(address: str | None, networks: Sequence[Network]) -> None:
    """Nothing for an address within one of the networks, or where none is listed; else RefusedError 403."""
    if networks and not _is_within(address or "", networks):
        raise RefusedError(403, "source address", address or "unknown")


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    # A socket for both protocols shows IPv4 addresses within IPv6.
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in networks)

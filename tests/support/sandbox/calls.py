"""A plain HTTP client with the sandbox's ConnectWise keys."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

API = "/v4_6_release/apis/3.0"
BULK = f"{API}/company/configurations/bulk"
CONFIGURATIONS = f"{API}/company/configurations"


def connectwise(info: dict[str, Any], verify: ssl.SSLContext | None = None) -> httpx.Client:
    """A client for the first line's ``connectwise`` part: Basic auth and clientId, nothing of our own."""
    keys = info["connectwise"]
    return httpx.Client(
        base_url=keys["site"],
        auth=(f"{keys['company_id']}+{keys['public_key']}", keys["private_key"]),
        headers={"clientId": keys["client_id"]},
        verify=verify or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        timeout=20,
    )


def machines(company: int, number: int) -> list[dict[str, Any]]:
    """Bodies for new configurations."""
    return [{"name": f"new-{n}", "type": {"id": 1}, "company": {"id": company}} for n in range(number)]

"""Tries a connection out and says in words what is wrong with it."""

from __future__ import annotations

from contextlib import aclosing

from connectors.checks import ConnectionCheck
from connectors.errors import ConnectorError
from connectors.lansweeper.client import LansweeperClient


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

"""The client of Lansweeper: a method per operation of its Data API, by area."""

from __future__ import annotations

from connectors.lansweeper.assets import AssetOperations
from connectors.lansweeper.settings import REQUEST_LIMITS, LansweeperSettings
from connectors.lansweeper.sites import SiteOperations

__all__ = ["REQUEST_LIMITS", "LansweeperClient", "LansweeperSettings"]


class LansweeperClient(AssetOperations, SiteOperations):
    """Every operation that this project uses; answers are plain dictionaries with the vendor's names.

    Example:
        ```python
        async with LansweeperClient(LansweeperSettings(token), read_only=True) as client:
            site = await client.site()
            async for page in client.asset_pages(site["id"], ["assetBasicInfo.name"]):
                print(len(page.items))
        ```
    """

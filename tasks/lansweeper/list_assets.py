"""The documented action List Assets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from connectors.lansweeper.client import LansweeperClient, Sending, at_once
from connectors.lansweeper.models import Filters
from tasks.shared.action import action
from tasks.shared.connections import lansweeper_client
from tasks.shared.progress import Progress

T = TypeVar("T")

DEFAULT_FIELDS = (
    "assetBasicInfo.name",
    "assetBasicInfo.type",
    "assetBasicInfo.mac",
    "assetBasicInfo.ipAddress",
    "assetBasicInfo.lastSeen",
    "assetCustom.manufacturer",
    "assetCustom.model",
    "assetCustom.serialNumber",
    "assetCustom.stateName",
    "url",
)


@action("List Assets", key="listAssetsAction")
async def list_assets(
    connection: str,
    site_id: str = "",
    fields: Sequence[str] = DEFAULT_FIELDS,
    filters: dict[str, Any] | None = None,
    page_size: int = 500,
) -> list[dict[str, Any]]:
    """Fetch assets of a Lansweeper site, nested by path, with just the requested leaves and ``key``.

    Args:
        connection: name of the Lansweeper Connection block.
        site_id: the site; empty for the site of the connection.
        fields: dotted paths of leaves, such as ``assetBasicInfo.name``.
        filters: ``{conjunction, conditions: [{operator, path, value}], groups}`` as the API takes it.
        page_size: assets a request, at most 500.

    Raises:
        RejectedError: a path or a filter is refused; the message names it.
        StopError: the token is refused, or has no access to the site.
    """
    async with lansweeper_client(connection) as client:
        site = site_id or (await client.site())["id"]
        pages = client.asset_pages(site, fields, filters=cast(Filters | None, filters), page_size=page_size)
        return [item async for page in pages for item in page.items]


async def read_assets(
    client: LansweeperClient,
    site_id: str,
    fields: Sequence[str],
    filters: Filters | None,
    keep: Callable[[dict[str, Any]], T],
    send: Sending = at_once,
) -> tuple[list[T], int | None]:
    """Read every asset under ``filters`` and keep of each only what ``keep`` takes from it.

    Pages of 500; a page's items are dropped before the next page is read. The second answer is the number of
    assets that Lansweeper named at the start, if it did. ``send`` makes each request, again if it likes.
    """
    kept: list[T] = []
    progress: Progress | None = None
    total: int | None = None
    async for page in client.asset_pages(site_id, fields, filters=filters, send=send):
        total = total if page.total is None else page.total
        progress = progress or Progress("assets read", total)
        kept.extend(map(keep, page.items))
        progress.advance(len(page.items))
    return kept, total

"""The documented action List Assets, and its step in a run: a whole site, cut down while it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.models import Filters
from tasks.rules.isolation import UnreadRecord, convert_page
from tasks.shared.action import Inventory, action, action_step
from tasks.shared.connections import lansweeper_client
from tasks.shared.progress import Progress
from tasks.shared.retry import RetryPolicy, retry

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


class AssetInventory(Inventory[T]):
    """Assets as they were read; ``total`` is the number that Lansweeper named at the start, if it did."""

    __slots__ = ("total",)

    def __init__(self, records: list[T], total: int | None, unread: list[UnreadRecord] | None = None) -> None:
        super().__init__(records, unread)
        self.total = total

    @property
    def missing(self) -> int:
        """How many assets Lansweeper named but did not give."""
        return max(0, (self.total or 0) - len(self) - len(self.unread))


@action_step(list_assets)
async def read_assets(
    client: LansweeperClient,
    site_id: str,
    fields: Sequence[str],
    filters: Filters | None,
    keep: Callable[[dict[str, Any]], Any],
    policy: RetryPolicy,
) -> AssetInventory[Any]:
    """Read every asset under ``filters`` and keep of each only what ``keep`` takes from it.

    Pages of 500; a page's items are dropped before the next page is read. An asset that ``keep`` fails on is
    among the ``unread`` of the answer, and its neighbours go on. A page that has to wait for the
    request limit is waited for under ``policy``: the pages before it are not read again.
    """
    kept: list[Any] = []
    unread: list[UnreadRecord] = []
    progress: Progress | None = None
    total: int | None = None
    async for page in client.asset_pages(
        site_id, fields, filters=filters, send=lambda call: retry(call, policy)
    ):
        total = total if page.total is None else page.total
        progress = progress or Progress("assets read", total)
        kept += convert_page(page.items, keep, unread)
        progress.advance(len(page.items))
    return AssetInventory(kept, total, unread)

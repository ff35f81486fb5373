"""Operations on assets: read all, read one, edit one or several."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

import httpx

from connectors.errors import RejectedError, RetryableError
from connectors.http import Kind
from connectors.lansweeper import queries
from connectors.lansweeper.api import LansweeperApi
from connectors.lansweeper.edits import EditsReading, read_outcomes
from connectors.lansweeper.filters import any_key, checked_filters
from connectors.lansweeper.joining import AssetJoin
from connectors.lansweeper.models import Asset, AssetEdit, AssetPage, EditOutcome, Filters
from connectors.lansweeper.reading import Answer, AssetReader, Sending, at_once
from connectors.lansweeper.refusals import CHECK_SITE
from connectors.lansweeper.selections import DETAILS, path_groups, selection

#: Assets on one page at most (reference, section 3).
LARGEST_PAGE = 500
#: Keys in one filter: the vendor takes 100 conditions.
MOST_KEYS = 100


class AssetOperations(LansweeperApi):
    """Read and edit assets."""

    async def asset_pages(
        self,
        site_id: str,
        fields: Sequence[str],
        filters: Filters | None = None,
        page_size: int = LARGEST_PAGE,
        send: Sending = at_once,
    ) -> AsyncGenerator[AssetPage, None]:
        """The assets of a site, each once, with the wanted field paths and ``key``.

        Args:
            fields: dotted leaf paths such as ``assetBasicInfo.name``. More than 29 besides ``key`` are read
                with several queries page by page, joined by key.
            filters: which assets; at most 100 conditions.
            page_size: 1 to 500; it halves by itself when an answer nears the vendor's 4 MB.
            send: makes each request; one that it makes again costs no page that was read before.

        Raises:
            RejectedError: a page size or path that can't be, before anything is sent.
            StopError: the token, the site or a path is refused, or a cursor does not move.
            RetryableError: the request limit is used up, or Lansweeper is out of order.
        """
        _check_page_size(page_size)
        groups = path_groups(fields)
        readers = self._readers(site_id, groups, checked_filters(filters), page_size, send)
        join, first = AssetJoin(len(groups)), True
        while not all(reader.done for reader in readers):
            await _read_on(readers, join)
            items = join.take()
            if items or first:
                yield AssetPage(items, readers[0].total if first else None)
            first = False
        # An asset that came between the pages of two queries has only a part: it is asked for by key.
        missing = join.incomplete()
        for start in range(0, len(missing), MOST_KEYS):
            keys = missing[start : start + MOST_KEYS]
            yield AssetPage(await self._assets_of(site_id, groups, keys, send))

    async def asset_details(self, site_id: str, key: str, fields: Sequence[str] = DETAILS) -> Asset | None:
        """One asset: ``assetDetails``, with any number of paths; None if there is no such key."""
        document = queries.ASSET_DETAILS % selection(fields)
        details, _ = await self._of_site(Kind.READ, "assetDetails", document, site_id, key=key)
        return cast("Asset | None", details)

    async def edit_asset(self, site_id: str, key: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Writes fields of one asset: ``editAsset``. Fields that are not named stay as they are.

        ``fields`` is an EditAssetInput, for custom fields
        ``{"assetCustom": {"fields": [{"fieldKey": ..., "value": ...}]}}``; empty text clears one. A field
        that Lansweeper's scan owns is locked by an edit: later scans no longer change it.
        """
        edited, _ = await self._of_site(
            Kind.MODIFY, "editAsset", queries.EDIT_ASSET, site_id, key=key, fields=fields
        )
        if not isinstance(edited, dict):
            raise self._nothing("editAsset", "See that the asset still exists in Lansweeper.")
        return edited

    async def edit_assets(
        self, site_id: str, edits: Sequence[AssetEdit], *, cost: int = 1
    ) -> list[EditOutcome]:
        """Writes to several assets with one request, and says of each whether it was written, in order.

        An asset that can't be edited does not keep the others from being written. The edits are absolute
        values, so the request is repeated after a server error or a dropped connection.

        Args:
            edits: as ``edit_asset`` takes them; the caller sizes the batch, none at all sends nothing.
            cost: requests that Lansweeper counts this one as: ``len(edits)`` where it counts edits singly.

        Raises:
            TooManyAliasesError: the whole request is refused for its size, nothing was written: send fewer.
            RejectedError: the whole request is refused for another reason, such as a value of a wrong type
                in one of the edits; nothing was written.
            StopError: the token, the site or the role is refused.
            RetryableError: the request limit is used up, or Lansweeper is out of order.
        """
        if not edits:
            return []
        answer = await self._send_edits(site_id, edits, cost)
        outcomes = read_outcomes(self._body(Kind.MODIFY, answer), edits)
        if outcomes is None:
            raise self._nothing("editAssets", CHECK_SITE)
        return outcomes

    async def _send_edits(self, site_id: str, edits: Sequence[AssetEdit], cost: int) -> httpx.Response:
        variables: dict[str, Any] = {"site": site_id}
        for number, edit in enumerate(edits):
            variables |= {f"k{number}": edit.key, f"f{number}": edit.fields}
        body = {
            "operationName": "editAssets",
            "query": queries.edit_assets(len(edits)),
            "variables": variables,
        }
        path, reading = self.settings.path, EditsReading(self._read, len(edits))
        try:
            return await self.session.request(
                Kind.MODIFY,
                "POST",
                path,
                template=f"{path} editAssets",
                json=body,
                read_error=reading,
                cost=cost,
            )
        except RetryableError as error:
            # Tried again and refused again: these edits fail for themselves, and others may well pass.
            if reading.failed_for_themselves is None or (error.status or 0) < 500:
                raise
            return reading.failed_for_themselves

    def _readers(
        self,
        site_id: str,
        groups: Sequence[Sequence[str]],
        filters: Filters | None,
        page_size: int,
        send: Sending,
    ) -> list[AssetReader]:
        async def ask(document: str, variables: dict[str, Any]) -> Answer:
            return await send(
                lambda: self._of_site(Kind.READ, "assetResources", document, site_id, **variables)
            )

        return [AssetReader(ask, group, filters, page_size) for group in groups]

    async def _assets_of(
        self, site_id: str, groups: Sequence[Sequence[str]], keys: Sequence[str], send: Sending
    ) -> list[Asset]:
        """The assets of these keys that still exist, whole."""
        join = AssetJoin(len(groups))
        readers = self._readers(site_id, groups, any_key(keys), MOST_KEYS, send)
        while not all(reader.done for reader in readers):
            await _read_on(readers, join)
        return join.take()


async def _read_on(readers: Sequence[AssetReader], join: AssetJoin) -> None:
    for number, reader in enumerate(readers):
        if not reader.done:
            join.add(number, await reader.next_items())


def _check_page_size(page_size: int) -> None:
    if not 1 <= page_size <= LARGEST_PAGE:
        raise RejectedError(
            f"A page of {page_size} assets can't be read",
            system="Lansweeper",
            remedy=f"Ask for 1 to {LARGEST_PAGE} assets a page.",
        )

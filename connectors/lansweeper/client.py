"""The client of Lansweeper's Data API: sites, assets page by page, edits, custom fields.

A long selection of fields is several queries (``graphql.path_groups``): ``AssetReader`` pages through each of
them by cursor, ``AssetJoin`` joins their answers by key.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import httpx

from connectors.errors import LONGEST_ERROR_MESSAGE, RejectedError, RetryableError, StopError, cut_text
from connectors.http import ReadAnswer
from connectors.lansweeper import graphql
from connectors.lansweeper.api import LansweeperApi, body_with_data
from connectors.lansweeper.assets import AssetJoin, AssetReader, AssetsAnswer, read_assets_answer
from connectors.lansweeper.edits import EditsReading, read_outcomes
from connectors.lansweeper.graphql import any_key, checked_filters, path_groups
from connectors.lansweeper.models import (
    Asset,
    AssetEdit,
    AssetPage,
    CustomField,
    CustomFieldProps,
    EditOutcome,
    Filters,
    Site,
)
from connectors.lansweeper.refusals import CHECK_CREDENTIAL, CHECK_SITE
from connectors.lansweeper.settings import several_sites
from connectors.retry import RequestKind
from connectors.shapes import as_list, as_object, as_objects, as_text, optional

Sending = Callable[[Callable[[], Awaitable[AssetsAnswer]]], Awaitable[AssetsAnswer]]
"""Makes a request that is handed to it, or makes it again after a while: a long read resumes where it was."""
LARGEST_PAGE = 500
"""Assets on one page at most."""
MOST_KEYS = 100
"""Keys in one filter: the vendor takes 100 conditions."""


async def send_once(call: Callable[[], Awaitable[AssetsAnswer]]) -> AssetsAnswer:
    """Make a request without repeating it."""
    return await call()


class LansweeperClient(LansweeperApi):
    """Every operation that this project uses; answers are plain dictionaries with the vendor's names.

    Example:
        ```python
        async with LansweeperClient(LansweeperSettings(token), read_only=True) as client:
            site = await client.site()
            async for page in client.asset_pages(site["id"], ["assetBasicInfo.name"]):
                print(len(page.items))
        ```
    """

    async def authorized_sites(self) -> list[Site]:
        """The sites that the token may see: ``authorizedSites``."""
        return await self._post(RequestKind.READ, "authorizedSites", graphql.AUTHORIZED_SITES, _sites)

    async def site(self) -> Site:
        """The site that the settings name, or the only one the token may see; StopError else.

        Asked for once in the client's life.
        """
        if self._site is None:
            self._site = await self._find_site()
        return self._site

    async def site_id(self) -> str:
        """The id of ``site``, without a request where the settings name it as Lansweeper writes it.

        That the token may not see it is told by the first request about it then.
        """
        named = self.settings.site_id
        return named if named and named == named.lower() else (await self.site())["id"]

    async def _find_site(self) -> Site:
        sites, named = await self.authorized_sites(), self.settings.site_id
        shown = ", ".join(f"{site['name']} ({site['id']})" for site in sites)
        if not sites:
            raise StopError("The Lansweeper token may see no site", remedy=CHECK_CREDENTIAL)
        chosen = [site for site in sites if site["id"].lower() == named.lower()] if named else sites
        if not chosen:
            message = f"The Lansweeper token may not see the site {named}, but {shown}"
            raise StopError(message, remedy=CHECK_SITE)
        if len(chosen) > 1:
            raise several_sites(shown)
        return chosen[0]

    @property
    def tenant_key(self) -> str | None:
        """The key of the site that the settings name or ``site`` found; None: not known yet."""
        site_id = self.settings.site_id or (self._site["id"] if self._site else "")
        return self.settings.tenant_key(site_id) if site_id else None

    async def site_mutations(self) -> list[str]:
        """The names of what can be written to a site, as the schema tells them."""
        return await self._post(RequestKind.READ, "siteMutations", graphql.SITE_MUTATIONS, _mutations)

    async def asset_types(self, site_id: str) -> list[str]:
        """Names of the site's asset types: ``assetTypes``. Sites add their own."""
        return await self._of_site(
            RequestKind.READ, "assetTypes", graphql.ASSET_TYPES, site_id, _names_of_types
        )

    async def custom_fields(self, site_id: str) -> list[CustomField]:
        """The site's custom fields: ``customFields``. Several may have one name."""
        return await self._of_site(
            RequestKind.READ, "customFields", graphql.CUSTOM_FIELDS, site_id, _custom_fields
        )

    async def create_custom_field(
        self, site_id: str, name: str, type_: str = "INPUT", props: CustomFieldProps | None = None
    ) -> CustomField:
        """Creates a custom field, for good: ``createCustomField``; ``props`` as in ``models.CustomField``."""
        field = {"name": name, "type": type_, **({"props": props} if props else {})}
        return await self._of_site(
            RequestKind.CREATE,
            "createCustomField",
            graphql.CREATE_CUSTOM_FIELD,
            site_id,
            lambda created, _: _custom_field(created),
            field=field,
        )

    async def asset_pages(
        self,
        site_id: str,
        fields: Sequence[str],
        filters: Filters | None = None,
        page_size: int = LARGEST_PAGE,
        send: Sending = send_once,
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

    async def edit_asset(self, site_id: str, key: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Writes fields of one asset: ``editAsset``. Fields that are not named stay as they are.

        ``fields`` is an EditAssetInput, for custom fields
        ``{"assetCustom": {"fields": [{"fieldKey": ..., "value": ...}]}}``; empty text clears one. A field
        that Lansweeper's scan owns is locked by an edit: later scans no longer change it.
        """

        def parse(edited: Any, _: int) -> dict[str, Any]:
            if edited is None:
                raise self._nothing("editAsset", "See that the asset still exists in Lansweeper.")
            return as_object(edited, "the edited asset")

        return await self._of_site(
            RequestKind.MODIFY,
            "editAsset",
            graphql.EDIT_ASSET,
            site_id,
            parse,
            misfit=RejectedError,
            key=key,
            fields=fields,
        )

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
        status = answer.status_code

        def parse(answer: ReadAnswer) -> list[EditOutcome]:
            outcomes = read_outcomes(body_with_data(answer), edits, status)
            if outcomes is None:
                raise self._nothing("editAssets", CHECK_SITE)
            return [each if each.ok else self._readable(each) for each in outcomes]

        return self.session.parsed(RequestKind.MODIFY, "POST", self.settings.path, answer, parse)

    def _readable(self, refused: EditOutcome) -> EditOutcome:
        return replace(refused, message=self.session.redact(cut_text(refused.message, LONGEST_ERROR_MESSAGE)))

    async def _send_edits(self, site_id: str, edits: Sequence[AssetEdit], cost: int) -> httpx.Response:
        variables: dict[str, Any] = {"site": site_id}
        for number, edit in enumerate(edits):
            variables |= {f"k{number}": edit.key, f"f{number}": edit.fields}
        body = {
            "operationName": "editAssets",
            "query": graphql.edit_assets_mutation(len(edits)),
            "variables": variables,
        }
        path, reading = self.settings.path, EditsReading(self._read, len(edits))
        try:
            return await self.session.request(
                RequestKind.MODIFY,
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
        async def ask(document: str, variables: dict[str, Any]) -> AssetsAnswer:
            return await send(
                lambda: self._of_site(
                    RequestKind.READ, "assetResources", document, site_id, read_assets_answer, **variables
                )
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


def _mutations(data: Any, _: int) -> list[str]:
    kind = optional(as_object, as_object(data, "data").get("__type"), "the type of mutations") or {}
    fields = as_objects(kind.get("fields") or [], "the list of mutations")
    return [as_text(each.get("name"), "a mutation's name") for each in fields]


def _sites(data: Any, _: int) -> list[Site]:
    authorized = as_object(as_object(data, "data").get("authorizedSites") or {}, "authorizedSites")
    sites = as_list(authorized.get("sites") or [], "the list of sites")
    return [_site(site) for site in sites if site is not None]


def _site(site: Any) -> Site:
    name = as_object(site, "a site").get("name")
    return {
        "id": as_text(site.get("id"), "a site's id"),
        "name": optional(as_text, name or None, "its name") or "",
    }


def _names_of_types(types: Any, _: int) -> list[str]:
    return [as_text(name, "an asset type") for name in as_list(types or [], "the list of asset types")]


def _custom_fields(fields: Any, _: int) -> list[CustomField]:
    listed = as_list(fields or [], "the list of custom fields")
    return [_custom_field(field) for field in listed if field is not None]


def _custom_field(field: Any) -> CustomField:
    members = as_object(field, "a custom field")
    for name in ("key", "name"):
        as_text(members.get(name), f"a custom field's {name}")
    optional(as_text, members.get("type"), "a custom field's type")
    optional(as_object, members.get("props"), "a custom field's props")
    return cast(CustomField, members)

"""What serves every ConnectWise collection: lists, pages, counts and writes, each written once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, cast

from connectors.connectwise.models import ListSearch, PagesSearch, PatchOperation, Record, Search
from connectors.connectwise.paging import (
    FORWARD_ONLY,
    LARGEST_PAGE,
    next_page,
    next_page_id,
    page_request,
)
from connectors.connectwise.settings import SYSTEM
from connectors.connectwise.tenant import Tenant
from connectors.errors import StopError
from connectors.http import Kind

_WIRE_NAMES = {
    "child_conditions": "childConditions",
    "custom_field_conditions": "customFieldConditions",
    "fields": "fields",
    "order_by": "orderBy",
}
Params = dict[str, str | int]


class Collection:
    """Where a collection lies: its path, and the path template that requests are counted under."""

    def __init__(self, template: str, **ids: int) -> None:
        self.template = template
        self.path = template
        for name, value in ids.items():
            self.path = self.path.replace(f"{{{name}}}", str(int(value)))

    def under(self, suffix: str) -> Collection:
        """A path below this one, which has no ids of its own."""
        below = Collection(self.template + suffix)
        below.path = self.path + suffix
        return below

    def named(self, suffix: str, name: str) -> Collection:
        """A path below this one, whose placeholder is a name; the caller has checked the name's letters."""
        below = Collection(self.template + suffix)
        below.path = f"{self.path}/{name}"
        return below


class ConnectWiseApi(Tenant):
    """The verbs. The operations with their names are in the modules of the areas."""

    async def _get(self, where: Collection, params: Mapping[str, str | int] | None = None) -> Any:
        body, _ = await self._send(Kind.READ, "GET", where.path, template=where.template, params=params)
        return body

    async def _write(self, kind: Kind, method: str, where: Collection, record: Any = None) -> Any:
        body, _ = await self._send(kind, method, where.path, template=where.template, json=record)
        return body

    async def _get_record(self, where: Collection, fields: str | None) -> Record:
        return cast(Record, await self._get(where, {"fields": fields} if fields else None))

    async def _create(self, where: Collection, record: Record) -> Record:
        return cast(Record, await self._write(Kind.CREATE, "POST", where, record))

    async def _patch(self, where: Collection, operations: Sequence[PatchOperation]) -> Record:
        return cast(Record, await self._write(Kind.MODIFY, "PATCH", where, list(operations)))

    async def _list(self, where: Collection, conditions: str | None, search: ListSearch) -> list[Record]:
        wanted = page_request(search.get("page"), search.get("page_size"))
        params = _params(conditions, search)
        if wanted is not None:
            page = {"page": wanted[0], "pageSize": wanted[1]}
            return records_of(where, await self._get(where, {**params, **page}))
        # Pages by id know no order, so a wanted order costs that safety.
        read = self._pages_by_number if "orderBy" in params else self._pages_by_id
        return [record async for page in read(where, params, LARGEST_PAGE) for record in page]

    def _pages(
        self, where: Collection, conditions: str | None, search: PagesSearch
    ) -> AsyncIterator[list[Record]]:
        size = search.get("page_size", LARGEST_PAGE)
        page_request(None, size)
        return self._pages_by_id(where, _params(conditions, search), size)

    async def _count(self, where: Collection, conditions: str | None, search: Search) -> int:
        where = where.under("/count")
        answer = await self._get(where, _params(conditions, search))
        if not isinstance(answer, dict) or "count" not in answer:
            raise _unexpected(where, "a count")
        return int(answer["count"])

    async def _pages_by_id(self, where: Collection, params: Params, size: int) -> AsyncIterator[list[Record]]:
        page_id: int | None = None
        while True:
            asked = {**params, "pageSize": size, **({"pageId": page_id} if page_id is not None else {})}
            body, headers = await self._send(
                Kind.READ, "GET", where.path, template=where.template, params=asked, headers=FORWARD_ONLY
            )
            records = records_of(where, body)
            # Before the page is handed out: a caller must not act on half of the records unawares.
            page_id = next_page_id(headers.get("Link"), page_id)
            yield records
            if page_id is None:
                return

    async def _pages_by_number(
        self, where: Collection, params: Params, size: int
    ) -> AsyncIterator[list[Record]]:
        page = 1
        while True:
            asked = {**params, "page": page, "pageSize": size}
            body, headers = await self._send(
                Kind.READ, "GET", where.path, template=where.template, params=asked
            )
            records = records_of(where, body)
            following = next_page(headers.get("Link"), page, full=len(records) >= size)
            yield records
            if following is None:
                return
            page = following


def _params(conditions: str | None, search: Mapping[str, Any]) -> Params:
    """The query's parameters under their wire names; empty ones are left out."""
    named = {wire: search.get(name) for name, wire in _WIRE_NAMES.items()}
    return {name: str(value) for name, value in {"conditions": conditions, **named}.items() if value}


def records_of(where: Collection, body: Any, method: str = "GET") -> list[Record]:
    """The body of a list's answer.

    Raises:
        StopError: it is no list.
    """
    if not isinstance(body, list):
        raise _unexpected(where, "a list of records", method)
    return body


def _unexpected(where: Collection, wanted: str, method: str = "GET") -> StopError:
    message = f"ConnectWise answered something else than {wanted}"
    return StopError(message, system=SYSTEM, method=method, path=where.path)

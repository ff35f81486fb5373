"""A collection of ConnectWise: list, page, count, get, create, patch and delete, each written once.

Two ways of paging. Forward-only pages go by the last record's id: no record is missed or doubled if others
are added or deleted meanwhile, and they know no order. Pages by number are for a caller who wants one page or
an order. In both the ``Link`` header says whether more follows; only its query is used, never its host.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, Unpack
from urllib.parse import parse_qs

import orjson

from connectors.connectwise.api import ApiPath, Tenant
from connectors.connectwise.models import ListSearch, PagesSearch, PatchOperation, Record, Search
from connectors.errors import RejectedError, StopError
from connectors.http import ReadAnswer, whole_body
from connectors.paging import PageProgress
from connectors.retry import RequestKind
from connectors.shapes import ShapeError, as_ids, as_number, as_object, as_objects, is_digits

T = TypeVar("T")
DEFAULT_PAGE_SIZE = 25
LARGEST_PAGE = 1000
"""Records; the vendor cuts a larger page silently, which would look like the end of the records."""
PAGE_SIZE = LARGEST_PAGE
"""Records asked for in a page by a reading that wants every record."""
FORWARD_ONLY = {"pagination-type": "forward-only"}
"""The header that asks for pages by id: no record is missed or doubled if others are added or deleted."""


def page_request(page: int | None, page_size: int | None) -> tuple[int, int] | None:
    """The page and page size to ask for, or None for every record (as the actions document it).

    Neither given: every record. Page only: 25 records a page. Page size only: page 1. RejectedError: a page
    below 1, or a page size outside 1 to 1000.
    """
    if page is None and page_size is None:
        return None
    if page is not None and page < 1:
        raise RejectedError(f"Page {page} does not exist", remedy="Pages count from 1.")
    size = DEFAULT_PAGE_SIZE if page_size is None else page_size
    _check_size(size)
    return (1 if page is None else page, size)


def _check_size(size: int) -> None:
    if not 1 <= size <= LARGEST_PAGE:
        raise RejectedError(
            f"A page size of {size} is not possible: ConnectWise gives 1 to {LARGEST_PAGE} records a page",
            remedy="Leave both page and page size empty to read every record.",
        )


def next_page_id(link: str | None, current: int | None) -> int | None:
    """The ``pageId`` of the next page in forward-only mode, or None on the last page.

    In this mode the Link header is always sent, and is empty on the last page. StopError: it is missing or
    does not lead on: going by it would miss records or never end.
    """
    if link is None:
        raise StopError(
            "ConnectWise sent no Link header, so it is not known whether more records follow",
            remedy="A proxy may remove it, or the server does not know forward-only paging.",
        )
    query = _next_query(link)
    return None if query is None else _moved(query, "pageid", current or 0)


def next_page(link: str | None, current: int, *, full: bool) -> int | None:
    """The next page's number in page mode, or None at the end.

    At the end the Link header names no next page, or is not sent at all; a full page without it is followed
    by another request. StopError: the header's next page is not a further one.
    """
    if link is None:
        return current + 1 if full else None
    query = _next_query(link)
    return None if query is None else _moved(query, "page", current)


def has_next(link: str | None, *, full: bool) -> bool:
    """Whether more follows, for a list that is continued by its last id and not by the header's query."""
    return full if link is None else _next_query(link) is not None


def _moved(query: dict[str, list[str]], name: str, current: int) -> int:
    values = query.get(name, [])
    following = int(values[0]) if values and is_digits(values[0]) else 0
    if following <= current:
        raise StopError(
            "ConnectWise's Link header does not lead to a further page",
            remedy="Reading stopped, since going on would miss records or never end.",
        )
    return following


_LONGEST_QUERY = 20_000


def _next_query(link: str) -> dict[str, list[str]] | None:
    """The query of the link with rel next, names in lower case; only the query is used, never the host."""
    for entry in link.split("<")[1:]:
        address, _, parameters = entry.partition(">")
        if any("next" in _relations(part) for part in parameters.split(";")):
            query = parse_qs(address.strip().partition("?")[2].partition("#")[0][:_LONGEST_QUERY])
            return {name.lower(): values for name, values in query.items()}
    if link.strip() and ("<" not in link or "rel" not in link.lower()):
        raise StopError(
            "ConnectWise's Link header can't be read, so it is not known whether more records follow",
            remedy="A proxy may have changed it. Run it again; if it happens again, report it.",
        )
    return None


def _relations(parameter: str) -> list[str]:
    """What ``rel`` says of a link: one word or several with blanks between (RFC 8288, section 3.3)."""
    name, _, value = parameter.partition("=")
    return value.strip(" \t\"',").lower().split() if name.strip().lower() == "rel" else []


_WIRE_NAMES = {
    "child_conditions": "childConditions",
    "custom_field_conditions": "customFieldConditions",
    "fields": "fields",
    "order_by": "orderBy",
}
Params = dict[str, str | int]
Records = list[Record]
"""A list's name for types: within ``Collection``, ``list`` is the method."""


class Collection:
    """One collection at a documented path, with the requests that every collection of the vendor answers.

    ``conditions`` are in the vendor's language, as ``conditions.py`` builds them. Not every collection offers
    every operation to every member; the server refuses what it does not offer.
    """

    def __init__(self, tenant: Tenant, template: str, **ids: int) -> None:
        self._tenant = tenant
        self.path = ApiPath.of(template, **ids)

    async def list(self, conditions: str | None = None, **search: Unpack[ListSearch]) -> Records:
        """Records as one list: ``GET /x``. Every record unless a page is asked for, 1,000 a request.

        Raises:
            RejectedError: a page or a condition that is not possible.
            StopError: there is no way to know whether more records follow.
        """
        wanted = page_request(search.get("page"), search.get("page_size"))
        params = _params(conditions, search)
        if wanted is not None:
            asked = {**params, "page": wanted[0], "pageSize": wanted[1]}
            return await self._read(self.path, asked, _list_with(params))
        # Pages by id know no order, so a wanted order costs that safety.
        read = self._pages_by_number if "orderBy" in params else self._pages_by_id
        return [record async for page in read(params, PAGE_SIZE) for record in page]

    def pages(self, conditions: str | None = None, **search: Unpack[PagesSearch]) -> AsyncIterator[Records]:
        """Records page by page in the order of their ids, forward-only: ``GET /x``. One request a page."""
        size = search.get("page_size", PAGE_SIZE)
        page_request(None, size)
        return self._pages_by_id(_params(conditions, search), size)

    async def count(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of records: ``GET /x/count``."""
        return await self._count(_params(conditions, search))

    async def get(self, record_id: int, fields: str | None = None) -> Record:
        """``GET /x/{id}``: one record, whole unless ``fields`` names some; RejectedError 404 if none."""
        params: Params | None = {"fields": fields} if fields else None
        return await self._read(self._one(record_id), params, _record_with(params, record_id))

    async def create(self, record: Record) -> Record:
        """Create one record: ``POST /x``. After UnclearOutcomeError look for it before sending it again."""
        return await self._tenant.send(RequestKind.CREATE, "POST", self.path, _record_with(None), json=record)

    async def patch(self, record_id: int, operations: Sequence[PatchOperation]) -> Record:
        """Change some members: ``PATCH /x/{id}``; returns the whole record.

        It may be sent twice, so only operations that set an absolute value belong here. The server checks
        the whole stored record and may refuse a member that was not sent.
        """
        return await self._tenant.send(
            RequestKind.MODIFY,
            "PATCH",
            self._one(record_id),
            _record_with(None, record_id),
            json=list(operations),
        )

    async def delete(self, record_id: int) -> None:
        """``DELETE /x/{id}``; RejectedError: in use, or not there (404; also if an earlier try did it)."""
        await self._tenant.send(RequestKind.MODIFY, "DELETE", self._one(record_id), whole_body)

    def _one(self, record_id: int) -> ApiPath:
        return self.path.under("/{id}", id=record_id)

    async def _read(
        self, path: ApiPath, params: Params | None, parse: Callable[[ReadAnswer], T], **options: Any
    ) -> T:
        return await self._tenant.send(RequestKind.READ, "GET", path, parse, params=params, **options)

    async def _pages_by_id(self, params: Params, size: int) -> AsyncIterator[Records]:
        page_id: int | None = None
        listed, progress = _list_with(params), PageProgress("records")

        # The next page is known before a page is handed out: a caller must not act on half of the records
        # unawares.
        def parse(answer: ReadAnswer) -> tuple[Records, int | None]:
            records, following = listed(answer), next_page_id(answer.headers.get("Link"), page_id)
            progress.page(keys_of(records), more=following is not None, records=len(records))
            return records, following

        while True:
            asked = {**params, "pageSize": size, **({"pageId": page_id} if page_id is not None else {})}
            records, page_id = await self._read(self.path, asked, parse, headers=FORWARD_ONLY)
            yield records
            if page_id is None:
                return
            await progress.count_with(partial(self._count, params))

    async def _pages_by_number(self, params: Params, size: int) -> AsyncIterator[Records]:
        page = 1
        listed, progress = _list_with(params), PageProgress("records")

        def parse(answer: ReadAnswer) -> tuple[Records, int | None]:
            records = listed(answer)
            following = next_page(answer.headers.get("Link"), page, full=len(records) >= size)
            progress.page(keys_of(records), more=following is not None, records=len(records))
            return records, following

        while True:
            asked = {**params, "page": page, "pageSize": size}
            records, further = await self._read(self.path, asked, parse)
            yield records
            if further is None:
                return
            page = further
            await progress.count_with(partial(self._count, params))

    async def _count(self, params: Params) -> int:
        conditions = {name: value for name, value in params.items() if name.lower().endswith("conditions")}
        return await self._read(self.path.under("/count"), conditions, as_count)


def _params(conditions: str | None, search: Mapping[str, Any]) -> Params:
    """The query's parameters under their wire names; empty ones are left out."""
    named = {wire: search.get(name) for name, wire in _WIRE_NAMES.items()}
    return {name: str(value) for name, value in {"conditions": conditions, **named}.items() if value}


def as_records(answer: ReadAnswer) -> Records:
    """The records of a list's answer."""
    return as_objects(answer.body, "the list of records")


def as_count(answer: ReadAnswer) -> int:
    """The number in a count's answer."""
    return as_number(as_object(answer.body, "the count").get("count"), "the count")


def keys_of(records: Sequence[Record]) -> set[Hashable]:
    """What tells records of a page from those of another: their ids, else the page as it is."""
    ids = {record["id"] for record in records if "id" in record}
    return ids or ({orjson.dumps(records)} if records else set())


def names_id(fields: str | None) -> bool:
    """Whether the answer's records must have an id: they have, unless the wanted fields leave it out."""
    return "id" in {name.strip().lower() for name in (fields or "id").split(",")}


def _has_id(params: Params | None) -> bool:
    return names_id(str((params or {}).get("fields") or ""))


def _list_with(params: Params) -> Callable[[ReadAnswer], Records]:
    has_id = _has_id(params)

    def parse(answer: ReadAnswer) -> Records:
        records = as_records(answer)
        if has_id:
            as_ids(records, "the list of records")
        return records

    return parse


def _record_with(params: Params | None, record_id: int | None = None) -> Callable[[ReadAnswer], Record]:
    """Reads one record; it must be the one that was asked for."""

    def parse(answer: ReadAnswer) -> Record:
        record = as_object(answer.body, "the record")
        if _has_id(params):
            number = as_number(record.get("id"), "the record's id", least=1)
            if record_id not in (None, number):
                raise ShapeError(f"the record should be {record_id} but is {number}")
            # An id in quotes is a number everywhere else.
            record["id"] = number
        return record

    return parse

"""What serves every ConnectWise collection: lists, pages, counts and writes, each written once.

One login company of ConnectWise PSA: its connections, and where its API lies.

Which page to ask for, and whether there is another. Pure; the client does the asking.

Where a tenant's API lies: the codebase is asked for once and put before every path.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qs, quote, urlsplit

import anyio
import httpx

from connectors.connectwise.models import CompanyInfo, ListSearch, PagesSearch, PatchOperation, Record, Search
from connectors.connectwise.refusals import CHECK_COMPANY, read_connectwise_refusal
from connectors.connectwise.settings import SYSTEM, ConnectWiseSettings
from connectors.errors import RejectedError, StopError
from connectors.http import HttpSession, RequestBudget
from connectors.retry import Kind

LOOKUP = "/login/companyinfo/{companyId}"
_DEFAULT = "v4_6_release"
"""Routes to the tenant's current version; a server of one's own always answers this (developer guide)."""
_VERSION = re.compile(r"v?(20\d\d\.\d+)")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def lookup_path(company_id: str) -> str:
    """The look-up's path; it takes no credentials."""
    return LOOKUP.replace("{companyId}", quote(company_id, safe=""))


def read_company_info(answer: Any, company_id: str) -> CompanyInfo:
    """The look-up's answer, which for an unknown company is null with status 200.

    Raises:
        StopError: ConnectWise does not know the company.
    """
    if not isinstance(answer, Mapping) or not answer:
        raise StopError(
            f"ConnectWise does not know the company {company_id!r}",
            system=SYSTEM,
            method="GET",
            path=LOOKUP,
            remedy=CHECK_COMPANY,
        )
    return cast(CompanyInfo, dict(answer))


def api_root(info: CompanyInfo) -> str:
    """The API's path on the server, such as ``/v2026_3/apis/3.0``."""
    name = str(info.get("Codebase") or _DEFAULT).strip("/ ")
    if not _NAME.fullmatch(name):
        raise StopError(f"ConnectWise names a codebase that is no path: {name!r}", system=SYSTEM)
    return f"/{name}/apis/3.0"


def model_version(info: CompanyInfo) -> str:
    """The version of the server's newest models, such as "2026.3"; "" if the look-up does not say it."""
    found = _VERSION.match(str(info.get("VersionCode") or ""))
    return found[1] if found else ""


class Tenant:
    """Opens nothing when it is made; the first operation looks the codebase up, once.

    Args:
        budget: asked before each request; see ``ConnectWiseSettings.budget_key``.
        transport: replaces the network, for tests.
        read_only: every write raises WriteRefusedError before anything is sent.
        verify: False accepts any certificate of the server.
        sleep: waits so many seconds, for tests.
    """

    def __init__(
        self,
        settings: ConnectWiseSettings,
        *,
        budget: RequestBudget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        read_only: bool = False,
        verify: bool = True,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.settings = settings
        self.session = HttpSession(
            system=SYSTEM,
            base_url=settings.base_url,
            headers=settings.headers(),
            read_error=read_connectwise_refusal,
            budget=budget,
            transport=transport,
            read_only=read_only,
            verify=verify,
            secrets=settings.secrets(),
            sleep=sleep,
        )
        self._version = ""
        self._root = ""
        self._looking_up = anyio.Lock()

    async def company_info(self) -> CompanyInfo:
        """The login company's name, version and codebase, from ``GET /login/companyinfo/{companyId}``.

        Raises:
            StopError: ConnectWise does not know the company.
        """
        path = lookup_path(self.settings.company_id)
        answer = await self.session.request_json(Kind.READ, "GET", path, template=LOOKUP)
        info = read_company_info(answer, self.settings.company_id)
        self._root = api_root(info)
        self._version = model_version(info)
        return info

    async def newest_version(self) -> str:
        """The version of the server's newest models, such as "2026.3"; "" if the server does not say it.

        It costs a request only if no operation came before.
        """
        await self._find_root(not_at=None)
        return self._version

    async def aclose(self) -> None:
        """Close the connections."""
        await self.session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings.base_url!r}, {self.settings.company_id!r})"

    async def _send(self, kind: Kind, method: str, path: str, **options: Any) -> tuple[Any, httpx.Headers]:
        """An operation's answer: its body as JSON, None for an empty one, and its headers."""
        self.session.refuse_write(kind, method, path)
        root = await self._find_root(not_at=None)
        try:
            answer = await self.session.request(kind, method, path, root=root, **options)
        except StopError as error:
            # The codebase can change at a release. A write is not sent twice for that: the next read
            # finds the new one.
            if kind is not Kind.READ or error.status not in (400, 404):
                raise
            moved_to = await self._find_root(not_at=root)
            if moved_to == root:
                raise
            answer = await self.session.request(kind, method, path, root=moved_to, **options)
        return self.session.body(kind, method, path, answer), answer.headers

    async def _find_root(self, not_at: str | None) -> str:
        """The API's path, looked up if it is unknown or is the one at which nothing was found."""
        async with self._looking_up:
            if self._root in ("", not_at):
                await self.company_info()
            return self._root


DEFAULT_PAGE_SIZE = 25
LARGEST_PAGE = 1000
"""Records; the vendor cuts a larger page silently, which would look like the end of the records."""
PAGE_SIZE = LARGEST_PAGE
"""Records asked for in a page by a reading that wants every record."""
FORWARD_ONLY = {"pagination-type": "forward-only"}
"""The header that asks for pages by id: no record is missed or doubled if others are added or deleted."""


def page_request(page: int | None, page_size: int | None) -> tuple[int, int] | None:
    """The page and page size to ask for, or None for every record (the documented table of the actions).

    Neither given: every record. Page only: 25 records a page. Page size only: page 1.

    Raises:
        RejectedError: a page below 1, or a page size outside 1 to 1000.
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

    Args:
        link: the Link header; in this mode it is always sent, and is empty on the last page.
        current: the page id that was asked for, None for the first page.

    Raises:
        StopError: no Link header, or one that does not lead on: going by it would miss records or never end.
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

    At the end the Link header names no next page, or is not sent at all; a full page without it is
    followed by another request.

    Raises:
        StopError: the header's next page is not a further one.
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
    following = int(values[0]) if values and values[0].isdecimal() else 0
    if following <= current:
        raise StopError(
            "ConnectWise's Link header does not lead to a further page",
            remedy="Reading stopped, since going on would miss records or never end.",
        )
    return following


def _next_query(link: str) -> dict[str, list[str]] | None:
    """The query of the link with rel next, names in lower case; only the query is used, never the host."""
    for entry in link.split("<")[1:]:
        address, _, parameters = entry.partition(">")
        names = (part.strip().lower().replace('"', "").replace(" ", "") for part in parameters.split(";"))
        if "rel=next" in {name.rstrip(",") for name in names}:
            query = parse_qs(urlsplit(address.strip()).query)
            return {name.lower(): values for name, values in query.items()}
    return None


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
        return [record async for page in read(where, params, PAGE_SIZE) for record in page]

    def _pages(
        self, where: Collection, conditions: str | None, search: PagesSearch
    ) -> AsyncIterator[list[Record]]:
        size = search.get("page_size", PAGE_SIZE)
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

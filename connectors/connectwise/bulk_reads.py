"""Reads of many records in few requests: system reports, bundles, and the search of tickets by POST.

None of the three is offered by every server, so each raises RejectedError where it is not: callers choose
another way then. A report is a ready-made join, such as which configurations an agreement covers. A bundle is
several reads in one request, each answered on its own. The search takes conditions that are far too long for
an address; only tickets have it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from connectors.connectwise.api import ApiPath, Tenant
from connectors.connectwise.collection import (
    LARGEST_PAGE,
    as_count,
    as_records,
    has_next,
    keys_of,
    names_id,
    next_page,
    page_request,
)
from connectors.connectwise.models import TICKETS, Record, TicketKind
from connectors.connectwise.refusals import SHORTEN, words_of_error
from connectors.connectwise.settings import SYSTEM
from connectors.errors import LONGEST_ERROR_MESSAGE, RejectedError, cut_text
from connectors.http import ReadAnswer
from connectors.paging import PageProgress
from connectors.retry import RequestKind
from connectors.shapes import as_ids, as_list, as_object

_NAME = re.compile(r"\w+", re.ASCII)
_BUNDLES = ApiPath.of("/system/bundles")
_NO_ANSWER = "ConnectWise's answer to the bundle has no result for this request"
LONGEST_SEARCH_BODY = 10_000
"""Characters of a search's body. The vendor names 10,000 as the length of an address from which search is the
way, and no limit for the body itself; nothing longer is sent."""
LONGEST_SEARCH_CONDITIONS = LONGEST_SEARCH_BODY - 100
"""Characters of the conditions as JSON: the rest is for the other member and the mark of a further page."""


@dataclass(frozen=True, slots=True)
class BundleItem:
    """One read of a bundle, of a list unless ``record_id`` is given.

    Attributes:
        resource_type: the vendor publishes no list of names; ``ticket``, ``company``, ``member`` are seen.
        parent_id: the record whose child collection is meant.
        page_size: records of a list, 1,000 at most; a longer list needs further pages.
    """

    resource_type: str
    record_id: int | None = None
    parent_id: int | None = None
    conditions: str | None = None
    fields: str | None = None
    page: int | None = None
    page_size: int = LARGEST_PAGE


@dataclass(frozen=True, slots=True)
class BundleAnswer:
    """The answer to one item. Not ok: ``message`` says why, and ``entities`` is empty.

    ``count`` is what the server says, None if it says nothing; ``status`` is the item's own HTTP status.
    """

    ok: bool
    status: int | None = None
    entities: list[Record] = field(default_factory=list)
    count: int | None = None
    message: str = ""


class BulkReads(Tenant):
    """Reports, bundles and the ticket search, as part of ``ConnectWiseClient``."""

    async def count_report(self, name: str, conditions: str | None = None) -> int:
        """Count a report's rows: ``GET /system/reports/{reportName}/count``."""
        path = _report(name).under("/count")
        params = {"conditions": conditions} if conditions else None
        return await self.send(RequestKind.READ, "GET", path, as_count, misfit=RejectedError, params=params)

    async def report_rows(
        self,
        name: str,
        columns: Sequence[str],
        conditions: str | None = None,
        *,
        order_by: str | None = None,
        page_size: int = LARGEST_PAGE,
    ) -> AsyncIterator[list[Record]]:
        """Rows as {column: value}, page by page: ``GET /system/reports/{reportName}``.

        Rows have no id to page by: name an order, and read again what must not be missed. RejectedError: no
        such report, column or condition, or an answer that is not the report's rows.
        """
        page_request(None, page_size)
        path, page = _report(name), 1
        progress = PageProgress("rows of the report", error=RejectedError)
        shaped = {"columns": ",".join(columns), "conditions": conditions, "orderBy": order_by}
        params: dict[str, str | int] = {key: value for key, value in shaped.items() if value}

        def parse(answer: ReadAnswer) -> tuple[list[Record], int | None]:
            rows = _rows(path, answer.body, columns)
            following = next_page(answer.headers.get("Link"), page, full=len(rows) >= page_size)
            progress.page(keys_of(rows), more=following is not None, records=len(rows))
            return rows, following

        while True:
            asked = {**params, "page": page, "pageSize": page_size}
            rows, further = await self.send(
                RequestKind.READ, "GET", path, parse, misfit=RejectedError, params=asked
            )
            yield rows
            if further is None:
                return
            page = further
            await progress.count_with(partial(self.count_report, name, conditions))

    async def bundle(self, items: Sequence[BundleItem]) -> list[BundleAnswer]:
        """Make several reads in one request; one answer an item, in their order: ``POST /system/bundles``.

        How many items a server takes is not published. RejectedError: the server does not offer bundles, or
        refuses this one as a whole; the refusal of one item is in its answer.
        """
        if not items:
            return []
        version = self.settings.api_version or await self.newest_version()
        requests = [_request(version, number, item) for number, item in enumerate(items, start=1)]

        def parse(answer: ReadAnswer) -> list[BundleAnswer]:
            body = as_object(answer.body, "the bundle's answer")
            answers = _answers(as_list(body.get("results"), "the bundle's results"), len(items))
            return [each if each.ok else self._readable(each) for each in answers]

        return await self.send(
            RequestKind.READ, "POST", _BUNDLES, parse, misfit=RejectedError, json={"requests": requests}
        )

    def _readable(self, refused: BundleAnswer) -> BundleAnswer:
        return replace(refused, message=self.session.redact(cut_text(refused.message, LONGEST_ERROR_MESSAGE)))

    async def search_tickets(
        self, kind: TicketKind, conditions: str, *, fields: str | None = None, page_size: int = LARGEST_PAGE
    ) -> AsyncIterator[list[Record]]:
        """Tickets, page by page in the order of their ids: ``POST /service/tickets/search``.

        The next page is asked for by the last id, so no ticket is missed or doubled when others are added
        or deleted between two pages; ``id`` is therefore always among the fields.

        Raises:
            RejectedError: the server does not offer it, refuses a condition, or does not keep the order;
                conditions longer than ``LONGEST_SEARCH_CONDITIONS``, before anything is sent.
        """
        _check(conditions, page_size)
        path = ApiPath.of(f"{TICKETS[kind]}/search")
        params: dict[str, str | int] = {"pageSize": page_size}
        if fields:
            params["fields"] = fields if names_id(fields) else f"id,{fields}"
        last: int | None = None
        progress = PageProgress("tickets")

        def parse(answer: ReadAnswer) -> tuple[list[Record], int | None, bool]:
            tickets = as_records(answer)
            reached = _last_id(tickets, last)
            follows = bool(tickets) and has_next(answer.headers.get("Link"), full=len(tickets) >= page_size)
            progress.page(keys_of(tickets), more=follows)
            return tickets, reached, follows

        while True:
            further = conditions if last is None else f"({conditions}) and id > {last}"
            asked = {"conditions": further, "orderBy": "id asc"}
            tickets, last, more = await self.send(
                RequestKind.READ, "POST", path, parse, params=params, json=asked
            )
            yield tickets
            if not more:
                return


def _report(name: str) -> ApiPath:
    if not _NAME.fullmatch(name):
        raise RejectedError(f"{name!r} is not the name of a report", remedy="Write it without blanks.")
    return ApiPath("/system/reports/{reportName}", f"/system/reports/{name}")


def _rows(path: ApiPath, body: Any, columns: Sequence[str]) -> list[Record]:
    """The rows by the names that were asked for; the server may write a name in other letters."""
    answer = as_object(body, "the report's answer")
    values = as_list(answer.get("row_values"), "the report's rows")
    asked = {name.lower(): name for name in columns}
    # Each definition is an object of one member, named after the column.
    definitions = as_list(answer.get("column_definitions") or [], "the report's columns")
    given = [str(name) for one in definitions if isinstance(one, dict) for name in one]
    names = [asked.get(name.lower(), name) for name in given]
    missing = set(columns) - set(names)
    if missing:
        raise _refused(path, f"does not give the columns {', '.join(sorted(missing))}")
    if any(not isinstance(row, list) or len(row) != len(names) for row in values):
        raise _refused(path, "gives rows that do not fit its columns")
    return [dict(zip(names, row, strict=True)) for row in values]


def _refused(path: ApiPath, words: str) -> RejectedError:
    return RejectedError(f"The report {words}", system=SYSTEM, method="GET", path=path.text)


def _request(version: str, number: int, item: BundleItem) -> Record:
    return {
        **({"version": version} if version else {}),
        "sequenceNumber": number,
        "resourceType": item.resource_type,
        "apiRequest": _api_request(item),
    }


def _api_request(item: BundleItem) -> Record:
    asked: Record = {"id": item.record_id, "parentId": item.parent_id, "fields": item.fields}
    if item.conditions:
        asked["filters"] = {"conditions": item.conditions}
    if item.record_id is None:
        asked["page"] = {"page": item.page or 1, "pageSize": item.page_size}
    return {name: value for name, value in asked.items() if value is not None}


def _answers(results: Sequence[Any], number: int) -> list[BundleAnswer]:
    """Joined by sequence number; what came twice is not believed, what did not come is not ok."""
    numbered = [
        (one["sequenceNumber"], one)
        for one in results
        if isinstance(one, dict) and isinstance(one.get("sequenceNumber"), int)
    ]
    times = Counter(sequence for sequence, _ in numbered)
    known = {sequence: _answer(one) for sequence, one in numbered if times[sequence] == 1}
    return [known.get(sequence, BundleAnswer(False, message=_NO_ANSWER)) for sequence in range(1, number + 1)]


def _answer(result: Record) -> BundleAnswer:
    status, count, entities = result.get("statusCode"), result.get("count"), result.get("entities") or []
    status = status if isinstance(status, int) else None
    count = count if isinstance(count, int) else None
    if result.get("success") is not True or status not in (None, *range(200, 300)):
        return BundleAnswer(False, status, count=count, message=words_of_error(result.get("error")))
    if not isinstance(entities, list) or not all(isinstance(each, dict) for each in entities):
        return BundleAnswer(False, status, count=count, message="The result's entities are no records")
    return BundleAnswer(True, status, entities, count)


def _check(conditions: str, page_size: int) -> None:
    page_request(None, page_size)
    length = len(orjson.dumps(conditions))
    if length > LONGEST_SEARCH_CONDITIONS:
        raise RejectedError(f"The conditions of a search are too long: {length} characters", remedy=SHORTEN)


def _last_id(tickets: list[Record], last: int | None) -> int | None:
    for number in as_ids(tickets, "the list of tickets"):
        if number <= (last or 0):
            raise RejectedError(
                "ConnectWise did not give the tickets in the order of their ids, so some could be missed"
            )
        last = number
    return last

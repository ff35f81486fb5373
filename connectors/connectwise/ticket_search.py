"""Search by POST, whose conditions may be far longer than an address. Only tickets have it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson

from connectors.connectwise.api import Collection, ConnectWiseApi, records_of
from connectors.connectwise.models import Record
from connectors.connectwise.paging import LARGEST_PAGE, has_next, page_request
from connectors.connectwise.refusals import SHORTEN
from connectors.connectwise.settings import SYSTEM
from connectors.connectwise.tickets import TICKETS, TicketKind
from connectors.errors import RejectedError
from connectors.http import Kind

LONGEST_SEARCH_BODY = 10_000
"""Characters of a search's body. The vendor names 10,000 as the length of an address from which search is the
way, and no limit for the body itself; nothing longer is sent."""
LONGEST_SEARCH_CONDITIONS = LONGEST_SEARCH_BODY - 100
"""Characters of the conditions as JSON: the rest is for the other member and the mark of a further page."""


class TicketSearchOperations(ConnectWiseApi):
    """Search tickets by POST."""

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
        where = Collection(f"{TICKETS[kind]}/search")
        named = {"pageSize": page_size, "fields": _with_id(fields)}
        params = {name: value for name, value in named.items() if value}
        last: int | None = None
        while True:
            body, headers = await self._send(
                Kind.READ,
                "POST",
                where.path,
                template=where.template,
                params=params,
                json=_filter(conditions, last),
            )
            tickets = records_of(where, body, "POST")
            last = _last_id(tickets, last, where)
            yield tickets
            if not tickets or not has_next(headers.get("Link"), full=len(tickets) >= page_size):
                return


def _check(conditions: str, page_size: int) -> None:
    page_request(None, page_size)
    length = len(orjson.dumps(conditions))
    if length > LONGEST_SEARCH_CONDITIONS:
        raise RejectedError(f"The conditions of a search are too long: {length} characters", remedy=SHORTEN)


def _with_id(fields: str | None) -> str:
    if not fields or "id" in {name.strip().lower() for name in fields.split(",")}:
        return fields or ""
    return f"id,{fields}"


def _filter(conditions: str, after: int | None) -> dict[str, str]:
    further = conditions if after is None else f"({conditions}) and id > {after}"
    return {"conditions": further, "orderBy": "id asc"}


def _last_id(tickets: list[dict[str, Any]], last: int | None, where: Collection) -> int | None:
    for ticket in tickets:
        number = int(ticket.get("id") or 0)
        if number <= (last or 0):
            raise RejectedError(
                "ConnectWise did not give the tickets in the order of their ids, so some could be missed",
                system=SYSTEM,
                method="POST",
                path=where.path,
            )
        last = number
    return last

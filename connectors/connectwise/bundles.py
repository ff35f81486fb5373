"""Bundles: several reads in one request, each answered on its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import Record
from connectors.connectwise.paging import LARGEST_PAGE
from connectors.connectwise.refusals import words_of_error
from connectors.connectwise.settings import SYSTEM
from connectors.errors import RejectedError
from connectors.http import Kind

_BUNDLES = Collection("/system/bundles")
_NO_ANSWER = "ConnectWise's answer to the bundle has no result for this request"


@dataclass(frozen=True, slots=True)
class BundleItem:
    """One read of a bundle.

    Attributes:
        resource_type: the vendor publishes no list of names; ``ticket``, ``company``, ``member`` are seen.
        record_id: asks for this record; None for a list.
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


class BundleOperations(ConnectWiseApi):
    """Read several things at once."""

    async def bundle(self, items: Sequence[BundleItem]) -> list[BundleAnswer]:
        """One answer per item, in the order of the items: ``POST /system/bundles``. One request.

        How many items a server takes is not published; a refusal of all of them is an error, the refusal
        of one is in its answer.

        Raises:
            RejectedError: the server does not offer bundles, or refuses this one as a whole.
        """
        if not items:
            return []
        version = self.settings.api_version or await self.newest_version()
        requests = [_request(version, number, item) for number, item in enumerate(items, start=1)]
        body = await self._write(Kind.READ, "POST", _BUNDLES, {"requests": requests})
        results = body.get("results") if isinstance(body, dict) else None
        if not isinstance(results, list):
            message = "ConnectWise answered something else than a bundle's results"
            raise RejectedError(message, system=SYSTEM, method="POST", path=_BUNDLES.path)
        return _answers(results, len(items))


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
    numbered = [(one.get("sequenceNumber"), one) for one in results if isinstance(one, dict)]
    times = Counter(sequence for sequence, _ in numbered)
    known = {sequence: _answer(one) for sequence, one in numbered if times[sequence] == 1}
    return [known.get(sequence, BundleAnswer(False, message=_NO_ANSWER)) for sequence in range(1, number + 1)]


def _answer(result: Record) -> BundleAnswer:
    status, count, entities = result.get("statusCode"), result.get("count"), result.get("entities") or []
    status = status if isinstance(status, int) else None
    count = count if isinstance(count, int) else None
    if result.get("success") is not True or status not in (None, *range(200, 300)):
        return BundleAnswer(False, status, count=count, message=words_of_error(result.get("error")))
    if not isinstance(entities, list):
        return BundleAnswer(False, status, count=count, message="The result's entities are no list")
    return BundleAnswer(True, status, entities, count)

"""ConnectWise's wire shapes, as far as this project looks into them; everything else passes through.

Records are plain dicts: null members are left out by the server, so readers treat absent and null alike.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Record = dict[str, Any]
"""One record of any collection, with the vendor's member names."""


TicketKind = Literal["service", "project"]
"""``service``: recordType ServiceTicket. ``project``: ProjectTicket and ProjectIssue."""
TICKETS: dict[TicketKind, str] = {"service": "/service/tickets", "project": "/project/tickets"}
"""The two collections of tickets, which have the same operations."""


class Reference(TypedDict):
    """How a record points at another; on write ``{"id": n}`` is enough."""

    id: int
    name: NotRequired[str]


class CompanyInfo(TypedDict):
    """Answer of ``/login/companyinfo``; ``IsCloud`` comes as text or as a boolean."""

    CompanyName: str
    Codebase: str
    VersionCode: str
    VersionNumber: str
    CompanyID: str
    IsCloud: str | bool


class PatchOperation(TypedDict):
    """One entry of a PATCH body; ``path`` is case sensitive, ``op`` is add, replace or remove."""

    op: str
    path: str
    value: Any


class CustomFieldValue(TypedDict):
    """One entry of a record's ``customFields``; an unset one has no value, or null."""

    id: int
    caption: NotRequired[str]
    value: NotRequired[str | int | float | bool | None]


class Search(TypedDict, total=False):
    """What narrows a list or a count. Conditions pass to the vendor as typed.

    ``child_conditions`` look into arrays, ``custom_field_conditions`` at fields by caption; neither knows
    ``in``.
    """

    child_conditions: str | None
    custom_field_conditions: str | None


class PagesSearch(Search, total=False):
    """A search that comes page by page, 1,000 records at most; ``fields`` such as ``id,status/name``."""

    fields: str | None
    page_size: int


class ListSearch(Search, total=False):
    """A search whose records come as one list, by ``page_request``; ``order_by`` such as ``name asc``."""

    fields: str | None
    page: int | None
    page_size: int | None
    order_by: str | None

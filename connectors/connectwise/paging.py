"""Which page to ask for, and whether there is another. Pure; the client does the asking."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from connectors.errors import RejectedError, StopError

DEFAULT_PAGE_SIZE = 25
LARGEST_PAGE = 1000
"""Records; the vendor cuts a larger page silently, which would look like the end of the records."""
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

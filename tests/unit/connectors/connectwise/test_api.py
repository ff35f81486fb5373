"""Paging: the documented table, and Link headers that must lead on."""

from __future__ import annotations

import pytest

from connectors.connectwise.collection import next_page, next_page_id, page_request
from connectors.errors import RejectedError, StopError

URL = "https://api-na.myconnectwise.net/v2026_3/apis/3.0/company/configurations"


def link(query: str, rel: str = "next") -> str:
    return f'<{URL}?{query}>; rel="{rel}"'


@pytest.mark.parametrize(
    ("page", "page_size", "asked"),
    [(None, None, None), (2, None, (2, 25)), (2, 100, (2, 100)), (2, 200, (2, 200)), (None, 300, (1, 300))],
)
def test_the_documented_table(page: int | None, page_size: int | None, asked: tuple[int, int] | None) -> None:
    assert page_request(page, page_size) == asked


@pytest.mark.parametrize(("page", "page_size"), [(None, 1001), (1, 0), (None, -1), (0, 10), (-1, None)])
def test_what_can_not_be_asked_for_is_refused_with_a_remedy(page: int | None, page_size: int | None) -> None:
    with pytest.raises(RejectedError) as caught:
        page_request(page, page_size)
    assert caught.value.remedy


def test_the_next_page_id_comes_from_the_next_link() -> None:
    header = f"{link('page=1', 'first')}, {link('conditions=a%3D%22b%3Bc%22&pageSize=2&pageId=41')}"
    assert next_page_id(header, None) == 41
    assert next_page_id(link("PAGEID=41"), 40) == 41


@pytest.mark.parametrize("header", ["", link("pageId=9", "prev")])
def test_a_header_without_next_ends_the_reading(header: str) -> None:
    assert next_page_id(header, 9) is None


@pytest.mark.parametrize(
    "rel", ['rel="next last"', 'rel="LAST Next"', "rel='next'", "REL = next", 'a=b; rel="next", ']
)
def test_next_is_found_among_several_relations(rel: str) -> None:
    """Read as no next page, the rest of the records would be missing unawares."""
    assert next_page_id(f"<https://api.example/x?pageId=41>; {rel}", 9) == 41


@pytest.mark.parametrize("rel", ['rel="nextlast"', 'rel="prev"; title="rel=next"', 'rel="first last"'])
def test_other_relations_are_no_next(rel: str) -> None:
    assert next_page_id(f"<https://api.example/x?pageId=41>; {rel}", 9) is None


@pytest.mark.parametrize(
    "header", ["pageId=41; rel=next", "<https://api.example/x?pageId=41>", "next", "null"]
)
def test_a_header_that_can_not_be_read_is_no_end(header: str) -> None:
    with pytest.raises(StopError, match="can't be read"):
        next_page_id(header, 9)


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.example/x?pageId=41",
        "//evil.example/?pageId=41",
        "javascript:1?pageId=41",
        "http://[::1?pageId=41",
    ],
)
def test_only_the_query_of_a_link_is_used_whatever_its_host(address: str) -> None:
    assert next_page_id(f'<{address}>; rel="next"', 9) == 41


def test_a_missing_header_is_an_error_by_id() -> None:
    with pytest.raises(StopError, match="no Link header"):
        next_page_id(None, None)


@pytest.mark.parametrize("query", ["pageId=9", "pageId=3", "page=2", "pageId=", "pageId=x", "pageId=-20"])
def test_a_page_id_that_does_not_move_is_an_error(query: str) -> None:
    with pytest.raises(StopError, match="does not lead to a further page"):
        next_page_id(link(query), 9)


def test_page_mode_ends_with_a_short_page_or_without_next() -> None:
    assert next_page(None, 1, full=False) is None
    assert next_page(link("page=1", "prev"), 2, full=True) is None


def test_page_mode_goes_on_after_a_full_page_without_a_header() -> None:
    assert next_page(None, 1, full=True) == 2
    assert next_page(link("page=4"), 3, full=True) == 4


def test_a_page_number_that_does_not_move_is_an_error() -> None:
    with pytest.raises(StopError, match="does not lead"):
        next_page(link("page=3"), 3, full=True)

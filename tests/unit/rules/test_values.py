"""Names folded, texts cleaned, null dates; and a report's rows, which Prefect does not walk through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.utilities.collections import visit_collection

from tasks.rules.asset_sync.report import SyncCounts, SyncReport
from tasks.rules.report import WrittenRecord
from tasks.rules.values import (
    Rows,
    folded,
    is_null_date,
    plain_text,
    read_date_time,
    written_line,
    written_text,
)

MANY = [WrittenRecord(f"key-{number}", f"WKS-{number}", "created", number) for number in range(500)]


def visited(written: Sequence[WrittenRecord]) -> int:
    seen: list[Any] = []
    report = SyncReport(SyncCounts(read=500, created=500), written=written)
    visit_collection(report, visit_fn=lambda each: seen.append(each), return_data=False)
    return len(seen)


def test_prefect_visits_a_list_and_leaves_rows_alone() -> None:
    assert visited(MANY) > 500
    assert visited(Rows(MANY)) < 100


@pytest.mark.parametrize("rows", [[], MANY])
def test_rows_are_a_sequence(rows: list[WrittenRecord]) -> None:
    assert list(Rows(rows)) == rows
    assert len(Rows(rows)) == len(rows)
    assert list(Rows(rows)[:3]) == rows[:3]
    assert list(reversed(Rows(rows))) == rows[::-1]


ONE_NAME = [
    ("Müller GmbH", "Mu\u0308ller GmbH"),
    ("Müller GmbH", " MÜLLER\u00a0 gmbh "),
    ("Straße", "STRASSE"),
    ("New\u200b York", "new york"),
    ("\u2068ABC\u2069", "abc"),
    ("Co\u00adop", "coop"),
    ("Ａ", "ａ"),
    ("\ufeffTicket\u0000", "ticket"),
    ("Ǆ", "ǆ"),
    ("\u1fb3", "\u0391\u0345"),
]


@pytest.mark.parametrize(("one", "other"), ONE_NAME)
def test_one_name_in_two_writings(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("m²", "m2"), ("Muller", "Müller"), ("a b", "ab"), ("①", "1"), ("Ａ", "A")]
)
def test_two_names_that_look_alike(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    for normal in (plain_text, written_text):
        assert normal(normal(text)) == normal(text)
    assert folded(plain_text(text) or "") == folded(written_text(text) or "") == once


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("👩\u200d💻", "👩\u200d💻"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u0000b", "ab"),
        ("\ud83d", None),
        ("\u2068S1\u2069", "S1"),
        ("one\ntwo", "one\ntwo"),
        ("\u202eevil", "evil"),
    ],
)
def test_a_text_is_written_without_what_nobody_sees(text: str, written: str | None) -> None:
    assert written_text(text) == written


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("WKS\n01", "WKS 01"),
        ("a\r\n\tb", "a b"),
        ("a\u2028b\u0085c\x0bd", "a b c d"),
        ("two  blanks\u00a0stay", "two  blanks\u00a0stay"),
        ("\U0001f469\u200d\U0001f4bb\n1", "\U0001f469\u200d\U0001f4bb 1"),
        (7, "7"),
        (float("inf"), None),
        (float("nan"), None),
        ({}, None),
    ],
)
def test_a_name_is_one_line(value: Any, line: str | None) -> None:
    assert written_line(value) == line


NULL_DATES = [
    "0001-01-01",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00+02:00",
    "0000-01-01",
    "0000-00-00 00:00:00",
    "0001-12-31T23:59:59-05:00",
    "01/01/0001",
    "1/1/0001 00:00:00",
    "01.01.0001",
    "/Date(-62135596800000)/",
    "0001/01/01",
    "0000.00.00",
    "-0001-11-30T00:00:00+00:00",
    "-0001-11-30 00:00:00",
    "\u200b0001-01-01T00:00:00Z",
    "\ufeff0000-00-00",
]


@pytest.mark.parametrize("value", NULL_DATES)
def test_the_years_0_and_1_are_no_date(value: str) -> None:
    assert is_null_date(value)
    assert read_date_time(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "1900-01-01T00:00:00Z",
        "1970-01-01",
        "2000-01-01",
        "9999-12-31",
        "0001-01-01-777",
        "10001-01-01",
        "1-1-1",
        "00010101",
        "0001/01-01",
        "10-12-0001",
    ],
)
def test_other_years_and_texts_are_no_null_dates(value: str) -> None:
    assert not is_null_date(value)


@given(st.text())
def test_any_text_is_a_null_date_or_not(text: str) -> None:
    assert is_null_date(text) in (True, False)
    read_date_time(text)

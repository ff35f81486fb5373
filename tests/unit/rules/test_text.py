"""Counts agree with their nouns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.references import REFERENCE_KINDS
from tasks.rules.text import counted, escape, noun, plural, unescaped


@pytest.mark.parametrize(
    ("count", "word", "told"),
    [
        (0, "asset", "0 assets"),
        (1, "asset", "1 asset"),
        (1204, "status", "1,204 statuses"),
        (2, "company", "2 companies"),
        (2, "key", "2 keys"),
        (2, "batch", "2 batches"),
    ],
)
def test_the_noun_agrees_with_the_number(count: int, word: str, told: str) -> None:
    assert counted(count, word) == told


def test_kinds_of_reference_records_have_the_plural_that_people_say() -> None:
    assert [plural(kind.label) for kind in REFERENCE_KINDS.values()] == [
        "configuration types",
        "statuses",
        "manufacturers",
        "locations",
        "sites",
        "contacts",
        "vendors",
        "departments",
    ]
    assert noun(1, "status") == "status"


@given(st.text(st.sampled_from("aW.w@:/&;lt<>`*_{}[]|~#!$\\-")))
def test_what_was_escaped_comes_back(text: str) -> None:
    assert unescaped(escape(text)) == text

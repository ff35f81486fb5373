"""References: every record has its own, it is found again, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.dispatch.reference import (
    RecordKind,
    carries,
    parse_reference,
    reference_carried,
    reference_of,
    with_reference,
)

KINDS = st.sampled_from(RecordKind)
NUMBERS = st.integers(1, 10**12)
PREFIXES = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,9}", fullmatch=True)


@given(KINDS, NUMBERS, PREFIXES)
def test_a_reference_reads_back(kind: RecordKind, number: int, prefix: str) -> None:
    assert parse_reference(reference_of(kind, number, prefix), prefix) == (kind, number)


@given(KINDS, NUMBERS, st.text(max_size=40))
def test_it_is_found_in_the_title_that_it_was_put_into(kind: RecordKind, number: int, title: str) -> None:
    reference = reference_of(kind, number)
    written = with_reference(title, reference)
    assert carries({"title": written}, reference)
    assert with_reference(written, reference) == written
    assert not carries({"title": written}, reference_of(kind, number * 10))


@given(KINDS, NUMBERS, KINDS, NUMBERS)
def test_two_records_never_share_one(kind: RecordKind, number: int, other: RecordKind, more: int) -> None:
    same = (kind, number) == (other, more)
    assert (reference_of(kind, number) == reference_of(other, more)) is same


@pytest.mark.parametrize(
    "text", ["", "CW-S-", "CW-X-5", "CW-S-05", "cw-s-5", "CW-S-5 x", "AB-S-5", "CW-S-٥", "CW-S-0"]
)
def test_other_texts_are_none(text: str) -> None:
    assert parse_reference(text) is None


@pytest.mark.parametrize(
    ("work_order", "carried"),
    [
        ({"incident_id": "CW-S-5", "title": "anything"}, "CW-S-5"),
        ({"incident_id": "", "title": "[CW-S-5] x"}, "CW-S-5"),
        ({"incident_id": "INC 7", "title": "[CW-S-5] x"}, "CW-S-5"),
        ({"incident_id": "CW-S-6", "title": "[CW-S-5] x"}, "CW-S-6"),
        ({"incident_id": None, "title": "see [CW-S-5]"}, ""),
        ({"title": "CW-S-5 x"}, ""),
        ({}, ""),
    ],
)
def test_the_incident_id_counts_before_the_title(work_order: dict[str, str], carried: str) -> None:
    assert reference_carried(work_order) == carried
    assert carries(work_order, "CW-S-5") is (carried == "CW-S-5")

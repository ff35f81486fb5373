"""Which differences count, and whose value wins."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.compare import differences
from tasks.rules.mapping.comparison import same
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import FieldMapping
from tasks.rules.mapping.targets import Kind
from tasks.rules.values import AssetRecord, ConfigurationRecord, FieldChange

NOTHING = [None, "", "  ", "\u200b", []]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("current", NOTHING)
@pytest.mark.parametrize("wanted", NOTHING)
def test_absent_null_and_empty_are_alike(kind: Kind, current: Any, wanted: Any) -> None:
    assert same(kind, current, wanted)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("something", ["x", "0", "false", 1, True])
def test_something_is_not_nothing(kind: Kind, nothing: Any, something: Any) -> None:
    assert not same(kind, nothing, something)
    assert not same(kind, something, nothing)


@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.BOOLEAN, Kind.CUSTOM])
@pytest.mark.parametrize("zero", [0, False])
def test_zero_and_false_are_values(kind: Kind, zero: Any) -> None:
    assert not same(kind, None, zero)
    assert not same(kind, zero, None)


ALIKE = [
    (Kind.TEXT, "a\u200b ", "a"),
    (Kind.TEXT, "a\r\nb", "a\nb"),
    (Kind.TEXT, "Bu\u0308ro", "Büro"),
    (Kind.TEXT, 7, "7"),
    (Kind.REFERENCE, "DELL ", "Dell"),
    (Kind.MAC, "001d.9cd1.f6df", "00:1D:9C:D1:F6:DF"),
    (Kind.MAC, "no address", " no address"),
    (Kind.DATE_TIME, "2025-10-11T07:35:18Z", "2025-10-11T07:35:18.999Z"),
    (Kind.DATE_TIME, "2025-10-11T09:35:18+02:00", "2025-10-11T07:35:18Z"),
    (Kind.DATE_TIME, "2025-10-11", "2025-10-11T07:35:18Z"),
    (Kind.DATE_TIME, "2025-10-11T00:00:00Z", "2025-10-11T07:35:18Z"),
    (Kind.NUMBER, 12.0, "12"),
    (Kind.NUMBER, "1.50", 1.5),
    (Kind.BOOLEAN, True, "yes"),
    (Kind.BOOLEAN, 0, False),
    (Kind.CUSTOM, 12, "12.0"),
    (Kind.CUSTOM, False, "false"),
    (Kind.CUSTOM, "2025-10-11T00:00:00Z", "2025-10-11"),
    (Kind.CUSTOM, "12", 12),
]
UNLIKE = [
    (Kind.TEXT, "a", "A"),
    (Kind.TEXT, "a b", "ab"),
    (Kind.REFERENCE, "Dell", "Dell Inc."),
    (Kind.MAC, "00:1D:9C:D1:F6:DF", "00:1D:9C:D1:F6:D0"),
    (Kind.MAC, "00:1D:9C:D1:F6:DF", "none"),
    (Kind.DATE_TIME, "2025-10-11T07:35:18Z", "2025-10-11T07:35:19Z"),
    (Kind.DATE_TIME, "2025-10-11", "2025-10-12T00:00:00Z"),
    (Kind.DATE_TIME, "some day", "2025-10-12T00:00:00Z"),
    (Kind.NUMBER, 12, "13"),
    (Kind.NUMBER, "many", 3),
    (Kind.BOOLEAN, True, "no"),
    (Kind.BOOLEAN, True, "perhaps"),
    (Kind.CUSTOM, "12", "12.0"),
]


@pytest.mark.parametrize(("kind", "current", "wanted"), ALIKE)
def test_alike(kind: Kind, current: Any, wanted: Any) -> None:
    assert same(kind, current, wanted)
    assert same(kind, wanted, current)


@pytest.mark.parametrize(("kind", "current", "wanted"), UNLIKE)
def test_unlike(kind: Kind, current: Any, wanted: Any) -> None:
    assert not same(kind, current, wanted)
    assert not same(kind, wanted, current)


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)


@given(st.sampled_from(Kind), VALUES, VALUES)
def test_any_two_values_compare_and_a_value_is_like_itself(kind: Kind, one: Any, other: Any) -> None:
    assert isinstance(same(kind, one, other), bool)
    assert same(kind, one, one)


def changes(current: Any, wanted: Any, **how: Any) -> list[FieldChange]:
    """The differences of one pair with ``notes`` as the only mapped field besides the link."""
    mapping = compile_mapping([FieldMapping(source="n", target="notes", **how)])
    asset = AssetRecord("k", None, None, None, (wanted, "k"))
    return differences(asset, ConfigurationRecord(1, None, "k", None, None, True, (current, "k")), mapping)


WRITTEN, LEFT = [FieldChange("notes", "old", "new")], []


@pytest.mark.parametrize(
    ("authority", "expected"),
    [(None, WRITTEN), ("lansweeper", WRITTEN), ("connectwise", LEFT), ("fill", LEFT)],
)
def test_authority_says_whose_value_wins(authority: str | None, expected: list[FieldChange]) -> None:
    assert changes("old", "new", authority=authority) == expected


@pytest.mark.parametrize("nothing", NOTHING)
def test_fill_writes_only_where_there_is_nothing(nothing: Any) -> None:
    assert changes(nothing, "new", authority="fill") == [FieldChange("notes", nothing, "new")]
    assert changes(nothing, "new", authority="connectwise") == []


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_what_lansweeper_does_not_have_is_left_alone_unless_it_clears(nothing: Any) -> None:
    assert changes("old", nothing) == []
    assert changes("old", nothing, clear=True) == [FieldChange("notes", "old", nothing)]
    assert changes("old", nothing, clear=True, authority="connectwise") == []
    assert changes("old", nothing, clear=True, authority="fill") == []
    assert changes("", nothing, clear=True) == []


def test_a_skipped_value_is_left_alone_even_by_a_mapping_that_clears() -> None:
    with pytest.raises(ValueError, match="both clears and skips"):
        changes("old", None, clear=True, values={"x": None})


def test_the_link_of_a_configuration_taken_over_is_a_change() -> None:
    mapping = compile_mapping([])
    asset = AssetRecord("new", None, None, None, ("new",))
    found = differences(asset, ConfigurationRecord(1, None, "old", None, None, True, ("old",)), mapping)
    assert found == [FieldChange("customFields.ls_asset_id", "old", "new")]

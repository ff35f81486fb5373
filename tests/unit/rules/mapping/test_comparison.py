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
from tasks.rules.mapping.targets import ValueKind
from tasks.rules.values import AssetRecord, ConfigurationRecord, FieldChange

NOTHING = [None, "", "  ", "\u200b", []]


@pytest.mark.parametrize("kind", ValueKind)
@pytest.mark.parametrize("current", NOTHING)
@pytest.mark.parametrize("wanted", NOTHING)
def test_absent_null_and_empty_are_alike(kind: ValueKind, current: Any, wanted: Any) -> None:
    assert same(kind, current, wanted)


@pytest.mark.parametrize("kind", ValueKind)
@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("something", ["x", "0", "false", 1, True])
def test_something_is_not_nothing(kind: ValueKind, nothing: Any, something: Any) -> None:
    assert not same(kind, nothing, something)
    assert not same(kind, something, nothing)


@pytest.mark.parametrize("kind", [ValueKind.NUMBER, ValueKind.BOOLEAN, ValueKind.CUSTOM])
@pytest.mark.parametrize("zero", [0, False])
def test_zero_and_false_are_values(kind: ValueKind, zero: Any) -> None:
    assert not same(kind, None, zero)
    assert not same(kind, zero, None)


ALIKE = [
    (ValueKind.TEXT, "a\u200b ", "a"),
    (ValueKind.TEXT, "a\r\nb", "a\nb"),
    (ValueKind.TEXT, "a\rb", "a\nb"),
    (ValueKind.TEXT, "Bu\u0308ro", "Büro"),
    (ValueKind.TEXT, 7, "7"),
    (ValueKind.REFERENCE, "DELL ", "Dell"),
    (ValueKind.MAC, "001d.9cd1.f6df", "00:1D:9C:D1:F6:DF"),
    (ValueKind.MAC, "no address", " no address"),
    (ValueKind.DATE_TIME, "2025-10-11T07:35:18Z", "2025-10-11T07:35:18.999Z"),
    (ValueKind.DATE_TIME, "2025-10-11T09:35:18+02:00", "2025-10-11T07:35:18Z"),
    (ValueKind.DATE_TIME, "2025-10-11", "2025-10-11T07:35:18Z"),
    (ValueKind.DATE_TIME, "2025-10-11T00:00:00Z", "2025-10-11T07:35:18Z"),
    (ValueKind.NUMBER, 12.0, "12"),
    (ValueKind.NUMBER, "1.50", 1.5),
    (ValueKind.BOOLEAN, True, "yes"),
    (ValueKind.BOOLEAN, 0, False),
    (ValueKind.CUSTOM, 12, "12.0"),
    (ValueKind.CUSTOM, False, "false"),
    (ValueKind.CUSTOM, "2025-10-11T00:00:00Z", "2025-10-11"),
    (ValueKind.CUSTOM, "12", 12),
]
UNLIKE = [
    (ValueKind.TEXT, "a", "A"),
    (ValueKind.TEXT, "a b", "ab"),
    (ValueKind.REFERENCE, "Dell", "Dell Inc."),
    (ValueKind.MAC, "00:1D:9C:D1:F6:DF", "00:1D:9C:D1:F6:D0"),
    (ValueKind.MAC, "00:1D:9C:D1:F6:DF", "none"),
    (ValueKind.DATE_TIME, "2025-10-11T07:35:18Z", "2025-10-11T07:35:19Z"),
    (ValueKind.DATE_TIME, "2025-10-11", "2025-10-12T00:00:00Z"),
    (ValueKind.DATE_TIME, "some day", "2025-10-12T00:00:00Z"),
    (ValueKind.NUMBER, 12, "13"),
    (ValueKind.NUMBER, "many", 3),
    (ValueKind.BOOLEAN, True, "no"),
    (ValueKind.BOOLEAN, True, "perhaps"),
    (ValueKind.CUSTOM, "12", "12.0"),
]


@pytest.mark.parametrize(("kind", "current", "wanted"), ALIKE)
def test_alike(kind: ValueKind, current: Any, wanted: Any) -> None:
    assert same(kind, current, wanted)
    assert same(kind, wanted, current)


@pytest.mark.parametrize(("kind", "current", "wanted"), UNLIKE)
def test_unlike(kind: ValueKind, current: Any, wanted: Any) -> None:
    assert not same(kind, current, wanted)
    assert not same(kind, wanted, current)


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)


@given(st.sampled_from(ValueKind), VALUES, VALUES)
def test_any_two_values_compare_and_a_value_is_like_itself(kind: ValueKind, one: Any, other: Any) -> None:
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

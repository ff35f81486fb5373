"""Documented limits are told before a request is sent."""

from __future__ import annotations

import pytest

from tasks.rules.limits import LimitError, check_length, check_name, check_positive_id, text_length, too_long


def test_a_name_loses_its_outer_blanks() -> None:
    assert check_name("Name", "  Lenovo ") == "Lenovo"


@pytest.mark.parametrize("value", [None, "", "   "])
def test_an_empty_name_is_refused(value: str | None) -> None:
    with pytest.raises(LimitError, match="Name is empty"):
        check_name("Name", value)


def test_a_long_text_is_refused_with_the_field_the_lengths_and_the_remedy() -> None:
    with pytest.raises(
        LimitError, match=r"Description has 51 characters, ConnectWise allows 50: 'x+'\. Shorten it\."
    ):
        check_length("Description", "x" * 51, 50)


def test_a_huge_value_is_not_repeated_in_the_message() -> None:
    with pytest.raises(LimitError) as caught:
        check_length("Name", "x" * 5000, 50)
    assert len(str(caught.value)) < 200


def test_lengths_are_counted_as_dot_net_counts_them() -> None:
    assert text_length("é🖨") == 3
    assert too_long("Name", "🖨" * 26, 50) is not None
    assert too_long("Notes", "x" * 99999, None) is None


@pytest.mark.parametrize(("value", "number"), [(1, 1), ("12", 12), (" 5 ", 5)])
def test_ids_come_as_numbers_or_text(value: int | str, number: int) -> None:
    assert check_positive_id("Structure level id", value) == number


@pytest.mark.parametrize("value", [0, -1, "Level 1", "", None, True, "1.5", "²"])
def test_anything_else_is_not_an_id(value: int | str | None) -> None:
    with pytest.raises(LimitError, match="not a ConnectWise id"):
        check_positive_id("Structure level id", value)

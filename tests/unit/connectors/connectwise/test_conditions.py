"""Conditions: what the grammar asks for, and values that try to break out of their quotes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.connectwise.conditions import all_of, any_of, encoded_length, equals, quote, split_in
from connectors.errors import RejectedError
from sandbox.connectwise.conditions import Term, parse

NASTY = st.text(alphabet=st.sampled_from("ab\\\"'()=,[] %*\né"), max_size=30)


def one_quoted_text(text: str, *, escapes: bool) -> str | None:
    """What a server reads if the whole of ``text`` is one quoted text, else None."""
    mark, position, read = text[0], 1, ""
    while position < len(text):
        letter = text[position]
        if escapes and letter == "\\":
            read += text[position + 1]
            position += 2
            continue
        if letter == mark:
            return read if position == len(text) - 1 else None
        read += letter
        position += 1
    return None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("test", '"test"'),
        ('17" rack', "'17\" rack'"),
        ("O'Neill", '"O\'Neill"'),
        ("C:\\", '"C:\\\\"'),
        (5, "5"),
        (True, "True"),
        (None, "null"),
        (datetime(2016, 8, 20, 18, 4, 26, 999, tzinfo=UTC), "[2016-08-20T18:04:26Z]"),
        (datetime(2016, 8, 20, 20, 4, 26, tzinfo=timezone(timedelta(hours=2))), "[2016-08-20T18:04:26Z]"),
        (datetime(2016, 8, 20, 18, 4, 26), "[2016-08-20T18:04:26Z]"),
    ],
)
def test_values_are_written_as_the_guide_has_them(value: str | int | None, written: str) -> None:
    assert quote(value) == written


@given(NASTY)
def test_a_value_never_breaks_out_whether_or_not_the_server_knows_escapes(value: str) -> None:
    if "'" in value and '"' in value:
        with pytest.raises(RejectedError, match="both kinds of quotes"):
            quote(value)
        return
    assert one_quoted_text(quote(value), escapes=True) == value
    assert one_quoted_text(quote(value), escapes=False) == value.replace("\\", "\\\\")


@given(NASTY)
def test_a_server_of_the_grammar_reads_the_value_back(value: str) -> None:
    if not ("'" in value and '"' in value):
        assert parse(equals("name", value)) == Term("name", "=", (value,))


def test_a_condition_names_a_field_and_a_value() -> None:
    assert equals("status/name", "In use") == 'status/name = "In use"'
    assert any_of("id", [1, 2]) == "id in (1,2)"


@pytest.mark.parametrize("field", ["", "id = 1 or id", "status.name", "a//b", "/id", "näme"])
def test_a_field_that_is_no_name_is_refused(field: str) -> None:
    with pytest.raises(RejectedError, match="is not a field name"):
        equals(field, 1)


def test_no_values_are_refused_since_the_grammar_knows_no_empty_list() -> None:
    with pytest.raises(RejectedError, match="No values"):
        any_of("id", [])


def test_parts_are_joined_so_that_none_weakens_another() -> None:
    assert all_of("company/id = 2", None, " ", 'name = "a" or name = "b"') == (
        '(company/id = 2) and (name = "a" or name = "b")'
    )
    assert all_of(" id = 1 ", None) == "id = 1"
    assert all_of(None, "") == ""


@pytest.mark.parametrize("part", ["id = 1) or (id > 0", "(id = 1", 'name = "a', "name = 'a\\'"])
def test_a_part_that_reaches_beyond_itself_is_refused(part: str) -> None:
    with pytest.raises(RejectedError, match="not closed"):
        all_of("company/id = 2", part)


def test_parentheses_inside_quotes_are_text() -> None:
    assert all_of("id = 1", 'name = "a)"') == '(id = 1) and (name = "a)")'


@given(st.lists(st.one_of(st.integers(0, 10**9), st.text("ab é,%", max_size=12)), max_size=120))
def test_split_lists_hold_every_value_and_stay_short(values: list[str | int]) -> None:
    parts = list(split_in("id", values, max_chars=200))
    assert all(encoded_length(part) <= 200 for part in parts)
    inside = ",".join(part.removeprefix("id in (").removesuffix(")") for part in parts)
    assert inside == ",".join(quote(value) for value in values)


def test_fifty_ids_fit_into_one_condition() -> None:
    assert len(list(split_in("id", range(1_000_000, 1_000_050)))) == 1


def test_a_single_value_that_is_too_long_is_refused() -> None:
    with pytest.raises(RejectedError, match="too long"):
        list(split_in("name", ["x" * 300], max_chars=200))

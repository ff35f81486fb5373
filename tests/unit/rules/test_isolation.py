"""One record's exception in words, and a page whose other records are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel

from tasks.rules.isolation import (
    LONGEST_PROBLEM,
    LONGEST_PROBLEMS,
    bounded,
    convert_all,
    problem_words,
    refusal_of,
)


class _Model(BaseModel):
    amount: int


class _UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def _year_one() -> object:
    return datetime(1, 1, 1, tzinfo=UTC).astimezone(UTC) - timedelta(hours=8)


def _deep() -> object:
    return _deep()


@pytest.mark.parametrize(
    ("fail", "words"),
    [
        (_year_one, "a number or date in it is out of range (OverflowError: date value out of range)"),
        (lambda: int(float("inf")), "a number or date in it is out of range"),
        (_deep, "it is nested too deeply"),
        (lambda: {}["status"], "it lacks a member (KeyError: 'status')"),
        (lambda: "\ud800".encode(), "a text in it can't be written (UnicodeEncodeError: surrogates not"),
        (lambda: Decimal("x") + 1, "it can't be reckoned with (InvalidOperation"),
        (lambda: len(5), "a member is of another kind than expected"),  # type: ignore[arg-type]
        (lambda: _Model(amount="x" * 5000), "amount: Input should be a valid integer"),  # type: ignore[arg-type]
    ],
)
def test_an_exception_becomes_words(fail: Callable[[], object], words: str) -> None:
    with pytest.raises(Exception) as raised:
        fail()
    assert problem_words(raised.value).startswith(words)
    assert len(problem_words(raised.value)) <= LONGEST_PROBLEM


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("'x' is no number"), "'x' is no number"),
        (JMESPathError("line one\nline two"), "line one line two"),
        (InvalidOperation(), "it can't be reckoned with"),
        (_UnspeakableError(), "_UnspeakableError"),
        (ValueError("a \ud800 b"), "a ? b"),
    ],
)
def test_what_an_exception_says_is_kept(error: Exception, words: str) -> None:
    assert problem_words(error) == words


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_a_text_is_bounded_and_can_be_written(text: str, length: int) -> None:
    line = bounded(text, length)
    assert len(line) <= length
    line.encode()
    assert "\n" not in line


@given(st.lists(st.integers() | st.none() | st.floats()))
def test_each_record_is_converted_or_named(records: list[Any]) -> None:
    failed: list[Any] = []
    kept = convert_all(records, lambda each: int(each), lambda each, error: failed.append(each))
    assert len(kept) + len(failed) == len(records)
    assert kept == [
        int(each) for each in records if isinstance(each, int) or (each is not None and each - each == 0)
    ]


def test_what_concerns_all_is_raised() -> None:
    def convert(_: int) -> int:
        raise MemoryError

    with pytest.raises(MemoryError):
        convert_all([1], convert, lambda each, error: None)


def test_a_refusal_names_as_many_problems_as_a_person_reads() -> None:
    assert refusal_of(["One is wrong.", "Two is wrong."]) == "One is wrong. Two is wrong."
    many = refusal_of([f"{each} is wrong: {'x' * 5000}" for each in range(100)])
    assert len(many) < LONGEST_PROBLEMS + 20
    assert many.startswith("0 is wrong: xxx")
    assert many.endswith("… 96 more.")

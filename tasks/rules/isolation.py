"""One record's exception is that record's problem, in words (a *bulkhead*): its neighbours go on.

Rules raise ``ValueError`` for what they know can be wrong with a value. What they do not know of (a date of
year 1 in another zone, an infinite number, an object nested too deeply) raises something else, and must not
take others along either. So every loop over records either converts them by ``convert_all`` or catches
``Exception`` for each of them, and says what happened by ``problem_words``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

T = TypeVar("T")
R = TypeVar("R")

LONGEST_PROBLEM = 300
"""Characters of a problem: an exception may quote a whole record."""
LONGEST_PROBLEMS = 3000
"""Characters of all problems of one set of rules together."""
_LONGEST_LINE = 600
"""Characters of one of them: it names near matches, and what a person typed."""
_MOST_ERRORS = 3
"""Wrong members of one record that are named."""

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (RecursionError, "it is nested too deeply"),
    (OverflowError, "a number or date in it is out of range"),
    (UnicodeError, "a text in it can't be written"),
    (LookupError, "it lacks a member"),
    (ArithmeticError, "it can't be reckoned with"),
    (TypeError, "a member is of another kind than expected"),
    (AttributeError, "a member is of another kind than expected"),
)
"""What an exception says of a record, the first that fits. A ``ValueError`` speaks for itself."""


@dataclass(frozen=True, slots=True)
class UnreadRecord:
    """A record as the vendor gave it, of which nothing could be made, and why."""

    record: Any
    reason: str


def problem_words(error: Exception) -> str:
    """What is wrong with one record, on one line of at most ``LONGEST_PROBLEM`` characters."""
    said = _said(error)
    reason = next((words for kind, words in _REASONS if isinstance(error, kind)), "")
    if reason:
        return bounded(f"{reason} ({type(error).__name__}: {said})" if said else reason)
    return bounded(said or type(error).__name__)


def bounded(text: str, length: int = LONGEST_PROBLEM) -> str:
    """The text on one line, cut at ``length`` characters with an ellipsis; half an emoji becomes U+FFFD."""
    line = " ".join(text[: 4 * length].encode("utf-8", "replace").decode().split())
    return line if len(line) <= length else line[: length - 1] + "…"


def refusal_of(problems: Sequence[str]) -> str:
    """All problems of a set of rules in one text; beyond ``LONGEST_PROBLEMS`` characters their number."""
    said: list[str] = []
    size = 0
    for at, each in enumerate(problems):
        text = bounded(each, _LONGEST_LINE)
        size += len(text) + 1
        if size > LONGEST_PROBLEMS:
            return " ".join([*said, f"{len(problems) - at} more."])
        said.append(text)
    return " ".join(said)


def convert_all(
    records: Sequence[T], convert: Callable[[T], R], failed: Callable[[T, Exception], None]
) -> list[R]:
    """What ``convert`` makes of each record, without those that it fails on: ``failed`` is told of them.

    A page without a bad record costs one ``try``. Otherwise it is converted once more, record by record, so
    ``convert`` must do no harm when it is called twice.
    """
    try:
        return list(map(convert, records))
    except MemoryError:
        raise
    except Exception:
        return list(_one_by_one(records, convert, failed))


def convert_all_or(
    records: Sequence[T], convert: Callable[[T], R], instead: Callable[[T, Exception], R]
) -> list[R]:
    """What ``convert`` makes of each record, and what ``instead`` makes of those that it fails on."""
    return [convert_or(each, convert, instead) for each in records]


def convert_or(record: T, convert: Callable[[T], R], instead: Callable[[T, Exception], R]) -> R:
    """What ``convert`` makes of one record, or what ``instead`` makes of it where that fails."""
    try:
        return convert(record)
    except MemoryError:
        raise
    except Exception as error:
        return instead(record, error)


def convert_page(records: Sequence[T], convert: Callable[[T], R], unread: list[UnreadRecord]) -> list[R]:
    """What ``convert`` makes of the records of a page; those that it fails on are added to ``unread``."""
    return convert_all(
        records, convert, lambda each, error: unread.append(UnreadRecord(each, problem_words(error)))
    )


def _one_by_one(
    records: Sequence[T], convert: Callable[[T], R], failed: Callable[[T, Exception], None]
) -> Iterator[R]:
    for each in records:
        try:
            yield convert(each)
        except MemoryError:
            raise
        except Exception as error:
            failed(each, error)


def _said(error: Exception) -> str:
    try:
        if isinstance(error, ValidationError):
            return _validation_words(error)
        if isinstance(error, UnicodeError):
            return str(getattr(error, "reason", "") or error)
        return str(error)
    except Exception:
        # An exception whose text can't be made must not be the one that ends the run.
        return ""


def _validation_words(error: ValidationError) -> str:
    """The wrong members and why, without the values: they may be long."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:_MOST_ERRORS]]
    more = [f"and {len(found) - _MOST_ERRORS} more"] if len(found) > _MOST_ERRORS else []
    return "; ".join([*told, *more])

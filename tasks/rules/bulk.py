"""Bulk requests of configurations: cut records into batches, and join each bulk answer to what was sent.

The vendor's description is at odds with itself about the answer of a bulk POST or PUT (status 207): the
likely one is BulkResult, a bare array and a single record are described too. All three are read. What can't
be joined with certainty is ``unknown``: the caller reads back, it never guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from tasks.rules.isolation import bounded
from tasks.rules.limits import LimitError
from tasks.rules.quarantine import is_lasting

Item = TypeVar("Item")

MAX_BATCH = 50
"""Records in one bulk request, as the connector page says ("in groups of 50")."""


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """The outcome of the item at ``index`` of a bulk request; ``ok`` is None if the answer doesn't say."""

    index: int
    ok: bool | None
    record_id: int | None = None
    status: int | None = None
    code: str = ""
    message: str = ""


def batches(items: Sequence[Item], size: int = MAX_BATCH) -> Iterator[list[Item]]:
    """The items in their order, ``size`` at a time; the last batch may be shorter.

    Raises:
        LimitError: the size is not within 1 to 50; raised at once, not on the first batch.
    """
    if isinstance(size, bool) or not 1 <= size <= MAX_BATCH:
        raise LimitError(f"Batch size is {size}. Give a whole number from 1 to {MAX_BATCH}.")
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def batch_count(items: int, size: int = MAX_BATCH) -> int:
    """How many requests ``batches`` makes of that many items."""
    return -(-items // size)


SPLIT_REQUESTS = 200
"""Requests that one run sends at most to find the records for which whole batches were refused."""


SINGLY = 8
"""So few records of a refused batch are sent one by one. Halving them on costs as much for one culprit, and
nearly twice as much where each is one."""


def parts(items: Sequence[Item]) -> list[list[Item]]:
    """A refused batch as it is sent next: in two parts of almost one size, few items one by one; in order.

    Of 50 records one culprit costs 13 requests, and 65 if all of them are culprits.
    """
    if len(items) <= SINGLY:
        return [[each] for each in items]
    middle = (len(items) + 1) // 2
    return [list(items[:middle]), list(items[middle:])]


class SplitAllowance:
    """How often one run may still split a batch that was refused as a whole (*bisection* of the culprit).

    Of thousands of records each may be refused, so the number is bounded for all batches together.
    """

    def __init__(self, requests: int = SPLIT_REQUESTS) -> None:
        self.requests = requests

    def take(self, requests: int) -> bool:
        """Take what one split costs; False where too little is left."""
        if self.requests < requests:
            return False
        self.requests -= requests
        return True


def is_own_refusal(outcome: ItemOutcome) -> bool:
    """Whether the vendor refused this very record, and would again: it names no status that passes."""
    if outcome.ok is not False:
        return False
    return is_lasting(outcome.status) if outcome.status is not None else bool(outcome.code)


def join_bulk_answer(sent_count: int, answer: Any, redact: Callable[[str], str] = str) -> list[ItemOutcome]:
    """One outcome for each item sent, in the order sent, from any of the three answer shapes.

    Indexes that are missing, given twice or out of range leave their items unknown. A whole answer counted
    from 1 instead of 0 is understood. ``redact`` takes secrets out of the vendor's words, of which a few
    hundred characters are kept.
    """
    outcomes = _joined(sent_count, answer)
    return [each if each.ok else _readable(each, redact) for each in outcomes]


def _readable(outcome: ItemOutcome, redact: Callable[[str], str]) -> ItemOutcome:
    message = outcome.message or ("" if outcome.code else "refused without a reason")
    return replace(
        outcome,
        message=bounded(redact(message[: 4 * _LONGEST_MESSAGE]), _LONGEST_MESSAGE),
        code=bounded(redact(outcome.code[: 4 * _LONGEST_CODE]), _LONGEST_CODE),
    )


_LONGEST_MESSAGE, _LONGEST_CODE = 500, 100


def _joined(sent_count: int, answer: Any) -> list[ItemOutcome]:
    results = _results(answer)
    if results is None:
        return [_unknown(index, "The answer has no results.") for index in range(sent_count)]
    if any("originalIndex" in each for each in results):
        return _by_index(sent_count, results)
    if len(results) != sent_count:
        why = f"The answer holds {len(results)} results for {sent_count} records."
        return [_unknown(index, why) for index in range(sent_count)]
    return [_outcome(index, result) for index, result in enumerate(results)]


def _results(answer: Any) -> list[Mapping[str, Any]] | None:
    if isinstance(answer, Mapping):
        answer = answer.get("payload", [answer])
    if not isinstance(answer, list):
        return None
    return [each if isinstance(each, Mapping) else {} for each in answer]


def _by_index(sent_count: int, results: Sequence[Mapping[str, Any]]) -> list[ItemOutcome]:
    indexes = [_whole(each.get("originalIndex")) for each in results]
    shift = 1 if sent_count and sorted(i or 0 for i in indexes) == list(range(1, sent_count + 1)) else 0
    if any(index is None or not 0 <= index - shift < sent_count for index in indexes):
        why = "The answer names items that were not sent."
        return [_unknown(index, why) for index in range(sent_count)]
    found: dict[int, list[Mapping[str, Any]]] = {}
    for index, result in zip(indexes, results, strict=True):
        found.setdefault((index or 0) - shift, []).append(result)
    return [_single(index, found.get(index, [])) for index in range(sent_count)]


def _single(index: int, results: Sequence[Mapping[str, Any]]) -> ItemOutcome:
    if len(results) == 1:
        return _outcome(index, results[0])
    return _unknown(
        index, "The answer leaves this item out." if not results else "The answer names this item twice."
    )


def _outcome(index: int, result: Mapping[str, Any]) -> ItemOutcome:
    """A result item, a record, or an error body; a record is known by its id."""
    error = result.get("error") or (result if "code" in result and "id" not in result else {})
    data = result.get("data") or (result if "success" not in result else {})
    record_id = _whole(data.get("id")) if isinstance(data, Mapping) else None
    status = _whole(result.get("statusCode"))
    ok = _succeeded(result.get("success"), status, bool(error), record_id)
    if ok is None:
        return _unknown(index, "The answer does not say what became of this item.")
    code, message = _error_text(error)
    return ItemOutcome(index, ok, record_id if ok else None, status, code, message)


def _succeeded(success: Any, status: int | None, error: bool, record_id: int | None) -> bool | None:
    if isinstance(success, bool):
        contradicted = success and (error or (status is not None and status >= 400))
        return None if contradicted else success
    if status is not None:
        return 200 <= status < 300
    if error:
        return False
    return True if record_id is not None else None


def _error_text(error: Any) -> tuple[str, str]:
    if not isinstance(error, Mapping):
        return "", str(error or "")
    listed = error.get("errors")
    details = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    fields = [
        ": ".join(str(each[part]) for part in ("field", "message") if each.get(part)) for each in details
    ]
    message = str(error.get("message") or "")
    told = "; ".join(text for text in fields if text)
    return str(error.get("code") or ""), f"{message} ({told})" if message and told else message or told


def _unknown(index: int, why: str) -> ItemOutcome:
    return ItemOutcome(index, None, message=why)


_MOST_DIGITS = 18
"""Of an index, id or status given as text: Python refuses to read thousands of them."""


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value)
    return value if isinstance(value, int) else None

"""Batches of at most 50, and every bulk answer joined to what was sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.bulk import SINGLY, batch_count, batches, join_bulk_answer, parts
from tasks.rules.limits import LimitError


def success(index: int, record_id: int = 1) -> dict[str, Any]:
    return {"success": True, "originalIndex": index, "statusCode": 201, "data": {"id": record_id}}


def failure(index: int) -> dict[str, Any]:
    error = {"code": "InvalidObject", "message": "bad", "errors": [{"field": "name", "message": "too long"}]}
    return {"success": False, "originalIndex": index, "statusCode": 400, "error": error}


@given(st.lists(st.integers(), max_size=230), st.integers(1, 50))
def test_batches_keep_every_item_in_order(items: list[int], size: int) -> None:
    cut = list(batches(items, size))
    assert [item for batch in cut for item in batch] == items
    assert all(1 <= len(batch) <= size for batch in cut)
    assert len(cut) == batch_count(len(items), size)


def requests_to_find(batch: list[int], culprits: set[int]) -> tuple[int, list[int]]:
    """How many requests it takes, the first included, and who is written."""
    if not culprits & set(batch):
        return 1, batch
    if len(batch) == 1:
        return 1, []
    found = [requests_to_find(part, culprits) for part in parts(batch)]
    return 1 + sum(each for each, _ in found), [one for _, written in found for one in written]


@given(st.integers(2, 50), st.data())
def test_every_culprit_is_found_in_fewer_than_two_requests_a_record(size: int, data: st.DataObject) -> None:
    batch = list(range(size))
    culprits = data.draw(st.sets(st.sampled_from(batch), min_size=1))
    requests, written = requests_to_find(batch, culprits)
    assert written == [each for each in batch if each not in culprits]
    assert requests < 2 * size
    assert requests <= 1 + len(culprits) * (6 + SINGLY)


def test_what_it_costs_to_find_culprits_among_fifty() -> None:
    fifty = list(range(50))
    assert requests_to_find(fifty, {20})[0] == 13
    assert requests_to_find(fifty, {0, 49})[0] <= 26
    assert requests_to_find(fifty, set(fifty))[0] == 65


@pytest.mark.parametrize("size", [0, 51, -1, True])
def test_a_batch_size_outside_1_to_50_is_refused_at_once(size: int) -> None:
    with pytest.raises(LimitError, match="from 1 to 50"):
        batches([1], size)


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.randoms(), st.sampled_from([0, 1]))
def test_results_in_any_order_find_their_items(wanted: list[bool], random: Any, base: int) -> None:
    results = [success(i + base, i + 500) if ok else failure(i + base) for i, ok in enumerate(wanted)]
    random.shuffle(results)
    for answer in ({"payload": results}, results):
        outcomes = join_bulk_answer(len(wanted), answer)
        assert [each.ok for each in outcomes] == wanted
        assert [each.index for each in outcomes] == list(range(len(wanted)))
        assert all(each.record_id == (each.index + 500 if each.ok else None) for each in outcomes)


@given(st.integers(2, 20), st.data())
def test_missing_and_repeated_indexes_leave_only_their_items_unknown(count: int, data: Any) -> None:
    indexes = data.draw(st.lists(st.integers(0, count - 1), max_size=30))
    outcomes = join_bulk_answer(count, {"payload": [success(index, index + 1) for index in indexes]})
    once = {index for index in indexes if indexes.count(index) == 1}
    if indexes:
        expected = {each.index for each in outcomes if each.ok}
        assert expected == once
    assert all(each.ok is None for each in outcomes if each.index not in once)


def test_indexes_out_of_range_make_the_whole_answer_unknown() -> None:
    outcomes = join_bulk_answer(3, {"payload": [success(0), success(1), success(7)]})
    assert [each.ok for each in outcomes] == [None, None, None]


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=50))
def test_a_bare_array_of_records_joins_by_position(ids: list[int]) -> None:
    outcomes = join_bulk_answer(len(ids), [{"id": each, "name": "a"} for each in ids])
    assert [each.record_id for each in outcomes] == ids
    assert all(each.ok for each in outcomes)


@pytest.mark.parametrize("member", ["originalIndex", "id", "statusCode"])
def test_a_number_of_thousands_of_digits_is_none(member: str) -> None:
    """Reading it would raise, and end the run over one item."""
    [outcome] = join_bulk_answer(1, [{member: "9" * 5000}])
    assert outcome.ok is None


def test_a_bare_array_of_another_length_is_unknown() -> None:
    assert [each.ok for each in join_bulk_answer(2, [{"id": 5}])] == [None, None]


def test_a_single_record_answers_a_single_item_only() -> None:
    assert join_bulk_answer(1, {"id": 5, "name": "a"})[0].record_id == 5
    assert [each.ok for each in join_bulk_answer(2, {"id": 5, "name": "a"})] == [None, None]


def test_a_failure_carries_the_vendors_words() -> None:
    outcome = join_bulk_answer(1, {"payload": [failure(0)]})[0]
    assert (outcome.code, outcome.message, outcome.status) == ("InvalidObject", "bad (name: too long)", 400)


def test_an_error_body_among_records_is_a_failure() -> None:
    outcomes = join_bulk_answer(2, [{"id": 5}, {"code": "InvalidObject", "message": "bad", "errors": None}])
    assert [each.ok for each in outcomes] == [True, False]


def test_a_result_that_contradicts_itself_is_unknown() -> None:
    odd = {"success": True, "originalIndex": 0, "statusCode": 500, "data": {"id": 1}}
    assert join_bulk_answer(1, {"payload": [odd]})[0].ok is None


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["payload", "id", "success", "originalIndex", "data", "error", "code"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.integers(0, 4), json)
def test_any_answer_at_all_gives_one_outcome_an_item(count: int, answer: Any) -> None:
    assert [each.index for each in join_bulk_answer(count, answer)] == list(range(count))


@pytest.mark.parametrize(
    "error",
    [
        {"code": "x" * 5000, "message": "no hunter2 " * 500, "errors": [{"message": "m" * 900}] * 90},
        {"message": "hunter2", "errors": []},
        {"code": "hunter2"},
        {},
        "no hunter2",
        None,
    ],
)
def test_the_words_about_an_item_are_few_and_hold_no_secret(error: object) -> None:
    item = {"success": False, "statusCode": 400, "error": error}
    [outcome] = join_bulk_answer(1, [item], lambda text: text.replace("hunter2", "***"))
    assert outcome.ok is False
    assert outcome.message or outcome.code
    assert "hunter2" not in outcome.message + outcome.code
    assert (len(outcome.message) <= 500, len(outcome.code) <= 100) == (True, True)

"""The steps of a run after its plan: as many requests as are predicted, in the order and width of the run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.forecast import CREATE, LIST, PATCH, REPLACE, write_steps
from tasks.rules.asset_sync.safety import WriteMode, predict_requests
from tasks.rules.forecast import RequestSeconds, Step, seconds_of

counts = st.integers(0, 400)


def steps_of(
    seconds: RequestSeconds, names: dict[str, list[str]] | None = None, **planned: object
) -> list[Step]:
    references = names or {}
    numbers = {"creations": 0, "modifications": 0, "type_changes": 0, **planned}
    cost = predict_requests(
        reads_done=0,
        reference_creations=sum(map(len, references.values())),
        **numbers,  # type: ignore[arg-type]
    )
    return write_steps(cost, references, seconds, vendor="ConnectWise PSA", width=3)


@given(counts, counts, counts, st.integers(0, 9), st.integers(0, 9))
def test_the_steps_send_the_requests_that_are_predicted(
    creations: int, modifications: int, types: int, kinds: int, places: int
) -> None:
    names = {"type.name": [str(each) for each in range(kinds)], "location.name": ["x"] * places}
    planned = {"creations": creations, "modifications": modifications, "type_changes": types}
    cost = predict_requests(reads_done=0, reference_creations=kinds + places, **planned)
    steps = steps_of(RequestSeconds({}, {}, 1.0), names, **planned)
    assert sum(each.requests for each in steps) == cost.total


def test_a_first_load_creates_one_batch_alone_and_then_three_at_a_time() -> None:
    known = RequestSeconds({CREATE: 3.0}, {}, 0.0)
    assert seconds_of(steps_of(known, creations=50 * 7), {}) == pytest.approx(3 + 2 * 3)


def test_batches_of_modifications_are_read_before_and_the_first_one_after_it() -> None:
    known = RequestSeconds({LIST: 1.0, REPLACE: 4.0}, {}, 0.0)
    assert seconds_of(steps_of(known, modifications=50 * 4), {}) == pytest.approx(6 + 5)
    patched = RequestSeconds({LIST: 1.0, PATCH: 0.5}, {}, 0.0)
    found = seconds_of(steps_of(patched, modifications=200, mode=WriteMode.PATCH), {})
    assert found == pytest.approx(2 * (1 + 50 * 0.5))


def test_the_longest_kind_of_reference_records_takes_the_time_of_all() -> None:
    names = {"type.name": ["a", "b"], "manufacturer.name": ["c"] * 5}
    assert seconds_of(steps_of(RequestSeconds({}, {}, 2.0), names), {}) == pytest.approx(10)


def test_a_plan_without_writes_has_no_steps_and_nothing_guessed() -> None:
    seconds = RequestSeconds({}, {}, 1.0)
    assert steps_of(seconds) == []
    assert not seconds.guessed

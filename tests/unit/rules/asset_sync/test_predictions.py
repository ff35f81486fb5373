"""The number of requests of a calm run, counted against a run that is played through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.safety import WriteMode, predict_requests
from tasks.rules.bulk import batches

counts = st.integers(0, 400)


@given(counts, counts, counts, counts, st.integers(1, 50), st.sampled_from(WriteMode))
def test_the_prediction_equals_the_run(references, creations, changed, types, size, mode) -> None:  # type: ignore[no-untyped-def]
    predicted = predict_requests(
        reads_done=9,
        reference_creations=references,
        creations=creations,
        modifications=changed,
        type_changes=types,
        batch_size=size,
        mode=mode,
    )
    sent = ["read"] * 9 + ["write"] * references + ["read", "write"] * types
    sent += ["write" for _ in batches(range(creations), size)] + ["read"] * bool(creations)
    for number, batch in enumerate(batches(range(changed), size)):
        sent += ["read", "write", *(["read"] if number == 0 else [])] if mode == "bulk" else ["read"]
        sent += ["write"] * len(batch) if mode == "patch" else []
    assert predicted.total == len(sent)
    assert predicted.writes == sent.count("write")


def test_nothing_to_do_costs_nothing_more() -> None:
    predicted = predict_requests(
        reads_done=12, reference_creations=0, creations=0, modifications=0, type_changes=0
    )
    assert (predicted.total, predicted.writes) == (12, 0)


def test_a_first_load_of_15000_stays_within_the_promise() -> None:
    predicted = predict_requests(
        reads_done=11, reference_creations=0, creations=15_000, modifications=0, type_changes=0
    )
    assert predicted.total == 312

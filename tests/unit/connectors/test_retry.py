"""Retry decisions: what may be repeated, and after how long."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.retry import (
    LONGEST_WAIT,
    MAX_ATTEMPTS,
    AttemptOutcome,
    RequestKind,
    next_attempt,
    outcome_of_failure,
    outcome_of_status,
    retry_after_seconds,
)

PASSING = [AttemptOutcome.SERVER_ERROR, AttemptOutcome.NOT_SENT, AttemptOutcome.NO_ANSWER]
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("outcome", PASSING)
@pytest.mark.parametrize("kind", [RequestKind.READ, RequestKind.MODIFY])
def test_reads_and_idempotent_writes_are_repeated_three_times(
    kind: RequestKind, outcome: AttemptOutcome
) -> None:
    waits = [next_attempt(kind, attempt, outcome) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert all(wait is not None for wait in waits[:-1])
    assert waits[-1] is None


@pytest.mark.parametrize("kind", [RequestKind.READ, RequestKind.CREATE, RequestKind.MODIFY])
def test_patience_is_greater_where_the_vendor_only_asks_to_wait(kind: RequestKind) -> None:
    waits = [next_attempt(kind, attempt, AttemptOutcome.RATE_LIMITED, 1.0) for attempt in range(1, 9)]
    assert waits == [1.0] * 7 + [None]


@pytest.mark.parametrize("outcome", list(AttemptOutcome))
def test_whole_records_are_never_sent_again_as_they_are(outcome: AttemptOutcome) -> None:
    assert next_attempt(RequestKind.REPLACE, 1, outcome, 1.0) is None


@pytest.mark.parametrize("outcome", list(AttemptOutcome))
def test_a_create_is_repeated_only_if_nothing_can_have_been_done(outcome: AttemptOutcome) -> None:
    repeated = next_attempt(RequestKind.CREATE, 1, outcome) is not None
    assert repeated == (outcome in {AttemptOutcome.RATE_LIMITED, AttemptOutcome.NOT_SENT})


@pytest.mark.parametrize("kind", list(RequestKind))
@pytest.mark.parametrize(
    "outcome", [AttemptOutcome.REFUSED, AttemptOutcome.UNTRUSTED, AttemptOutcome.ACCEPTED]
)
def test_a_definite_answer_is_never_repeated(kind: RequestKind, outcome: AttemptOutcome) -> None:
    assert next_attempt(kind, 1, outcome) is None


def test_the_vendor_says_how_long() -> None:
    assert next_attempt(RequestKind.READ, 1, AttemptOutcome.RATE_LIMITED, 7.0) == 7.0
    assert next_attempt(RequestKind.READ, 1, AttemptOutcome.SERVER_ERROR, 3.0) == 3.0


def test_no_call_waits_for_minutes() -> None:
    assert next_attempt(RequestKind.READ, 1, AttemptOutcome.RATE_LIMITED, 61.0) is None
    assert next_attempt(RequestKind.READ, 2, AttemptOutcome.RATE_LIMITED, 30.0, waited=30.0) == 30.0
    assert next_attempt(RequestKind.READ, 2, AttemptOutcome.RATE_LIMITED, 30.0, waited=31.0) is None


@given(
    st.sampled_from(RequestKind),
    st.integers(1, 9),
    st.sampled_from(AttemptOutcome),
    st.floats(0, 1),
    st.floats(0, 100),
)
def test_waits_are_never_negative_and_never_add_up_to_more_than_the_longest(
    kind: RequestKind, attempt: int, outcome: AttemptOutcome, spread: float, waited: float
) -> None:
    wait = next_attempt(kind, attempt, outcome, spread=spread, waited=waited)
    assert wait is None or (wait > 0 and waited + wait <= LONGEST_WAIT)


def test_pauses_double_and_are_spread() -> None:
    shortest = [next_attempt(RequestKind.READ, n, AttemptOutcome.SERVER_ERROR, spread=0.0) for n in (1, 2, 3)]
    longest = [next_attempt(RequestKind.READ, n, AttemptOutcome.SERVER_ERROR, spread=1.0) for n in (1, 2, 3)]
    assert (shortest, longest) == ([0.5, 1.0, 2.0], [1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, AttemptOutcome.ACCEPTED),
        (207, AttemptOutcome.ACCEPTED),
        (302, AttemptOutcome.REFUSED),
        (400, AttemptOutcome.REFUSED),
        (408, AttemptOutcome.SERVER_ERROR),
        (429, AttemptOutcome.RATE_LIMITED),
        (500, AttemptOutcome.SERVER_ERROR),
        (599, AttemptOutcome.SERVER_ERROR),
    ],
)
def test_statuses(status: int, outcome: AttemptOutcome) -> None:
    assert outcome_of_status(status) is outcome


def untrusted() -> httpx.ConnectError:
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    return error


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError("refused"), AttemptOutcome.NOT_SENT),
        (httpx.ConnectTimeout("slow"), AttemptOutcome.NOT_SENT),
        (httpx.PoolTimeout("busy"), AttemptOutcome.NOT_SENT),
        (httpx.ProxyError("502"), AttemptOutcome.NOT_SENT),
        (httpx.ReadTimeout("slow"), AttemptOutcome.NO_ANSWER),
        (httpx.WriteError("broken pipe"), AttemptOutcome.NO_ANSWER),
        (httpx.WriteTimeout("slow"), AttemptOutcome.NO_ANSWER),
        (httpx.RemoteProtocolError("dropped"), AttemptOutcome.NO_ANSWER),
        (httpx.DecodingError("gzip"), AttemptOutcome.NO_ANSWER),
        (TimeoutError(), AttemptOutcome.TOO_SLOW),
        (httpx.LocalProtocolError("header"), AttemptOutcome.UNTRUSTED),
        (untrusted(), AttemptOutcome.UNTRUSTED),
    ],
)
def test_what_is_not_known_to_be_unsent_counts_as_sent(error: Exception, outcome: AttemptOutcome) -> None:
    assert outcome_of_failure(error) is outcome


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        (" 2.5 ", 2.5),
        ("-1", 0.0),
        ("Sat, 21 Nov 2026 12:00:20 GMT", 20.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_header_makes_reading_fail(header: str) -> None:
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or seconds >= 0

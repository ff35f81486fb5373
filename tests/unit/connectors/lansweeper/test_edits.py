"""Several edits in one request: which were written, which message is whose, and what refuses them all."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.errors import RejectedError, RetryableError, StopError, WriteRefusedError
from connectors.lansweeper.api import RateState, rate_of
from connectors.lansweeper.edits import NO_ANSWER, NOT_NAMED, TooManyAliasesError, alias, read_outcomes
from connectors.lansweeper.models import AssetEdit, EditOutcome
from tests.support.fake_lansweeper import SITE, FakeLansweeper, answered, refused

WRITTEN = {"assetBasicInfo": {"name": "x"}}
EDITS = [AssetEdit.of_custom_fields(f"key-{number}", {"f-1": str(number)}) for number in range(3)]


def partly(status: int, written: set[int], errors: list[Any], edits: int = 3) -> httpx.Response:
    site = {alias(number): WRITTEN if number in written else None for number in range(edits)}
    return httpx.Response(status, json={"errors": errors, "data": {"site": site}})


def at(number: int, message: str) -> dict[str, Any]:
    return {"message": message, "path": ["site", alias(number)]}


@pytest.mark.anyio
async def test_edits_travel_as_one_request_of_variables() -> None:
    fake = FakeLansweeper(queued=[answered({"site": {alias(n): WRITTEN for n in range(3)}})])
    async with fake.client() as client:
        assert await client.edit_assets(SITE, EDITS) == [EditOutcome(edit.key, True) for edit in EDITS]
        assert client.session.sent == {"POST /api/v2/graphql editAssets": 1}
        assert client.session.writes == 1
    (sent,) = fake.variables()
    assert (sent["k2"], sent["f2"]) == (EDITS[2].key, EDITS[2].fields)
    assert EDITS[0].fields == {"assetCustom": {"fields": [{"fieldKey": "f-1", "value": "0"}]}}


@pytest.mark.anyio
async def test_what_is_said_of_a_refused_edit_is_short_and_holds_no_token() -> None:
    fake = FakeLansweeper()
    async with fake.client() as client:
        token = client.settings.access_token
        words = [at(1, f"{n} {token} {'x' * 400}") for n in range(100)]
        fake.queued.append(partly(200, {0, 2}, words))
        outcomes = await client.edit_assets(SITE, EDITS)
    assert len(outcomes[1].message) <= 1000
    assert token not in outcomes[1].message
    assert "0 ***" in outcomes[1].message


@pytest.mark.anyio
async def test_no_edits_send_nothing_and_a_dry_run_sends_none() -> None:
    fake = FakeLansweeper()
    async with fake.client(read_only=True) as client:
        assert await client.edit_assets(SITE, []) == []
        with pytest.raises(WriteRefusedError):
            await client.edit_assets(SITE, EDITS)
    assert fake.requests == []


@pytest.mark.parametrize("status", [200, 400, 404, 500])
@pytest.mark.anyio
async def test_an_answer_with_data_is_read_whatever_its_status(status: int) -> None:
    fake = FakeLansweeper(queued=[partly(status, {0, 2}, [at(1, "Asset 'key-1' not found")])])
    async with fake.client() as client:
        outcomes = await client.edit_assets(SITE, EDITS)
    assert [outcome.ok for outcome in outcomes] == [True, False, True]
    told = None if status == 200 else status
    assert outcomes[1] == EditOutcome("key-1", False, "Asset 'key-1' not found", status=told)
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("written", "errors", "expected"),
    [
        ({2}, [at(1, "b"), at(0, "a")], {0: ("a", True), 1: ("b", True)}),
        ({0, 2}, [{"message": "b"}], {1: ("b", True)}),
        ({2}, [{"message": "a"}, {"message": "b"}], {0: (f"{NOT_NAMED}a; b", False)}),
        ({2}, [{"message": "same"}, {"message": "same"}], {0: ("same", True), 1: ("same", True)}),
        ({2}, [{"message": "one"}], {0: (f"{NOT_NAMED}one", False)}),
        ({2}, [at(0, "a"), {"message": "b"}], {0: ("a", True), 1: ("b", True)}),
        ({2}, [at(0, "a")], {0: ("a", True), 1: (NO_ANSWER, False)}),
        ({0, 1, 2}, [at(1, "the echo failed")], {}),
        ({0, 2}, [{"message": "b", "path": ["site"]}, "odd"], {1: ("b; odd", True)}),
    ],
)
def test_an_error_is_said_of_the_edit_it_names(
    written: set[int], errors: list[Any], expected: dict[int, tuple[str, bool]]
) -> None:
    outcomes = read_outcomes(partly(400, written, errors).json(), EDITS)
    assert outcomes is not None
    assert [outcome.ok for outcome in outcomes] == [number in written for number in range(3)]
    for number, (message, explained) in expected.items():
        assert (outcomes[number].message, outcomes[number].explained) == (message, explained)


@pytest.mark.parametrize(
    ("status", "codes", "expected"),
    [
        (200, [None], None),
        (200, ["BAD_USER_INPUT"], 400),
        (200, ["INTERNAL_SERVER_ERROR"], 500),
        (200, ["BAD_USER_INPUT", "SERVICE_UNAVAILABLE"], 503),
        (400, ["CONFLICT"], 409),
        (409, ["A_CODE_OF_ITS_OWN"], 409),
        (500, [None], 500),
    ],
)
def test_a_refusal_has_the_status_of_its_code_or_of_the_answer(
    status: int, codes: list[str | None], expected: int | None
) -> None:
    errors = [at(1, "no") | ({"extensions": {"code": each}} if each else {}) for each in codes]
    outcomes = read_outcomes(partly(status, {0, 2}, errors).json(), EDITS, status)
    assert outcomes is not None
    assert outcomes[1].status == expected


@given(
    written=st.lists(st.booleans(), min_size=1, max_size=30),
    errors=st.lists(
        st.fixed_dictionaries(
            {"message": st.text()}, optional={"path": st.lists(st.text(max_size=3) | st.integers())}
        )
    ),
)
@example(written=[False], errors=[{"message": " ."}])
def test_what_was_written_is_told_by_the_data_alone(written: list[bool], errors: list[Any]) -> None:
    edits = [AssetEdit(f"key-{number}", {}) for number in range(len(written))]
    body = {
        "errors": errors,
        "data": {"site": {alias(number): WRITTEN if ok else None for number, ok in enumerate(written)}},
    }
    outcomes = read_outcomes(body, edits)
    assert outcomes is not None
    assert [outcome.ok for outcome in outcomes] == written
    assert all(bool(outcome.message) is not outcome.ok for outcome in outcomes)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refused(400, "Syntax Error: Aliases limit of 2 exceeded, found 3."), TooManyAliasesError, "fewer"),
        (refused(400, "Too many aliases in the operation"), TooManyAliasesError, "fewer"),
        (refused(400, "Query complexity of 300 exceeds 200"), TooManyAliasesError, "fewer"),
        (refused(413, "request entity too large"), TooManyAliasesError, "fewer"),
        (refused(400, "Variable '$f1' got invalid value 7"), RejectedError, "invalid value"),
        (refused(400, "Context creation failed: You must be logged in."), StopError, "access token"),
        (refused(403, "You don't have access to this site"), StopError, "site ID"),
        (partly(403, set(), [at(0, "You are not authorized to perform this action")]), StopError, "role"),
        (answered({"site": None}), RejectedError, "editAssets with nothing"),
        (httpx.Response(200, html="<title>Log in</title>"), StopError, "not JSON"),
    ],
)
@pytest.mark.anyio
async def test_a_refusal_of_the_whole_request(
    answer: httpx.Response, error: type[Exception], words: str
) -> None:
    fake = FakeLansweeper(queued=[answer])
    async with fake.client() as client:
        with pytest.raises(error, match=words) as caught:
            await client.edit_assets(SITE, EDITS)
    assert type(caught.value) is error
    assert len(fake.requests) == 1


@pytest.mark.anyio
async def test_a_single_edit_is_never_too_many() -> None:
    fake = FakeLansweeper(queued=[refused(400, "Aliases limit of 0 exceeded, found 1.")])
    async with fake.client() as client:
        with pytest.raises(RejectedError) as caught:
            await client.edit_assets(SITE, EDITS[:1])
    assert not isinstance(caught.value, TooManyAliasesError)


@pytest.mark.anyio
async def test_when_every_edit_failed_for_itself_each_has_its_message() -> None:
    errors = [at(number, f"Asset 'key-{number}' not found") for number in range(3)]
    async with FakeLansweeper(queued=[partly(404, set(), errors)]).client() as client:
        outcomes = await client.edit_assets(SITE, EDITS)
    assert [outcome.message for outcome in outcomes] == [error["message"] for error in errors]


@pytest.mark.anyio
async def test_a_server_error_of_every_edit_is_tried_again_and_then_told_of_each() -> None:
    failure = partly(500, set(), [at(number, "Internal server error") for number in range(3)])
    fake = FakeLansweeper(queued=[failure, partly(200, {0, 1, 2}, [])])
    async with fake.client() as client:
        assert all(outcome.ok for outcome in await client.edit_assets(SITE, EDITS))


@pytest.mark.slow
@pytest.mark.anyio
async def test_edits_that_fail_for_themselves_again_and_again_are_told_and_a_gateways_error_is_not() -> None:
    failure = partly(500, set(), [at(number, "Internal server error") for number in range(3)])
    fake = FakeLansweeper(queued=[failure] * 4)
    async with fake.client() as client:
        outcomes = await client.edit_assets(SITE, EDITS)
        assert [outcome.message for outcome in outcomes] == ["Internal server error"] * 3
        fake.queued = [*[failure] * 3, httpx.Response(502, html="<title>Bad gateway</title>")]
        with pytest.raises(RetryableError, match="Bad gateway"):
            await client.edit_assets(SITE, EDITS)


class Limiter:
    """Counts what is asked of it."""

    def __init__(self) -> None:
        self.taken = 0

    async def acquire(self) -> None:
        self.taken += 1

    async def pause(self, seconds: float) -> None: ...


@pytest.mark.anyio
async def test_a_dropped_edit_is_sent_again_and_each_try_costs_what_it_counts() -> None:
    done = answered({"site": {alias(n): WRITTEN for n in range(3)}})
    fake, limiter = FakeLansweeper(queued=[httpx.ReadError("dropped"), done]), Limiter()
    async with fake.client(rate_limiter=limiter) as client:
        assert all(outcome.ok for outcome in await client.edit_assets(SITE, EDITS, cost=3))
    assert (len(fake.requests), limiter.taken) == (2, 6)


@pytest.mark.anyio
async def test_a_server_out_of_order_that_wrote_nothing_is_a_retry() -> None:
    refusal = {"Retry-After": "600"}
    fake = FakeLansweeper(queued=[refused(429, "Too many requests", refusal)])
    async with fake.client() as client:
        with pytest.raises(RetryableError, match="Too many requests"):
            await client.edit_assets(SITE, EDITS)


@pytest.mark.anyio
async def test_the_newest_answers_rate_is_known_also_of_a_refusal() -> None:
    def headers(remaining: int) -> dict[str, str]:
        return {
            "x-ratelimit-limit": "150",
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-reset": "1700000060",
        }

    answers = [
        httpx.Response(200, json={"data": {"authorizedSites": {"sites": []}}}, headers=headers(149)),
        refused(400, "Aliases limit of 2 exceeded, found 3.", headers(146)),
        answered({"authorizedSites": {"sites": []}}),
    ]
    async with FakeLansweeper(queued=[*answers]).client() as client:
        await client.authorized_sites()
        before = client.rate
        with pytest.raises(TooManyAliasesError):
            await client.edit_assets(SITE, EDITS)
        await client.authorized_sites()
        assert client.rate == RateState(150, 146, 1700000060.0)
        assert client.rate.used_since(before) == 3


@pytest.mark.anyio
async def test_without_such_headers_the_rate_is_not_known() -> None:
    async with FakeLansweeper().client() as client:
        await client.authorized_sites()
        assert client.rate is None


def test_windows_are_told_apart_and_odd_headers_are_none() -> None:
    state = RateState(150, 140, 1000.0)
    assert state.used_since(None) is None
    assert state.used_since(RateState(150, 149, 940.0)) is None
    assert state.used_since(RateState(150, 139, 1000.0)) == 0
    assert rate_of({"x-ratelimit-limit": "150"}) is None
    assert rate_of({f"x-ratelimit-{n}": "soon" for n in ("limit", "remaining", "reset")}) is None

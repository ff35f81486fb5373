"""Keys, limits and errors of the sandbox's Lansweeper endpoint, with the recorded texts and statuses."""

from __future__ import annotations

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from sandbox.credentials import checksum, mint_credentials
from sandbox.lansweeper.app import MINUTE, PER_HOUR, PER_MINUTE, RateLimit
from tests.support.sandbox.lansweeper import NO_TLS, Caller

NOT_LOGGED_IN = {"errors": [{"message": "Context creation failed: You must be logged in."}]}


@pytest.mark.parametrize("authorization", ["", "Token nonsense", "Basic x", "Bearer lsp_x"])
def test_no_or_bad_token(sandbox: Sandbox, authorization: str) -> None:
    response = Caller(sandbox, authorization).site("name")
    assert (response.status_code, response.json()) == (400, NOT_LOGGED_IN)


def test_three_kinds_of_token(sandbox: Sandbox) -> None:
    info = sandbox.info["lansweeper"]
    for scheme, name in (
        ("Token", "access_token"),
        ("Token", "flow_builder_token"),
        ("Bearer", "oauth_token"),
    ):
        assert Caller(sandbox, f"{scheme} {info[name]}").site("name").status_code == 200
    assert Caller(sandbox, f"Bearer {info['access_token']}").site("name").status_code == 400


def test_tokens_carry_their_checksum() -> None:
    for seed in range(20):
        keys = mint_credentials(seed)
        for token, prefix in ((keys.access_token, "lsp_"), (keys.flow_builder_token, "lsf_")):
            assert token.startswith(prefix)
            assert token[-11:] == checksum(token[4:-11])


def test_a_foreign_site(sandbox: Sandbox) -> None:
    sandbox.switch(graphql_error_paths=False)
    response = Caller(sandbox).post('{ site(id: "00000000-0000-4000-8000-000000000000") { name } }')
    assert response.status_code == 403
    assert response.json() == {
        "errors": [{"message": "You don't have access to this site"}],
        "data": {"site": None},
    }


def test_a_site_id_that_is_none(sandbox: Sandbox) -> None:
    assert Caller(sandbox).post('{ site(id: "bluelight") { name } }').status_code == 400


def test_a_field_that_is_not_allowed(sandbox: Sandbox) -> None:
    sandbox.switch(denied=["lansweeper/customFields"], graphql_error_paths=False)
    response = Caller(sandbox).site("name customFields { key }")
    assert response.status_code == 403
    assert response.json()["errors"] == [{"message": "You are not authorized to perform this action"}]
    assert response.json()["data"]["site"] == {"name": "bluelight", "customFields": None}


def test_an_unknown_graphql_field_gives_no_data(sandbox: Sandbox) -> None:
    response = Caller(sandbox).site("nmae")
    assert response.status_code == 400
    assert response.json() == {"errors": [{"message": "Cannot query field 'nmae' on type 'Site'."}]}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"query": 1}', b"not json"])
def test_a_body_that_is_no_request(sandbox: Sandbox, body: bytes) -> None:
    caller = Caller(sandbox)
    response = httpx.post(caller.info["endpoint"], content=body, headers=caller.headers, verify=NO_TLS)
    assert response.status_code == 400
    assert response.json()["errors"][0]["message"]


def test_headers_of_an_answer(sandbox: Sandbox) -> None:
    caller = Caller(sandbox)
    first, second = caller.site("name"), caller.site("name")
    assert first.headers["x-graphql-status"] == "success"
    assert first.headers["x-ratelimit-limit"] == "150"
    remaining = [int(response.headers["x-ratelimit-remaining"]) for response in (first, second)]
    assert remaining == [149, 148]
    assert first.headers["x-powered-by"] == "Express"
    assert int(first.headers["x-ratelimit-reset"]) > 1_700_000_000


def test_the_151st_call_of_a_minute_is_refused(sandbox: Sandbox) -> None:
    caller = Caller(sandbox)
    with httpx.Client(headers=caller.headers) as http:
        body = {"query": "{ authorizedSites { sites { id } } }"}
        answers = [http.post(caller.info["endpoint"], json=body) for _ in range(152)]
    assert [answer.status_code for answer in answers[148:]] == [200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "60"
    sandbox.switch(lansweeper_limits=False)
    assert caller.site("name").status_code == 200


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_any_call_restarts_the_cool_down() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    assert [limit.take() for _ in range(PER_MINUTE)] == [0.0] * PER_MINUTE
    assert limit.take() == MINUTE
    clock.now += 59
    assert limit.take() == MINUTE
    clock.now += 59
    assert limit.take() == MINUTE
    assert limit.headers()["x-ratelimit-remaining"] == "0"
    clock.now += 60
    assert limit.take() == 0.0
    assert limit.headers()["x-ratelimit-remaining"] == "149"


def test_a_window_of_a_minute_passes_without_cool_down() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    for _ in range(5):
        assert [limit.take() for _ in range(PER_MINUTE)] == [0.0] * PER_MINUTE
        clock.now += 60


def test_calls_that_count_as_several() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    assert [limit.take(50) for _ in range(4)] == [0.0, 0.0, 0.0, MINUTE]
    for _ in range(17):
        clock.now += 60
        assert limit.take(100) == 0.0
    assert limit.headers()["x-ratelimit-remaining"] == "50"
    clock.now += 60
    assert limit.take(149) == 0.0
    clock.now += 60
    assert limit.take(2) == pytest.approx(3600 - 19 * 60)


def test_2000_calls_an_hour() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    for _ in range(PER_HOUR):
        assert limit.take() == 0.0
        clock.now += 1
    assert limit.take() == pytest.approx(3600 - PER_HOUR)
    clock.now += 3600
    assert limit.take() == 0.0

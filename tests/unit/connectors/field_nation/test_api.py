"""Tokens: one log in for all, renewed in time, replaced after a refusal, never shown."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import httpx
import pytest

from connectors.errors import RejectedError, RetryableError, StopError
from connectors.field_nation.api import TokenSource, as_results, keep_tokens_out_of_logs
from connectors.field_nation.refusals import CHECK_USER
from connectors.field_nation.settings import FieldNationSettings
from connectors.http import HttpSession
from connectors.retry import RequestKind
from tests.support.fake_field_nation import SETTINGS, FakeFieldNation, order, problem

pytestmark = pytest.mark.anyio
GRANTS = ["password", "refresh_token"]


def kinds(fake: FakeFieldNation) -> list[str]:
    return [grant["grant_type"] for grant in fake.grants]


async def read(fake: FakeFieldNation, times: int, *, at_once: bool = False, **options: Any) -> None:
    fake.say("GET", "/workorders/7", *(httpx.Response(200, json=order()) for _ in range(times)))
    async with fake.client(**options) as client, anyio.create_task_group() as group:
        for _ in range(times):
            if at_once:
                group.start_soon(client.get_work_order, 7)
            else:
                await client.get_work_order(7)


async def test_many_callers_share_one_log_in() -> None:
    fake = FakeFieldNation()
    await read(fake, 8, at_once=True)
    assert kinds(fake) == ["password"]
    keys = {"client_id": SETTINGS.client_id, "client_secret": SETTINGS.client_secret}
    assert fake.grants[0] == {
        "grant_type": "password",
        **keys,
        "username": "buyer",
        "password": SETTINGS.password,
    }


async def test_a_refused_token_is_replaced_once_for_all_who_hold_it() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders/7", *(httpx.Response(200, json=order()) for _ in range(9)))
    async with fake.client() as client:
        await client.get_work_order(7)
        fake.good = set()  # it ends before its time, as after a change of password
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(client.get_work_order, 7)
        assert client.session.sent["GET /workorders/{id}"] == 9
    assert kinds(fake) == GRANTS
    assert fake.grants[1]["refresh_token"] == "refresh-token-1"
    assert "password" not in fake.grants[1]


async def test_a_refused_refresh_leads_to_a_new_log_in() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders/7", httpx.Response(200, json=order()), httpx.Response(200, json=order()))
    async with fake.client() as client:
        await client.get_work_order(7)
        fake.good = set()
        fake.login_answers = [httpx.Response(400, json={"error": "unsupported_grant_type"})]
        await client.get_work_order(7)
    assert kinds(fake) == ["password", "refresh_token", "password"]


async def test_a_token_is_renewed_before_it_ends() -> None:
    fake, clock = FakeFieldNation(expires_in=100), [0.0]
    session = HttpSession(
        system="x",
        base_url=SETTINGS.base_url,
        headers={},
        transport=httpx.MockTransport(fake.handle),
    )
    source = TokenSource(SETTINGS, session, lambda redactor: None, now=lambda: clock[0])
    async with session:
        assert await source.get() == "access-token-1"
        clock[0] = 89.0
        assert await source.get() == "access-token-1"
        clock[0] = 90.0
        assert await source.get() == "access-token-2"
    assert kinds(fake) == GRANTS


async def test_wrong_credentials_stop_with_a_remedy_and_without_secrets() -> None:
    fake = FakeFieldNation()
    words = f"No user with {SETTINGS.password} and {SETTINGS.client_secret}"
    fake.login_answers = [httpx.Response(401, json={"status_code": 401, "message": words})]
    async with fake.client() as client:
        with pytest.raises(StopError) as caught:
            await client.get_work_order(7)
    assert CHECK_USER in str(caught.value)
    assert "No user with *** and ***" in str(caught.value)
    assert fake.seen == []


async def test_a_log_in_without_a_token_stops() -> None:
    fake = FakeFieldNation()
    fake.login_answers = [httpx.Response(200, json={"token_type": "Bearer"})]
    async with fake.client() as client:
        with pytest.raises(StopError, match="without an access token"):
            await client.get_work_order(7)


async def test_a_log_in_is_repeated_after_what_can_pass() -> None:
    fake = FakeFieldNation()
    fake.login_answers = [httpx.Response(503), httpx.ReadTimeout("x")]
    await read(fake, 1)
    assert kinds(fake) == ["password"] * 3
    fake = FakeFieldNation()
    fake.login_answers = [httpx.ConnectError("x")] * 9
    async with fake.client() as client:
        with pytest.raises(RetryableError):
            await client.get_work_order(7)


async def test_a_401_with_a_new_token_is_that_records_own() -> None:
    """Older servers answer 401 for a work order that does not exist."""
    fake = FakeFieldNation()
    fake.say("GET", "/workorders/9", *(problem(401, "AUTHENTICATION_REQUIRED", "No") for _ in range(2)))
    fake.say("GET", "/templates", *(problem(401, "AUTHENTICATION_REQUIRED", "No") for _ in range(2)))
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="may not see it"):
            await client.get_work_order(9)
        with pytest.raises(StopError, match=r"chosen environment"):
            await client.send(RequestKind.READ, "GET", "/templates", as_results)


async def test_a_create_is_sent_again_after_a_401_since_nothing_was_done() -> None:
    fake = FakeFieldNation()
    fake.say("POST", "/workorders", httpx.Response(200, json=order()))
    async with fake.client() as client:
        await client._tokens.get()
        fake.good = set()
        assert (await client.create_work_order({"title": "x"}))["id"] == 7
    assert fake.paths() == ["POST /workorders"] * 2


async def test_no_log_line_and_no_error_shows_a_token(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeFieldNation()
    fake.say(
        "GET",
        "/workorders/7",
        httpx.Response(503),
        problem(400, "VALIDATION_ERROR", "bad token access-token-1 at https://x.test/a?access_token=other"),
    )
    with caplog.at_level(logging.DEBUG):
        async with fake.client() as client:
            with pytest.raises(RejectedError) as caught:
                await client.get_work_order(7)
    assert "access-token" not in str(caught.value)
    assert "access_token=other" not in str(caught.value)
    http_lines = [record for record in caplog.records if record.name == "httpx"]
    assert len(http_lines) == 2, "the token call is not logged, the others are"
    shown = caplog.text + "".join(f"{record.msg} {record.args}" for record in caplog.records)
    assert "access_token=***" in shown
    assert "access-token-1" not in shown
    assert "oauth" not in shown
    assert not any(secret in shown for secret in SETTINGS.secrets())


def test_the_filter_is_put_there_once() -> None:
    for _ in range(3):
        keep_tokens_out_of_logs()
    filters = logging.getLogger("httpx").filters
    assert [type(one).__name__ for one in filters].count("WithoutTokens") == 1


def test_nothing_shows_a_secret() -> None:
    settings = FieldNationSettings("client-x", "secret-y", "buyer", "password-z", webhook_secret="hook-w")
    assert not any(secret in repr(settings) for secret in settings.secrets())
    assert len(settings.secrets()) == 4

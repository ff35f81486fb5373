"""The shared session: retries, budget, counts, the vendor's clock, errors and what they never show."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import pytest
from prometheus_client import CollectorRegistry

from connectors.connection import TimeLimits
from connectors.errors import (
    ConnectorError,
    RejectedError,
    RetryableError,
    StopError,
    UnclearOutcomeError,
    WriteRefusedError,
)
from connectors.http import HttpSession, ServerClock
from connectors.metrics import RequestMetrics, metrics_text, values_of
from connectors.responses import Refusal
from connectors.retry import AttemptOutcome, RequestKind
from tests.support.fake_connectwise import FakeConnectWise

pytestmark = pytest.mark.anyio


KEY = "c29tZSt2ZXJ5OnNlY3JldDEyMw=="
QUERY = "secret-name"
Answer = httpx.Response | Exception


class Vendor:
    """Gives the prepared answers in turn, then refuses; remembers what it saw and what was slept."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []
        self.slept: list[float] = []

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def session(self, **options: Any) -> HttpSession:
        return HttpSession(
            system="Vendor",
            base_url="https://vendor.test",
            headers={"Authorization": f"Basic {KEY}"},
            transport=httpx.MockTransport(self.handle),
            sleep=self.sleep,
            **options,
        )


class Limiter:
    """Counts what is taken; refuses from the given number on."""

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self.taken = 0
        self.pauses: list[float] = []

    async def acquire(self) -> None:
        if self.taken >= self.limit:
            raise RetryableError("The request budget is used up", retry_after=90.0)
        self.taken += 1

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def busy(status: int = 503, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, json={"message": "later"})


def done() -> httpx.Response:
    return httpx.Response(200, json={"id": 1})


async def error_of(
    vendor: Vendor, kind: RequestKind, *, method: str = "POST", **options: Any
) -> ConnectorError:
    async with vendor.session(**options) as session:
        with pytest.raises(ConnectorError) as caught:
            await session.request_json(kind, method, "/things", params={"conditions": QUERY}, json={})
    return caught.value


@pytest.mark.parametrize("trouble", [busy(), busy(500), httpx.ReadTimeout("x"), httpx.ConnectError("x")])
@pytest.mark.parametrize("kind", [RequestKind.READ, RequestKind.MODIFY])
async def test_reads_and_modifications_are_repeated(kind: RequestKind, trouble: Answer) -> None:
    vendor = Vendor(trouble, trouble, done())
    async with vendor.session() as session:
        assert await session.request_json(kind, "PUT", "/things", json=[1]) == {"id": 1}
    assert len(vendor.seen) == 3
    assert [request.content for request in vendor.seen] == [b"[1]"] * 3


@pytest.mark.parametrize(
    "trouble", [busy(), busy(500), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")]
)
async def test_a_create_of_unclear_outcome_is_never_repeated(trouble: Answer) -> None:
    vendor = Vendor(trouble, done())
    error = await error_of(vendor, RequestKind.CREATE)
    assert isinstance(error, UnclearOutcomeError)
    assert "read what exists before sending it again" in str(error)
    assert len(vendor.seen) == 1


@pytest.mark.parametrize("trouble", [busy(429, Retry_After="2"), httpx.ConnectError("x")])
async def test_a_create_that_was_not_begun_is_repeated(trouble: Answer) -> None:
    vendor = Vendor(trouble, done())
    async with vendor.session() as session:
        await session.request(RequestKind.CREATE, "POST", "/things", json={})
    assert len(vendor.seen) == 2


async def test_giving_up_names_the_place_and_may_be_tried_later() -> None:
    error = await error_of(Vendor(*[busy(502)] * 4), RequestKind.READ, method="GET")
    assert isinstance(error, RetryableError)
    assert (error.system, error.method, error.path, error.status) == ("Vendor", "GET", "/things", 502)


async def test_a_short_wait_that_the_vendor_asks_for_is_kept_and_told_to_all() -> None:
    vendor, limiter = Vendor(busy(429, Retry_After="7"), done()), Limiter()
    async with vendor.session(rate_limiter=limiter) as session:
        await session.request(RequestKind.READ, "GET", "/things")
    assert vendor.slept == [7.0]
    assert limiter.pauses == [7.0]


async def test_a_long_wait_is_left_to_the_caller() -> None:
    vendor, limiter = Vendor(busy(429, Retry_After="300")), Limiter()
    error = await error_of(vendor, RequestKind.READ, rate_limiter=limiter)
    assert isinstance(error, RetryableError)
    assert error.retry_after == 300.0
    assert (vendor.slept, limiter.pauses) == ([], [300.0])


async def test_short_waits_of_one_call_add_up_to_a_minute_at_most() -> None:
    vendor = Vendor(*[busy(429, Retry_After="25") for _ in range(8)])
    error = await error_of(vendor, RequestKind.READ)
    assert isinstance(error, RetryableError)
    assert vendor.slept == [25.0, 25.0]


async def test_each_try_takes_from_the_budget() -> None:
    vendor, limiter = Vendor(busy(), busy(), done()), Limiter()
    async with vendor.session(rate_limiter=limiter) as session:
        await session.request(RequestKind.READ, "GET", "/things")
    assert limiter.taken == 3


async def test_nothing_is_sent_beyond_the_budget() -> None:
    vendor, limiter = Vendor(busy(), done()), Limiter(limit=1)
    async with vendor.session(rate_limiter=limiter) as session:
        with pytest.raises(RetryableError, match="budget is used up"):
            await session.request(RequestKind.READ, "GET", "/things")
        assert session.requests == 1
    assert len(vendor.seen) == 1


async def test_requests_are_counted_by_template() -> None:
    vendor = Vendor(busy(), done(), done())
    async with vendor.session() as session:
        await session.request(RequestKind.READ, "GET", "/things/7", template="/things/{id}")
        await session.request(RequestKind.MODIFY, "PUT", "/things", json=[])
        assert session.sent == {"GET /things/{id}": 2, "PUT /things": 1}
        assert (session.requests, session.writes) == (3, 1)


@pytest.mark.parametrize("kind", [RequestKind.CREATE, RequestKind.MODIFY])
async def test_a_session_for_reading_sends_no_write(kind: RequestKind) -> None:
    vendor = Vendor()
    error = await error_of(vendor, kind, read_only=True)
    assert isinstance(error, WriteRefusedError)
    assert vendor.seen == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, RejectedError), (404, RejectedError), (401, StopError), (403, StopError), (302, StopError)],
)
async def test_a_definite_no_is_asked_for_once(status: int, expected: type[ConnectorError]) -> None:
    vendor = Vendor(httpx.Response(status, headers={"Location": "https://elsewhere.test"}, text="no"))
    error = await error_of(vendor, RequestKind.READ)
    assert type(error) is expected
    assert len(vendor.seen) == 1


async def test_a_gateways_page_does_not_hide_the_status() -> None:
    page = "<html><head><title>Bad\n gateway</title></head><body>x</body></html>"
    error = await error_of(Vendor(*[httpx.Response(502, html=page)] * 4), RequestKind.READ)
    assert error.status == 502
    assert error.message == "Bad gateway"


@pytest.mark.parametrize(
    ("kind", "expected"), [(RequestKind.READ, StopError), (RequestKind.CREATE, UnclearOutcomeError)]
)
async def test_a_login_page_instead_of_json_is_an_error(
    kind: RequestKind, expected: type[ConnectorError]
) -> None:
    error = await error_of(Vendor(httpx.Response(200, html="<html><title>Log in</title></html>")), kind)
    assert type(error) is expected
    assert "Log in" in str(error)


async def test_an_empty_answer_is_none() -> None:
    vendor = Vendor(httpx.Response(204))
    async with vendor.session() as session:
        assert await session.request_json(RequestKind.MODIFY, "DELETE", "/things/1") is None


async def test_a_client_may_read_a_refusal_out_of_a_2xx() -> None:
    def read(response: httpx.Response) -> Refusal | None:
        wait = response.json().get("wait")
        return Refusal("slow down", outcome=AttemptOutcome.RATE_LIMITED, retry_after=wait) if wait else None

    vendor = Vendor(httpx.Response(200, json={"wait": 3}), done())
    async with vendor.session(read_error=read) as session:
        assert await session.request_json(RequestKind.CREATE, "POST", "/graphql", json={}) == {"id": 1}
    assert vendor.slept == [3]


def leaks(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if KEY in text or QUERY in text]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"message": f"bad header Basic {KEY} at https://vendor.test/x?a={QUERY}"}),
        httpx.LocalProtocolError(f"Illegal header value b'Basic {KEY}'"),
        httpx.Response(200, text=f"your key is {KEY}"),
    ],
)
async def test_no_error_and_no_log_line_shows_a_secret(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="connectors")
    error = await error_of(Vendor(busy(), answer), RequestKind.MODIFY)
    shown = [str(error), repr(error), repr(error.__dict__), *traceback.format_exception(error)]
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("connectors")]
    assert logged
    assert leaks([*shown, *logged]) == []


async def test_a_session_never_shows_its_headers() -> None:
    async with Vendor().session() as session:
        assert leaks([repr(session), str(session)]) == []


@pytest.mark.parametrize("value", ["Basic abc\ndef", "Basic schlüssel"])
def test_a_mangled_header_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(StopError, match="Authorization header") as caught:
        HttpSession(system="Vendor", base_url="https://vendor.test", headers={"Authorization": value})
    assert value not in str(caught.value)


async def test_no_more_requests_than_allowed_are_in_flight() -> None:
    flying, most = 0, 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await anyio.sleep(0.01)
        flying -= 1
        return done()

    options: dict[str, Any] = {"transport": httpx.MockTransport(handle), "concurrency": 3}
    session = HttpSession(system="V", base_url="https://vendor.test", headers={}, **options)
    async with session, anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(session.request, RequestKind.READ, "GET", "/things")
    assert most == 3


async def test_an_answer_that_only_trickles_in_is_ended_and_not_tried_again() -> None:
    seen = []

    async def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        await anyio.sleep(30)
        return done()

    options: dict[str, Any] = {"transport": httpx.MockTransport(handle), "limits": TimeLimits(whole=0.02)}
    async with HttpSession(system="V", base_url="https://vendor.test", headers={}, **options) as session:
        with pytest.raises(UnclearOutcomeError, match="no answer came to its end in time"):
            await session.request(RequestKind.CREATE, "POST", "/things", json={})
        for kind, method in ((RequestKind.READ, "GET"), (RequestKind.MODIFY, "PATCH")):
            with pytest.raises(RetryableError, match="no answer came to its end in time"):
                await session.request(kind, method, "/things")
    assert seen == ["POST", "GET", "PATCH"]


async def test_every_request_has_time_limits() -> None:
    vendor = Vendor(done())
    async with vendor.session() as session:
        await session.request(RequestKind.READ, "GET", "/things")
    assert vendor.seen[0].extensions["timeout"] == {"connect": 10, "read": 60, "write": 30, "pool": 30}


@pytest.mark.parametrize(
    "url", ["https://vendor.test/", "http://127.0.0.1:8", "http://localhost", "http://[::1]:8"]
)
async def test_addresses_that_are_taken(url: str) -> None:
    async with HttpSession(system="V", base_url=url, headers={}) as session:
        assert not str(session.base_url).endswith("/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "vendor.test",
        "http://vendor.test",
        "ftp://vendor.test",
        "https://u:p@vendor.test",
        "https://v?x=1",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(StopError, match="The address of V"):
        HttpSession(system="V", base_url=url, headers={})


NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_without_an_answer_it_is_our_own() -> None:
    clock = ServerClock(lambda: NOON)
    for header in (None, "", "soon", "Mon, 99 May 2026 11:00:00 GMT"):
        clock.update(header)
    assert clock.now() == NOON


def test_it_goes_on_from_the_newest_answer() -> None:
    own = [NOON]
    clock = ServerClock(lambda: own[-1])
    clock.update("Mon, 04 May 2026 13:00:00 GMT")
    clock.update("Mon, 04 May 2026 11:00:00 GMT")
    own.append(NOON + timedelta(minutes=5))
    assert clock.now() == datetime(2026, 5, 4, 11, 5, tzinfo=UTC)


@pytest.mark.anyio
async def test_every_answer_of_a_client_tells_it() -> None:
    vendor = FakeConnectWise()
    answer = httpx.Response(200, json=[], headers={"Link": "", "Date": "Mon, 04 May 2026 11:00:00 GMT"})
    vendor.say("GET", "/company/companies", answer)
    async with vendor.client() as client:
        await client.companies.list()
        assert abs(client.session.clock.now() - datetime(2026, 5, 4, 11, tzinfo=UTC)) < timedelta(minutes=1)


async def test_each_try_and_each_wait_for_the_limit_is_measured_under_words_that_are_few() -> None:
    registry = CollectorRegistry()
    vendor = Vendor(busy(429), busy(503), done(), httpx.Response(404, json={"message": QUERY}))
    async with vendor.session(metrics=RequestMetrics(registry), rate_limiter=Limiter(4)) as session:
        await session.request(RequestKind.READ, "GET", "/things/7", params={"conditions": QUERY})
        with pytest.raises(RejectedError):
            await session.request(RequestKind.MODIFY, "PATCH", "/things/7", json={})
        with pytest.raises(RetryableError):
            await session.request(RequestKind.READ, "GET", "/things/8")
    values = values_of(registry.collect())
    tried = {
        (labels["kind"], labels["outcome"]): value
        for (name, pairs), value in values.items()
        if name == "connectwise_flows_request_seconds_count" and (labels := dict(pairs))
    }
    assert tried == {
        ("read", "rate limited"): 1,
        ("read", "server error"): 1,
        ("read", "accepted"): 1,
        ("modify", "refused"): 1,
    }
    assert values["connectwise_flows_rate_limit_wait_seconds_count", (("vendor", "Vendor"),)] == 5
    text = metrics_text(registry.collect())
    assert not [secret for secret in (QUERY, KEY, "/things", "vendor.test") if secret in text]

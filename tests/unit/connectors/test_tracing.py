"""A span tells a request's route, outcome and retries, and nothing that is a customer's or a secret."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from connectors import tracing
from connectors.errors import RejectedError
from connectors.http import HttpSession
from connectors.retry import RequestKind

pytestmark = pytest.mark.anyio

SECRET = "c29tZSt2ZXJ5OnNlY3JldDEyMw=="


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is recorded through a provider of this test alone; the process keeps having none."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "TRACER", provider.get_tracer("test"))
    return exporter


def session_of(answers: Sequence[httpx.Response], seen: list[httpx.Request]) -> HttpSession:
    waiting = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return waiting.pop(0)

    async def sleep(_: float) -> None:
        pass

    return HttpSession(
        system="Vendor",
        base_url="https://vendor.test",
        headers={"Authorization": f"Basic {SECRET}"},
        transport=httpx.MockTransport(handle),
        sleep=sleep,
    )


def all_of(span: ReadableSpan) -> str:
    text: str = span.to_json()
    return text


async def test_one_span_a_call_with_its_tries(spans: InMemorySpanExporter) -> None:
    seen: list[httpx.Request] = []
    busy = httpx.Response(503, json={"message": "later"})
    async with session_of([busy, busy, httpx.Response(200, json={"id": 7})], seen) as session:
        await session.request(
            RequestKind.READ,
            "GET",
            "/things/4711",
            root="/v4",
            template="/things/{id}",
            params={"access_token": "abcdef123456", "conditions": "name='Blue Light'"},
        )
    [span] = spans.get_finished_spans()
    assert (span.name, span.kind, span.status.status_code) == (
        "GET /things/{id}",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "url.template": "/things/{id}",
        "server.address": "vendor.test",
        "connectwise_flows.vendor": "Vendor",
        "connectwise_flows.kind": "read",
        "connectwise_flows.outcome": "accepted",
        "http.response.status_code": 200,
        "http.request.resend_count": 2,
    }
    assert [(each.name, (each.attributes or {})["outcome"]) for each in span.events] == [
        ("retry", "server error")
    ] * 2
    assert [each for each in ("4711", "abcdef123456", "Blue", SECRET) if each in all_of(span)] == []
    assert not [name for request in seen for name in request.headers if name in ("traceparent", "baggage")]


async def test_a_refusal_is_told_by_its_type_and_a_path_without_a_route_by_its_form(
    spans: InMemorySpanExporter,
) -> None:
    refused = httpx.Response(400, json={"message": "No company named Blue Light"})
    async with session_of([refused], []) as session:
        with pytest.raises(RejectedError):
            await session.request(RequestKind.CREATE, "POST", "/things/4711/parts", json={"name": "Blue"})
    [span] = spans.get_finished_spans()
    assert span.name == "POST /things/{id}/parts"
    assert span.status.status_code is StatusCode.ERROR
    told = dict(span.attributes or {})
    assert (told["error.type"], told["http.response.status_code"]) == ("RejectedError", 400)
    assert span.events == ()
    assert [each for each in ("4711", "Blue") if each in all_of(span)] == []


async def test_without_a_provider_nothing_is_recorded() -> None:
    async with session_of([httpx.Response(200, json={})], []) as session:
        await session.request(RequestKind.READ, "GET", "/things")
    with tracing.TRACER.start_as_current_span("any") as span:
        assert not span.is_recording()

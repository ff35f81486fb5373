"""OpenTelemetry spans of requests to the vendors; nothing is recorded where the process has no provider.

Only the interface of OpenTelemetry is used: whoever runs the process chooses provider and exporter
(docs/operations.md). A span never holds an id, a query, a body or a header, and none of it goes to a vendor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode

from connectors.responses import Call, FailedAttempt, outcome_of, route_of

TRACER = trace.get_tracer("connectwise_flows")
"""Of the provider that is set later, too."""


class RequestSpan:
    """The span of one call: all tries of a request, with the waits before and between them."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def add_try(self, attempt: int, answer: httpx.Response | FailedAttempt) -> None:
        """A try, counted from 1, ended so."""
        status = answer.status if isinstance(answer, FailedAttempt) else answer.status_code
        self._span.set_attribute("connectwise_flows.outcome", str(outcome_of(answer)))
        self._span.set_attribute("http.request.resend_count", attempt - 1)
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)

    def add_pause(self, failure: FailedAttempt, seconds: float) -> None:
        """It is tried again after so long."""
        self._span.add_event("retry", {"outcome": str(failure.outcome), "seconds": seconds})


@contextmanager
def request_span(call: Call, host: str, template: str | None) -> Iterator[RequestSpan]:
    """A client's span for the call, named by method and route; it tells an error by its type alone."""
    route = template or route_of(call.path)
    attributes = {
        "http.request.method": call.method,
        "url.template": route,
        "server.address": host,
        "connectwise_flows.vendor": call.system,
        "connectwise_flows.kind": str(call.kind),
    }
    with TRACER.start_as_current_span(
        f"{call.method} {route}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        # The text of an error may quote an answer.
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield RequestSpan(span)
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise

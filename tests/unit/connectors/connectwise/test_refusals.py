"""ConnectWise's refusals: the recorded bodies, and what a person is told to do about each."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.connectwise import refusals
from connectors.connectwise.refusals import read_connectwise_refusal
from connectors.errors import ConnectorError, ErrorDetail, RejectedError, RetryableError, StopError
from tests.support.fake_connectwise import SETTINGS, FakeConnectWise, refusal

pytestmark = pytest.mark.anyio

LIST = "/company/configurations"


async def list_error(answer: httpx.Response) -> ConnectorError:
    fake = FakeConnectWise()
    fake.say("GET", LIST, *[answer] * 4)
    async with fake.client() as client:
        with pytest.raises(ConnectorError) as caught:
            await client.configurations.list()
    return caught.value


async def test_the_vendors_code_message_and_fields_are_kept() -> None:
    fake = FakeConnectWise()
    detail = {
        "code": "MissingRequiredField",
        "message": "The type field is required.",
        "resource": "configuration",
        "field": "type",
    }
    answer = refusal(400, "InvalidObject", "configuration object is invalid", [detail])
    fake.say("POST", LIST, answer)
    async with fake.client() as client:
        with pytest.raises(RejectedError) as caught:
            await client.configurations.create({"name": "x"})
    error = caught.value
    assert (error.status, error.code) == (400, "InvalidObject")
    assert error.details == (ErrorDetail("The type field is required", "MissingRequiredField", "type"),)
    assert str(error) == (
        "configuration object is invalid (type: The type field is required) "
        "at ConnectWise PSA POST /company/configurations [400 InvalidObject]"
    )


@pytest.mark.parametrize(
    ("answer", "kind", "remedy"),
    [
        (
            httpx.Response(400, text="Cannot route. Codebase/company is invalid"),
            StopError,
            refusals.CHECK_COMPANY,
        ),
        (refusal(400, "Security", "SSL is required."), StopError, refusals.CHECK_SITE),
        (refusal(401, "Unauthorized", "Invalid or missing ClientID"), StopError, refusals.CHECK_CLIENT_ID),
        (refusal(403, "Forbidden", "The client Id header is required."), StopError, refusals.CHECK_CLIENT_ID),
        (refusal(401, "ConnectWiseApi", "UserNotAuthenticated"), StopError, refusals.CHECK_KEYS),
        (refusal(403, "Security", "You do not have security permission."), StopError, refusals.CHECK_RIGHTS),
        (httpx.Response(404, html="<html><title>404</title></html>"), StopError, refusals.CHECK_KEYS),
        (
            refusal(400, "ApiFindCondition", "a is not a recognized name."),
            RejectedError,
            refusals.CHECK_FIELDS,
        ),
        (httpx.Response(414, text="URI too long"), RejectedError, refusals.SHORTEN),
        (refusal(404, "ConnectWiseApi", "The endpoint does not exist."), StopError, refusals.CHECK_KEYS),
        (refusal(500, "ConnectWiseApi", "A fault"), RetryableError, ""),
        (httpx.Response(302, headers={"Location": "https://x.test"}), StopError, refusals.CHECK_SITE),
    ],
)
async def test_each_refusal_has_its_kind_and_remedy(
    answer: httpx.Response, kind: type[ConnectorError], remedy: str
) -> None:
    error = await list_error(answer)
    assert (type(error), error.remedy) == (kind, remedy)


@pytest.mark.parametrize("number", [57919, -1])
async def test_a_missing_record_concerns_only_itself(number: int) -> None:
    fake = FakeConnectWise()
    fake.say("GET", f"{LIST}/{number}", refusal(404, "NotFound", f"Configuration {number} not found"))
    async with fake.client() as client:
        with pytest.raises(RejectedError, match=f"{number} not found") as caught:
            await client.configurations.get(number)
    assert caught.value.remedy == ""


@pytest.mark.parametrize("company", ["bluelight", "12345"])
def test_a_company_that_is_not_found_is_no_missing_record(company: str) -> None:
    request = httpx.Request("GET", f"https://x.test/login/companyinfo/{company}")
    read = read_connectwise_refusal(httpx.Response(404, text="no", request=request))
    assert read is not None
    assert (read.error, read.remedy) == (StopError, refusals.CHECK_COMPANY)


async def test_too_many_requests_name_their_code_under_another_member() -> None:
    body = {"error": "ConnectWiseAPI", "message": "Too many requests. Please try again in 90 seconds."}
    error = await list_error(httpx.Response(429, json=body, headers={"Retry-After": "90"}))
    assert isinstance(error, RetryableError)
    assert (error.code, error.retry_after) == ("ConnectWiseAPI", 90.0)


async def test_a_key_that_the_vendor_echoes_is_masked() -> None:
    text = f"Unknown key {SETTINGS.private_key} of {SETTINGS.public_key}"
    error = await list_error(refusal(401, "Unauthorized", text, [{"message": text, "field": "key"}]))
    assert error.message == "Unknown key *** of ***"
    assert error.details == (ErrorDetail("Unknown key *** of ***", field="key"),)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["code", "message", "error", "errors", "field"]), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([301, 400, 401, 404, 409, 418, 429, 500]))
def test_no_body_makes_the_reading_fail(body: Any, status: int) -> None:
    request = httpx.Request("GET", "https://x.test/v4_6_release/apis/3.0/company/configurations")
    read = read_connectwise_refusal(httpx.Response(status, json=body, request=request))
    assert read is not None
    assert read.message or read.code


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reading_fail(body: bytes) -> None:
    request = httpx.Request("GET", "https://x.test/a")
    read = read_connectwise_refusal(httpx.Response(502, content=body, request=request))
    assert read is not None
    assert read.message

"""The one reader of answers: limits on bytes, values and depth, packing, charsets, redirects, odd headers."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from connectors import answers
from connectors.answers import NotJsonError, parse_json, text_of
from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError, UnclearOutcomeError
from connectors.http import HttpSession, ServerClock, whole_body
from connectors.responses import html_words, one_line, words_of
from connectors.retry import LONGEST_RETRY_AFTER, RequestKind, retry_after_seconds
from connectors.shapes import as_number, as_objects

pytestmark = pytest.mark.anyio


async def no_sleep(seconds: float) -> None:
    """Waits for nothing."""


async def outcome(
    answer: httpx.Response,
    kind: RequestKind = RequestKind.READ,
    parse: Callable[[Any], Any] = whole_body,
    path: str = "/things",
    **options: Any,
) -> Any:
    """What a read of that answer brings: a value, or the connector's error. Anything else goes through."""
    transport = httpx.MockTransport(lambda request: answer)
    session = HttpSession(
        system="Vendor",
        base_url="https://vendor.example",
        headers={},
        transport=transport,
        sleep=no_sleep,
        **options,
    )
    async with session:
        try:
            return await session.read(kind, "POST" if kind is RequestKind.CREATE else "GET", path, parse)
        except ConnectorError as error:
            return error


class Wire(httpx.AsyncByteStream):
    """Content as it is sent: content given at once would be unpacked by the library."""

    def __init__(self, content: bytes, step: int) -> None:
        self.content = content
        self.step = step

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), self.step):
            yield self.content[start : start + self.step]


def packed(content: bytes, coding: str, step: int = 65_536) -> httpx.Response:
    return httpx.Response(200, headers={"Content-Encoding": coding}, stream=Wire(content, step))


async def test_packed_answers_are_read() -> None:
    raw = zlib.compressobj(wbits=-15)
    plain = b'{"id": 1}'
    assert await outcome(packed(gzip.compress(plain, mtime=0), "gzip")) == {"id": 1}
    assert await outcome(packed(gzip.compress(plain, mtime=0), " GZIP ")) == {"id": 1}
    assert await outcome(packed(zlib.compress(plain), "deflate")) == {"id": 1}
    assert await outcome(packed(raw.compress(plain) + raw.flush(), "deflate")) == {"id": 1}
    assert await outcome(packed(plain, "identity")) == {"id": 1}


def members(*parts: bytes) -> bytes:
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


@pytest.mark.parametrize(
    "content",
    [
        members(b'{"id"', b": 1}"),
        members(b"", b'{"id": 1}', b"", b""),
        members(b'{"id": 1}') + b"\0" * 512,
        members(b'{"id": 1}') + b"padding" + members(b", 2"),
    ],
    ids=["two", "empty ones", "zeros behind", "padding behind"],
)
@pytest.mark.parametrize("step", [1, 7, 65_536])
async def test_gzip_of_several_parts_is_read_to_its_end(content: bytes, step: int) -> None:
    assert await outcome(packed(content, "gzip", step)) == {"id": 1}


async def test_the_last_of_several_parts_must_be_whole_too() -> None:
    cut = await outcome(packed(members(b'{"id": 1}', b" ")[:-3], "gzip"))
    assert isinstance(cut, RetryableError)
    assert "breaks off" in str(cut)


async def test_packed_parts_without_end_stop() -> None:
    began = time.process_time()
    error = await outcome(packed(members(b"[]") + members(b"") * 500_000, "gzip"))
    assert isinstance(error, StopError)
    assert "has more than 1,000 packed parts" in str(error)
    assert time.process_time() - began < 2


async def test_an_answer_that_unpacks_to_many_times_its_size_stops_at_the_limit() -> None:
    squeeze = zlib.compressobj(level=1, wbits=31)
    blanks = b" " * 10_000_000
    bomb = b"".join(squeeze.compress(blanks) for _ in range(4)) + squeeze.flush()
    began = time.process_time()
    error = await outcome(packed(bomb, "gzip"))
    assert isinstance(error, StopError)
    assert "too large: it has more than 32,000,000 bytes" in str(error)
    assert "Vendor GET /things" in str(error)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("content", "coding", "words"),
    [
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "gzip, gzip", "packed as 'gzip, gzip'"),
        (b"{}", "br", "packed as 'br', which was not asked for"),
        (b"{}", "zstd", "packed as 'zstd'"),
        (b"{}", "gzip", "not gzip, as it says"),
        (gzip.compress(b'{"id": 1}' * 99, mtime=0)[:-12], "gzip", "breaks off"),
    ],
)
async def test_what_cannot_be_unpacked_is_damaged(content: bytes, coding: str, words: str) -> None:
    assert isinstance(error := await outcome(packed(content, coding)), RetryableError)
    assert words in str(error)
    assert isinstance(await outcome(packed(content, coding), RequestKind.CREATE), UnclearOutcomeError)


async def test_a_large_plain_answer_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers.read_answer, "__defaults__", (1000,))
    assert "more than 1,000 bytes" in str(await outcome(httpx.Response(200, content=b" " * 1001)))
    assert await outcome(httpx.Response(200, content=b" " * 997 + b"[1]")) == [1]
    error = await outcome(httpx.Response(200, content=b" " * 1001), RequestKind.CREATE)
    assert isinstance(error, UnclearOutcomeError)


async def test_an_answer_in_far_too_many_chunks_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_CHUNKS", 100)
    whole = b" " * 97 + b"[1]"
    assert await outcome(httpx.Response(200, stream=Wire(whole, 1))) == [1]
    error = await outcome(httpx.Response(200, stream=Wire(b" " + whole, 1)))
    assert "came in more than 100 chunks" in str(error)


async def test_a_large_refusal_is_read_in_part() -> None:
    error = await outcome(httpx.Response(400, text="No such field. " * 100_000))
    assert isinstance(error, RejectedError)
    assert str(error).startswith("No such field.")
    assert len(str(error)) < 700


async def test_more_values_than_any_page_has_are_not_made_objects_of() -> None:
    content = b"[" + b"[]," * (answers.MOST_VALUES + 1) + b"[]]"
    assert "more than 1,000,000 values" in str(await outcome(httpx.Response(200, content=content)))


@pytest.mark.parametrize(
    ("depth", "words"),
    [
        (255, "nested too deep"),
        (950, "nested too deep"),
        (1024, "nested too deep"),
        (1025, "depth limit exceeded"),
        (100_000, "depth limit exceeded"),
    ],
)
async def test_deep_json_is_refused(depth: int, words: str) -> None:
    error = await outcome(httpx.Response(200, content=b"[" * depth + b"]" * depth))
    assert isinstance(error, StopError)
    assert words in str(error)


async def test_as_deep_as_an_answer_may_be_its_values_can_be_put_into_words() -> None:
    found = await outcome(httpx.Response(200, content=b'{"a":' * 254 + b"1" + b"}" * 254))
    assert isinstance(found, dict)
    assert str(found).count("{") == 254


async def test_brackets_in_a_text_are_no_depth() -> None:
    assert await outcome(httpx.Response(200, json=["[" * 1000])) == ["[" * 1000]


@pytest.mark.parametrize(
    ("content", "content_type", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": "caf\xe9"}', "application/json; charset=iso-8859-1", {"a": "café"}),
        (b'{"a": "caf\xe9"}', "application/json; charset = 'Windows-1252'", {"a": "café"}),
        (rb'{"a": "x\u0000y \\u0000 \\\u0000"}', "application/json", {"a": "xy \\u0000 \\"}),
        (rb'{"a": "cut \ud83d"}', "application/json", {"a": "cut \ufffd"}),
        (rb'{"a": "\ude00 and \ud83d\ude00"}', "application/json", {"a": "\ufffd and 😀"}),
        (rb'{"a": "\\ud83d \ud83d"}', "application/json", {"a": "\\ud83d \ufffd"}),
        (b'{"a": 1}', "text/html; charset=rot13", {"a": 1}),
        (b'{"a": 1}', "charset=idna; charset=" + "x" * 9000, {"a": 1}),
    ],
)
def test_json_is_read_whatever_the_answer_says_of_itself(
    content: bytes, content_type: str, value: Any
) -> None:
    assert parse_json(httpx.Response(200, content=content, headers={"Content-Type": content_type})) == value


@pytest.mark.parametrize(
    "content", [b'{"a": "caf\xe9"}', b'{"a": NaN}', b'{"a": 1e400}', b'{"a": 1', b"1" * 5000]
)
def test_what_is_no_json_is_an_error_and_never_mended_into_another_text(content: bytes) -> None:
    with pytest.raises(NotJsonError):
        parse_json(httpx.Response(200, content=content))


@pytest.mark.parametrize("charset", ["rot13", "idna", "hex", "undefined", "utf-7", "", "x" * 5000, "utf-16"])
def test_a_false_charset_is_no_error(charset: str) -> None:
    answer = httpx.Response(
        400, content=b"No \xff such", headers={"Content-Type": f"text/plain; charset={charset}"}
    )
    assert text_of(answer)
    assert words_of(answer)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    ["javascript:1", "http://[::1", "https://u:secret@other.example/", "", "//", "\x00", "x" * 9000],
)
async def test_no_redirect_is_followed_or_parsed(status: int, location: str) -> None:
    seen = []
    session = HttpSession(
        system="Vendor",
        base_url="https://vendor.example",
        headers={},
        transport=httpx.MockTransport(
            lambda request: seen.append(request) or httpx.Response(status, headers={"Location": location})
        ),
    )
    async with session:
        with pytest.raises(StopError, match=f"Vendor GET /x .{status}") as caught:
            await session.request(RequestKind.READ, "GET", "/x")
    assert len(seen) == 1
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [100, 101, 199, 600, 999])
async def test_a_status_that_is_no_final_one_is_no_answer(status: int) -> None:
    assert isinstance(await outcome(httpx.Response(status)), RetryableError)
    assert isinstance(await outcome(httpx.Response(status), RequestKind.CREATE), UnclearOutcomeError)


async def test_no_cookie_goes_out_again() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={}, headers={"Set-Cookie": f"c{len(seen)}={'x' * 500}; Path=/"})

    session = HttpSession(
        system="Vendor", base_url="https://vendor.example", headers={}, transport=httpx.MockTransport(answer)
    )
    async with session:
        for _ in range(3):
            await session.request(RequestKind.READ, "GET", "/x")
    assert not any("cookie" in request.headers for request in seen)


async def test_a_reading_that_fails_is_the_error_of_its_vendor_and_request() -> None:
    def fail(answer: Any) -> Any:
        return answer.body["rows"][3].get("id")

    unread = httpx.Response(200, json={"rows": ["secret text"]})
    error = await outcome(unread, parse=fail)
    assert isinstance(error, StopError)
    assert "not of the documented form" in str(error)
    assert "Vendor GET /things [200]" in str(error)
    assert error.__context__ is None
    of_one = await outcome(unread, parse=fail, path="/things/7")
    assert isinstance(of_one, RejectedError)
    assert isinstance(await outcome(unread, RequestKind.CREATE, fail), UnclearOutcomeError)


async def test_an_answer_that_holds_secrets_of_its_own_is_never_quoted() -> None:
    for content in (
        b'{"access_token": "tellno1Canary", "expires_in": 36',
        b'"tellno1Canary"',
        b"tellno1Canary",
    ):
        error = await outcome(
            httpx.Response(200, content=content), parse=lambda a: as_number(a.body, "x"), quotes_answers=False
        )
        assert isinstance(error, StopError)
        assert "Canary" not in str(error)


@pytest.mark.parametrize("answer", [None, 1, "x", {}, [1], [{}, None]])
def test_records_are_objects(answer: Any) -> None:
    with pytest.raises(ValueError, match="should be"):
        as_objects(answer, "the list")


@pytest.mark.parametrize("value", [None, True, "", "x", "１", "9" * 5000, -1, 1.5, 1e300, [], 2**63])
def test_no_number(value: Any) -> None:
    with pytest.raises(ValueError, match="should be a whole number") as caught:
        as_number(value, "the count")
    assert len(str(caught.value)) < 200


def test_headers_are_believed_within_reason() -> None:
    assert retry_after_seconds("1e308") == LONGEST_RETRY_AFTER
    assert retry_after_seconds("9" * 5000) is None or retry_after_seconds("9" * 5000) == LONGEST_RETRY_AFTER
    assert retry_after_seconds("nan") is None
    assert retry_after_seconds("Fri, 01 Jan 9999 00:00:00 GMT") == LONGEST_RETRY_AFTER
    clock = ServerClock()
    for date in ("1" * 5000, "Mon, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1200", "\x00"):
        clock.update(date)
        assert abs((clock.now() - ServerClock().now()).total_seconds()) < 5


@pytest.mark.parametrize(
    "part", ["<!--", "<title", "<title>", "<script>", "<", "<a href='", "</", "<style ", "&#"]
)
def test_a_page_is_read_in_one_pass(part: str) -> None:
    page = "<html>" + part * (100_000 // len(part))
    began = time.process_time()
    html_words(page)
    assert time.process_time() - began < 0.5


def test_the_words_of_a_page() -> None:
    page = "<html><head><style>x</style></head><!-- <b> --><h1>Sorry</h1><script>y</script> later &amp; now"
    assert html_words(page).split() == ["Sorry", "later", "&", "now"]
    assert html_words("<html><title a='b'> Bad  gateway </title><p>x").split() == ["Bad", "gateway"]
    assert html_words("<html>1 < 2").split() == ["1", "2"]


def test_any_value_is_one_short_line() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    for value in (deep, {"a": "x" * 10**6}, "x" * 10**6, list(range(10**6)), None, 1e300):
        assert len(one_line(value)) <= 500

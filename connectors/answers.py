"""Reads an answer off the wire within limits, and its body as JSON, so that memory and time are bounded.

An answer is unpacked here and not by the HTTP library, which unpacks a chunk whole: three megabytes can stand
for a gigabyte. Only what was asked for is unpacked (gzip, deflate), once, and never beyond the limit. Of a
refusal the first part is enough; an accepted answer is whole or an error.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterable, Iterator
from typing import Any, cast

import httpx
import orjson

LARGEST_ANSWER = 32_000_000
"""Bytes of an accepted answer, as sent and unpacked: several times what the vendors' largest pages have."""
LARGEST_REFUSAL = 200_000
"""Bytes of a refusal that are read; a person is told a few hundred of them."""
MOST_CHUNKS = 200_000
"""In which an answer comes: each costs time, and a server that answers at all sends some thousand bytes."""
MOST_VALUES = 1_000_000
"""Values in one answer; a page of 1,000 whole records has some 300,000. Small ones take far more memory as
objects than as text, so that the limit on bytes alone would not do."""
DEEPEST = 254
"""Levels of lists and objects in one answer. The parser takes 1,024, on which Python's own functions, such as
``str``, end with a RecursionError; orjson writes so many and no more."""
ACCEPTED_CODINGS = "gzip, deflate"
"""What the request asks for as Accept-Encoding, and all that is unpacked."""
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_RAW_DEFLATE = -15
_GZIP = b"\x1f\x8b"
_MOST_PARTS = 1000
"""Of one packed answer: each costs time, and an empty one has twenty bytes."""
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_LATIN = frozenset({"iso-8859-1", "iso8859-1", "latin-1", "latin1", "windows-1252", "cp1252"})
_BOM = b"\xef\xbb\xbf"
_NUL = b"\\u0000"
# An escaped backslash and a whole pair are matched so as to be passed over.
_NULS = re.compile(rb"\\\\|(\\u0000)")
_SURROGATES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


class AnswerTooLargeError(Exception):
    """An accepted answer is over a limit; the text says which."""


class DamagedAnswerError(Exception):
    """An accepted answer can't be unpacked; the text says why."""


class NotJsonError(ValueError):
    """A body that is not JSON; the text says where it breaks off, and quotes nothing."""


async def read_answer(response: httpx.Response, most: int = LARGEST_ANSWER) -> httpx.Response:
    """The answer with its body unpacked; of what is no 2xx as much as can be had.

    Raises:
        AnswerTooLargeError: a 2xx of more than ``most`` bytes, as sent or unpacked.
        DamagedAnswerError: a 2xx that can't be unpacked, or is packed in a way that was not asked for.
    """
    chunks: list[bytes] = []
    limit = most if response.is_success else LARGEST_REFUSAL
    try:
        unpack = _unpacking(response.headers)
        # The stream itself: the library's own readers unpack.
        await _read_into(chunks, cast(httpx.AsyncByteStream, response.stream), unpack, limit)
    except (AnswerTooLargeError, DamagedAnswerError):
        if response.is_success:
            raise
    finally:
        await response.aclose()
    packing = (b"content-encoding", b"content-length", b"transfer-encoding")
    return httpx.Response(
        response.status_code,
        headers=[(name, value) for name, value in response.headers.raw if name.lower() not in packing],
        content=b"".join(chunks),
        request=response.request,
        extensions={"reason_phrase": response.extensions.get("reason_phrase", b"")},
    )


async def _read_into(
    chunks: list[bytes], stream: AsyncIterable[bytes], unpack: _Inflater | None, limit: int
) -> None:
    sent = unpacked = number = 0
    async for chunk in stream:
        sent, number = sent + len(chunk), number + 1
        part = chunk if unpack is None else unpack(chunk, limit - unpacked + 1)
        unpacked += len(part)
        chunks.append(part)
        if sent > limit or unpacked > limit:
            raise AnswerTooLargeError(f"The answer is too large: it has more than {limit:,} bytes")
        if number > MOST_CHUNKS:
            raise AnswerTooLargeError(f"The answer came in more than {MOST_CHUNKS:,} chunks")
    if unpack is not None and sent and not unpack.is_whole:
        raise DamagedAnswerError("The answer breaks off before the end of its packed content")


class _Inflater:
    """Unpacks one coding piece by piece, at most so many bytes at once.

    Gzip may be several packed parts, one behind the other (RFC 1952, section 2.2); a cache that appends makes
    such. What follows a part and begins no other one is padding.
    """

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inflate = zlib.decompressobj(_WINDOWS[coding])
        self._began = self._is_over = False
        self._parts = 1

    def __call__(self, chunk: bytes, most: int) -> bytes:
        try:
            return b"".join(self._unpacked(chunk, most))
        except zlib.error as error:
            raise DamagedAnswerError(f"The answer is not {self._coding}, as it says") from error

    def _unpacked(self, chunk: bytes, most: int) -> Iterator[bytes]:
        while chunk and most > 0:
            if self._inflate.eof:
                self._begin_further_part(chunk)
            if self._is_over:
                return
            part = self._inflated(chunk, most)
            most -= len(part)
            yield part
            chunk = self._inflate.unused_data

    def _begin_further_part(self, chunk: bytes) -> None:
        is_gzip = self._coding != "deflate" and chunk.startswith(_GZIP[: len(chunk)])
        self._is_over = self._is_over or not is_gzip
        if self._is_over:
            return
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise AnswerTooLargeError(f"The answer has more than {_MOST_PARTS:,} packed parts")
        self._inflate = zlib.decompressobj(_WINDOWS[self._coding])

    def _inflated(self, chunk: bytes, most: int) -> bytes:
        try:
            part = self._inflate.decompress(chunk, most)
        except zlib.error:
            if self._began or self._coding != "deflate":
                raise
            # Some servers send deflate without the header that it should have.
            self._inflate = zlib.decompressobj(_RAW_DEFLATE)
            part = self._inflate.decompress(chunk, most)
        self._began = True
        return part

    @property
    def is_whole(self) -> bool:
        """Whether the end of the packed content was seen."""
        return self._inflate.eof


def _unpacking(headers: httpx.Headers) -> _Inflater | None:
    coding = headers.get("Content-Encoding", "").strip().lower()
    if coding in ("", "identity"):
        return None
    if coding not in _WINDOWS:
        raise DamagedAnswerError(f"The answer is packed as {coding[:40]!r}, which was not asked for")
    return _Inflater(coding)


def parse_json(answer: httpx.Response) -> Any:
    """The body as JSON; None for an empty one.

    A byte order mark is passed over, Latin-1 is read where the answer says so, and half a surrogate pair, as
    a text that was cut within an emoji has, becomes U+FFFD: one character must not cost a page. NUL, which no
    vendor and no store takes in a text, is left out.

    Raises:
        NotJsonError: it is none.
        AnswerTooLargeError: it has more than ``MOST_VALUES`` values or ``DEEPEST`` levels.
    """
    content = answer.content
    if not content:
        return None
    value = _parsed(content, answer)
    if content.count(b"[") + content.count(b"{") > DEEPEST:
        _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    """Write it once more, for the exact depth: 2 ms for a page of 1 MB, which takes 8 ms to parse."""
    try:
        orjson.dumps(value)
    except TypeError:
        raise AnswerTooLargeError(
            f"The answer is nested too deep: it has more than {DEEPEST} levels"
        ) from None


def _parsed(content: bytes, answer: httpx.Response) -> Any:
    if _NUL in content:
        content = _NULS.sub(lambda found: b"" if found[1] else found[0], content)
    if content.count(b",") > MOST_VALUES:
        raise AnswerTooLargeError(f"The answer is too large: it has more than {MOST_VALUES:,} values")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        other = _mended(content, answer)
        if other == content:
            raise NotJsonError(str(error)[:200]) from None
    try:
        return orjson.loads(other)
    except orjson.JSONDecodeError as error:
        # Not chained: the parser's error holds the whole document.
        raise NotJsonError(str(error)[:200]) from None


def _mended(content: bytes, answer: httpx.Response) -> bytes:
    mended = content.removeprefix(_BOM)
    if charset_of(answer) in _LATIN:
        mended = mended.decode("cp1252", "replace").encode()
    return _SURROGATES.sub(lambda found: rb"\ufffd" if found[1] else found[0], mended)


def text_of(answer: httpx.Response, most: int = LARGEST_REFUSAL) -> str:
    """The beginning of the body as text, whatever charset the answer claims."""
    charset = charset_of(answer)
    if charset in _LATIN:
        return answer.content[:most].decode("cp1252", "replace")
    return answer.content[:most].decode("utf-16" if charset == "utf-16" else "utf-8", "replace")


def charset_of(answer: httpx.Response) -> str:
    """The charset that the Content-Type names, in lower case; empty without one."""
    found = _CHARSET.search(answer.headers.get("Content-Type", "")[:500])
    return found[1].lower() if found else ""

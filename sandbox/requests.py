"""Requests to the vendors, whichever of them: classified, counted, replayed, cut off.

``read_call`` says what a request is to counting and faults. ``RequestCounts`` counts by system, method and
path template, or GraphQL root field. ``drop`` closes the TCP connection under a request, and ``run_unheard``
lets it go on after its connection is gone (both behind uvicorn only).

JSON is read by orjson, which is several times as fast, and by the standard library where orjson refuses: it
knows whole numbers beyond 64 bits, and its words stand in the vendors' messages. Half an emoji, a lone
surrogate, becomes U+FFFD as in the vendors' answers; NaN and infinity are no JSON.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote_plus, urlsplit

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.lansweeper.documents import root_fields

GRAPHQL_PATHS = ("/api/v2/graphql", "/api/integrations/graphql")
API_ROOT = re.compile(r"/[^/]+/apis/3\.0(?=/|$)", re.IGNORECASE)  # any code base
FIELD_NATION = re.compile(r"/api/rest/v2(?=/|$)|/api/v1(?=/webhooks(/|$))|(?=/authentication/api/oauth/)")
TOKEN_CALLS = "/authentication/"  # noqa: S105 - an address
READING_POSTS = re.compile(r"/(search|system/+bundles(/+count)?)/*$", re.IGNORECASE)
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Background = Callable[[Coroutine[Any, Any, None]], None]
"""Runs work beside the requests until it ends or the sandbox is reset."""
MOST_DIGITS = 9
_NUMBER = re.compile(r"(?<=/)\d+(?=/|$)")
_UUID = re.compile(r"(?<=/)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\d+)?(?=/|$)")
_COMPANY_INFO = re.compile(r"(/login/companyinfo/)[^/]+", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """``paths``: the path under the API root, or Lansweeper's root fields; ``query`` in clear."""

    system: str
    method: str
    paths: tuple[str, ...]
    writes: bool
    body: Any = None
    query: str = ""


def read_call(scope: Scope, body: bytes) -> Call:
    """Classify a request. A path that no vendor serves counts as ConnectWise's."""
    path, method = scope["path"], scope["method"]
    parsed = parse_body(body)
    if path.rstrip("/") in GRAPHQL_PATHS:
        fields, writes = root_fields(parsed)
        return Call("lansweeper", method, fields, writes, parsed)
    if FIELD_NATION.match(path):
        below = FIELD_NATION.sub("", path, count=1).rstrip("/")
        writes = method not in READING_METHODS and not below.startswith(TOKEN_CALLS)
        return Call("field_nation", method, (below,), writes, parsed)
    query = unquote_plus(scope.get("query_string", b"").decode("latin-1"))
    writes = method not in READING_METHODS and READING_POSTS.search(path) is None
    return Call("connectwise", method, (under_root(path),), writes, parsed, query)


def address_of(scope: Scope) -> str:
    """The server's address as the caller wrote it, without a slash at the end."""
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
    return f"{scope['scheme']}://{host}"


def positive_number(text: str, default: int) -> int:
    """A number of a query, the default where there is none; ValueError below 1 and above nine digits."""
    if not text:
        return default
    if not is_number(text) or len(text) > MOST_DIGITS or int(text) < 1:
        raise ValueError("must be a positive number")
    return int(text)


def is_number(text: str) -> bool:
    """Whether it is digits alone, those of ASCII: other scripts have digits too, which no vendor reads."""
    return text.isascii() and text.isdigit()


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether a body is said to be JSON in UTF-8, as it is: not packed and in no other character set."""
    kind, _, parameters = headers.get("content-type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "') or "utf-8"
    plain = headers.get("content-encoding", "identity").lower() in ("", "identity")
    return "json" in kind and charset in ("utf-8", "utf8") and plain


def read_address(text: str) -> SplitResult | None:
    """The parts of an address with a host and a readable port; None for anything else."""
    try:
        parts = urlsplit(text)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def under_root(path: str) -> str:
    """The path below ``/v4_6_release/apis/3.0``, in one spelling: no double or trailing slash."""
    rest = API_ROOT.sub("", path, count=1)
    return "/" + "/".join(part for part in rest.split("/") if part)


def parse_body(body: bytes) -> Any:
    """The JSON of a body, or None where there is none."""
    try:
        return decode(body) if body else None
    except ValueError:
        return None


@dataclass
class SystemCounts:
    """One system's counts. ``writes`` are the requests that could have changed something."""

    requests: int = 0
    writes: int = 0
    by: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, writes: bool) -> None:
        self.requests += 1
        self.writes += writes
        self.by[name] += 1

    def as_json(self) -> dict[str, Any]:
        return {"requests": self.requests, "writes": self.writes, "by": dict(sorted(self.by.items()))}


class RequestCounts:
    """Every vendor request counts when it arrives, also when a fault then drops or refuses it.

    ``cpu_seconds`` in its JSON is what the whole process has used since the counts were at zero, and
    ``answering_seconds`` what it used of that to make the answers, by system: the rest is HTTP.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.systems = {name: SystemCounts() for name in ("connectwise", "lansweeper", "field_nation")}
        self._cpu_at_zero = time.process_time()
        self._answering: dict[str, float] = dict.fromkeys(self.systems, 0.0)

    def note(self, call: Call) -> None:
        self.systems[call.system].add(call_name(call), call.writes)

    def spent(self, call: Call, cpu_seconds: float) -> None:
        self._answering[call.system] += cpu_seconds

    def as_json(self) -> dict[str, Any]:
        parts = {name: counts.as_json() for name, counts in self.systems.items()}
        total = sum(counts.requests for counts in self.systems.values())
        writes = sum(counts.writes for counts in self.systems.values())
        cpu = {
            "cpu_seconds": round(time.process_time() - self._cpu_at_zero, 3),
            "answering_seconds": {name: round(spent, 3) for name, spent in self._answering.items()},
        }
        return {"total": total, "writes": writes, **cpu, **parts}


def call_name(call: Call) -> str:
    """``GET /company/configurations/{id}``; for Lansweeper ``editAsset``."""
    if call.system == "lansweeper":
        return "+".join(dict.fromkeys(call.paths))
    return f"{call.method} {path_template(call.paths[0])}"


def path_template(path: str) -> str:
    """The path with the ids in it replaced: ``/company/companies/6/sites`` -> ``.../{id}/sites``."""
    return _COMPANY_INFO.sub(r"\1{id}", _UUID.sub("{id}", _NUMBER.sub("{id}", path)))


class RequestWindow:
    """A sliding-window rate limit over the requests of one caller. ``clock`` gives seconds.

    ``now`` is when ``take`` was called last, ``taken`` when the requests came that count at that moment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.now = 0.0
        self.taken: deque[float] = deque()

    def take(self, limit: list[float] | None) -> int:
        """Count one request: 0, or how many whole seconds to wait, and then it does not count.

        ``limit`` is [requests, seconds]; None forgets all requests.
        """
        if limit is None:
            self.taken.clear()
            return 0
        most, seconds = limit
        self.now = self._clock()
        while self.taken and self.taken[0] <= self.now - seconds:
            self.taken.popleft()
        if len(self.taken) >= most:
            return max(1, math.ceil(self.taken[0] + seconds - self.now)) if self.taken else math.ceil(seconds)
        self.taken.append(self.now)
        return 0


async def read_body(receive: Receive) -> bytes | None:
    """The whole body of a request; None where the client left before it was sent."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(body: bytes) -> Receive:
    """A ``receive`` that gives a body once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def drop(send: Send) -> None:
    """Close the TCP connection without an answer.

    ``send`` is the server's own: it is bound to the request's cycle, which holds the transport. The cycle
    must know that the client is gone before the application returns, else uvicorn would answer 500.
    """
    cycle: Any = getattr(send, "__self__", None)
    if cycle is None:
        raise RuntimeError("connections can only be dropped behind uvicorn")
    cycle.transport.abort()
    while not cycle.disconnected:  # noqa: ASYNC110 - uvicorn gives a flag, not an event
        await asyncio.sleep(0.001)


async def run_unheard(app: ASGIApp, scope: Scope, body: bytes) -> None:
    """Let the application do its work and throw the answer away."""

    async def send(message: Message) -> None:
        return None

    await app(scope, replay(body), send)


MAX_DEPTH = 64
"""Levels of lists and objects that a body may have: the limit of the parser whose words ConnectWise uses."""
TOO_DEEP = f"The reader's MaxDepth of {MAX_DEPTH} has been exceeded"
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG = re.compile(rb"\d{19}")


def encode(value: Any) -> bytes:
    """A value as the vendors send it: UTF-8, without blanks."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def decode(text: bytes | str) -> Any:
    """A text's value; ValueError in the standard library's words, also for what is nested too deep."""
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    if _LONG.search(raw):
        return _decode_slowly(text)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _decode_slowly(text)
    return _shallow(value) if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH else value


def _decode_slowly(text: bytes | str) -> Any:
    try:
        # The standard library would guess UTF-16 and UTF-32 from bytes.
        text = text if isinstance(text, str) else text.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    return _whole_texts(_shallow(value))


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _shallow(value: Any) -> Any:
    """The value, or ValueError where it is nested deeper than ``MAX_DEPTH``."""
    level, depth = [value], 0
    while level:
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(TOO_DEEP)
    return value


def _whole_texts(value: Any) -> Any:
    """The value with U+FFFD for every lone surrogate, in names too."""
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole_texts(one) for one in value]
    if isinstance(value, dict):
        return {_whole_texts(name): _whole_texts(one) for name, one in value.items()}
    return value

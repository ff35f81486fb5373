"""Requests against the receiver: malformed, forged and odd ones, told apart by an oracle of their drawing.

Each is answered within the bounds, never with a 5xx but the 503 that asks for a repetition, and with 2xx only
if it was rightly signed; what was answered with 2xx lies in the inbox once, everything else does not.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import tempfile
import time
import uuid
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

import httpx
from fastapi import FastAPI

from benchmarks.fuzz.tally import SERVER_ERROR, WRONG, Tally
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.ledger.store import Ledger
from deployments.receiver.app import Receiver, receiver_app
from deployments.receiver.settings import ReceiverSettings
from tasks.rules.dispatch.messages import CONNECTWISE_PATH, FIELD_NATION_PATH

NAME = "receiver"
INPUTS = 12_000
SHORT = 300
SITE = "https://api-na.myconnectwise.net"
KEY_URL = f"{SITE}/v4_6_release/apis/3.0/system/callbackkeys/1"
KEY, SECRET, PRIVATE = "signing-key-of-the-campaign", "webhook-secret-of-the-campaign", "private-key-of-it"
COMPANY = "bluelight"
BODY_LIMIT = 20_000
ANSWERS = frozenset({200, 400, 401, 403, 404, 405, 413, 429, 503})
Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request; ``may_be_kept``: it bears a right signature."""

    kind: str
    path: str
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    method: str = "POST"
    parts: int = 1
    may_be_kept: bool = False

    def shown(self) -> str:
        """The request in a line, shortened."""
        return f"{self.method} {self.path[:200]} {self.headers!r:.600} {self.body[:300]!r} ({len(self.body)})"


@dataclass
class Keys:
    """The vendor's server: one key at its address, and every address that was asked for."""

    asked: list[httpx.URL] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The key at its address, 404 elsewhere."""
        self.asked.append(request.url)
        if str(request.url) == KEY_URL:
            return httpx.Response(200, json={"signing_key": KEY})
        return httpx.Response(404)


async def run(tally: Tally, *, seed: int, inputs: int) -> None:
    """Sends every request to one receiver, and counts the inbox at the end."""
    tally.secrets |= {KEY, SECRET, PRIVATE}
    keys = Keys()
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder))
        app = receiver_app(settings, httpx.MockTransport(keys.answer))
        async with app.router.lifespan_context(app):
            receiver: Receiver = app.state.receiver
            new = 0
            for number in tally.numbers(inputs):
                sent = drawn_request(tally.draw(number))
                async with tally.input(number, sent.kind, sent.shown()) as tried:
                    before = receiver.counts.of("handed_over")
                    status = await answer_of(app, sent)
                    tried.outcome = str(status)
                    new += receiver.counts.of("handed_over") - before
                    _judge(tally, number, sent, status)
            tally.check_logged(receiver.counts.text())
        async with Ledger.open(settings.ledger) as ledger:
            kept = sum((await ledger.inbox.count()).values())
    if kept != new:
        tally.problem(WRONG, "inbox", f"{new} messages were handed over, {kept} are kept")
    for url in keys.asked:
        if url.host != httpx.URL(SITE).host:
            tally.problem(WRONG, "key address", f"asked for {url}")


def _settings(folder: Path) -> ReceiverSettings:
    vendor = ConnectWiseSettings(SITE, COMPANY, "public", PRIVATE, str(uuid.UUID(int=1)))
    return ReceiverSettings(
        ledger=folder / "ledger.db",
        connectwise=vendor,
        key_hosts=frozenset({"api-na.myconnectwise.net"}),
        webhook_secret=SECRET,
        body_limit=BODY_LIMIT,
    )


def _judge(tally: Tally, number: int, sent: Sent, status: int) -> None:
    if status >= 500 and status != 503:
        tally.problem(SERVER_ERROR, sent.kind, f"{status} for {sent.shown()}", number)
    elif status not in ANSWERS:
        tally.problem(WRONG, sent.kind, f"{status} for {sent.shown()}", number)
    elif status == 200 and not sent.may_be_kept:
        tally.problem(WRONG, sent.kind, f"believed: {sent.shown()}", number)


async def answer_of(app: FastAPI, sent: Sent) -> int:
    """The status that the application gives one request, of 0 if it gave none."""
    size = max(1, -(-len(sent.body) // sent.parts))
    parts = [sent.body[at : at + size] for at in range(0, len(sent.body), size)] or [b""]
    left = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    left[-1]["more_body"] = False
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(event: MutableMapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            statuses.append(event["status"])

    path, _, query = sent.path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query.encode("utf-8", "replace"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in sent.headers],
        "client": ("203.0.113.9", 4711),
        "server": ("127.0.0.1", 8460),
    }
    await app(scope, receive, send)
    return statuses[0] if len(statuses) == 1 else 0


def drawn_request(draw: Random) -> Sent:
    """One request; most are wrong in one way, some in none."""
    make = draw.choice((_callback, _webhook, _callback, _webhook, _odd_body, _odd_route, _odd_key))
    return make(draw)


def signature_of(raw: bytes, key: str = KEY) -> bytes:
    """As ConnectWise signs: base64 of HMAC-SHA256, keyed with the SHA-256 of the key's text."""
    return base64.b64encode(hmac.digest(hashlib.sha256(key.encode()).digest(), raw, "sha256"))


def delivery_headers(draw: Random, raw: bytes, secret: str = SECRET, age: float = 0.0) -> list[Header]:
    """As Field Nation sends: signature, delivery id with its attempt, time of the request."""
    signature = hmac.digest(secret.encode(), raw, "sha256").hex()
    return [
        (b"x-fn-signature", f"sha256={signature}".encode()),
        (b"x-fn-delivery-id", f"{uuid.UUID(int=draw.getrandbits(128))}:{draw.randint(1, 9)}".encode()),
        (b"x-fn-request-timestamp", str(int((time.time() - age) * 1000)).encode()),
    ]


def _callback(draw: Random) -> Sent:
    message = _callback_message(draw)
    for _ in range(draw.choice((0, 0, 1, 2))):
        message[draw.choice([*message, "extra"])] = odd_value(draw)
    raw = encoded(draw, message)
    way = draw.choice(("genuine", "genuine", "forged", "unsigned", "headers", "parts"))
    signature = signature_of(raw, KEY if way != "forged" else "another key")
    headers = [] if way == "unsigned" else [(b"x-content-signature", signature)]
    if way == "headers":
        headers += odd_headers(draw, len(raw))
    return Sent(
        f"callback {way}",
        f"{CONNECTWISE_PATH}?recordId={draw.choice(('7', '', '%00', '7&action=updated'))}",
        raw,
        tuple(headers),
        parts=draw.randint(1, 40) if way == "parts" else 1,
        may_be_kept=way in ("genuine", "headers", "parts"),
    )


def _callback_message(draw: Random) -> dict[str, Any]:
    number = draw.randint(1, 10_000)
    entity = {
        "id": number,
        "recordType": draw.choice(("ServiceTicket", "ProjectTicket", "Phase")),
        "phase": None,
    }
    return {
        "MessageId": str(uuid.UUID(int=draw.getrandbits(128))),
        "CompanyId": COMPANY,
        "MemberId": "jdoe",
        "Action": draw.choice(("added", "updated", "deleted")),
        "Type": draw.choice(("ticket", "project", "member")),
        "ID": number,
        "Entity": json.dumps(entity),
        "Metadata": {"key_url": KEY_URL},
        "CallbackObjectRecId": 1,
    }


def _webhook(draw: Random) -> Sent:
    message: dict[str, Any] = {
        "event": {"name": "workorder.status.assigned", "params": {"work_order_id": draw.randint(1, 10_000)}},
        "timestamp": datetime.now(UTC).isoformat(),
        "triggered_by_user": {"id": 12},
        "workorder": {"id": draw.randint(1, 10_000), "title": "No link"},
    }
    for _ in range(draw.choice((0, 0, 1, 2))):
        message[draw.choice([*message, "extra"])] = odd_value(draw)
    raw = encoded(draw, message)
    way = draw.choice(("genuine", "genuine", "forged", "unsigned", "old", "headers", "no id"))
    age = draw.choice((4000.0, 10**9, -4000.0)) if way == "old" else 0.0
    headers = delivery_headers(draw, raw, SECRET if way != "forged" else "another secret", age)
    if way == "unsigned":
        headers = headers[1:]
    elif way == "no id":
        headers[1] = (b"x-fn-delivery-id", draw.choice((b"", b"1", b"\xff" * 40, b"a" * 300)))
    elif way == "headers":
        headers += odd_headers(draw, len(raw))
    kept = way in ("genuine", "headers")
    return Sent(f"webhook {way}", FIELD_NATION_PATH, raw, tuple(headers), may_be_kept=kept)


def _odd_body(draw: Random) -> Sent:
    raw = draw.choice(
        (
            lambda: b"",
            lambda: b"[" * draw.randint(1, BODY_LIMIT),
            lambda: b'{"a":' * draw.randint(1, BODY_LIMIT // 5),
            lambda: draw.randbytes(draw.randint(1, 2000)),
            lambda: b'{"CompanyId":"\\ud800"}',
            lambda: b'{"ID":' + b"9" * draw.randint(1, 5000) + b"}",
            lambda: b'{"ID":NaN,"Metadata":1e999}',
            lambda: b"\xef\xbb\xbf{}",
            lambda: gzip.compress(b" " * draw.randint(1, 1_000_000)),
            lambda: b"x" * draw.randint(BODY_LIMIT - 2, BODY_LIMIT + 2),
            lambda: encoded(draw, odd_value(draw)),
            lambda: encoded(draw, _callback_message(draw))[: -draw.randint(1, 50)],
        )
    )()
    headers = list(odd_headers(draw, len(raw))) if draw.random() < 0.5 else []
    if draw.random() < 0.5:
        headers += [(b"x-content-signature", signature_of(raw))]
        return Sent("odd body", CONNECTWISE_PATH, raw, tuple(headers))
    headers += delivery_headers(draw, raw)
    return Sent("odd body", FIELD_NATION_PATH, raw, tuple(headers), may_be_kept=True)


def _odd_route(draw: Random) -> Sent:
    paths = (CONNECTWISE_PATH, FIELD_NATION_PATH, "/health", "/metrics", "/ready", "/docs", "/")
    path = draw.choice(paths)
    for _ in range(draw.randint(0, 3)):
        path = draw.choice(
            (path + "/", "/" + path, path + "%00", path + "/../ready", path.upper(), path + "\u0130")
        )
    path += draw.choice(("", "", "?" + "a" * draw.randint(0, 5000), "?x=%ff%fe", "#"))
    method = draw.choice(("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PATCH", "FROB"))
    raw = draw.randbytes(draw.randint(0, 200))
    sent = Sent("odd route", path, raw, tuple(odd_headers(draw, len(raw))), method=method)
    # The three addresses that answer questions say 200 to everybody.
    return replace(sent, may_be_kept=path.partition("?")[0].strip("/#") in ("health", "metrics", "ready"))


def _odd_key(draw: Random) -> Sent:
    message = _callback_message(draw) | {"Metadata": {"key_url": odd_url(draw)}}
    raw = encoded(draw, message)
    return Sent(
        "odd key address", CONNECTWISE_PATH, raw, ((b"x-content-signature", signature_of(raw, "mine")),)
    )


def odd_url(draw: Random) -> Any:
    """An address that no key lies at, near the vendor's or far."""
    hosts = (
        "keys.example",
        "api-na.myconnectwise.net.keys.example",
        "127.0.0.1",
        "[::1]",
        "API-NA.MYCONNECTWISE.NET",
    )
    path = draw.choice(
        ("/v4_6_release/apis/3.0/system/callbackkeys/2", "/..;/callbackkeys/1", "/%2e%2e/1", "/")
    )
    return draw.choice(
        (
            KEY_URL.replace("https", draw.choice(("http", "HTTPS", "ftp", "file", "gopher"))),
            f"https://{draw.choice(hosts)}{path}",
            f"https://user@{httpx.URL(SITE).host}{path}",
            f"https://{httpx.URL(SITE).host}:{draw.choice((80, 8443, 0, 99999))}{path}",
            f"{SITE}{path}",
            f"{SITE}{path}?{draw.random()}",
            KEY_URL + draw.choice(("#x", "?x=1", "/", "/..", "%2f", "\u3002", "\x00", ";x", "\\")),
            odd_value(draw),
        )
    )


def odd_headers(draw: Random, length: int) -> Sequence[Header]:
    """Headers that a proxy or a forger may add; what they say of the body need not hold."""
    return draw.choice(
        (
            [(b"content-length", str(length).encode())],
            [(b"content-length", draw.choice((b"-1", b"1e9", b"", b"9" * 400, "\u0663".encode(), b"0x10")))],
            [(b"content-length", b"5"), (b"content-length", b"500")],
            [(b"content-encoding", draw.choice((b"gzip", b"br", b"gzip, " * 50 + b"identity")))],
            [(b"transfer-encoding", b"chunked"), (b"content-length", b"3")],
            [(f"x-{each}".encode(), b"y" * draw.randint(0, 100)) for each in range(draw.randint(0, 200))],
            [(b"x-forwarded-for", draw.choice((b"127.0.0.1", b"\xff\xfe", b"a," * 500)))],
            [(b"content-type", draw.randbytes(draw.randint(0, 100)))],
            [(b"expect", b"100-continue"), (b"host", b"\xe2\x80\xae")],
        )
    )


def odd_value(draw: Random, depth: int = 0) -> Any:
    """A JSON value that no message of either vendor has at its place."""
    plain = (
        None, True, -1, 0, 2**63, 10**300, 1.5e308, "", " ", "\x00", "\ud800", "\u202e", "a" * 3000,
        "https://keys.example", "{", "[]", "null", "2026-11-29T00:00:00Z", "0001-01-01T00:00:00Z",
    )  # fmt: skip
    if depth > 3 or draw.random() < 0.7:
        return draw.choice(plain)
    number = draw.randint(0, 4)
    if draw.random() < 0.5:
        return [odd_value(draw, depth + 1) for _ in range(number)]
    return {
        draw.choice(("id", "name", "Entity", "", "\x00")): odd_value(draw, depth + 1) for _ in range(number)
    }


def encoded(draw: Random, value: Any) -> bytes:
    """JSON, with the characters escaped or as they are; what UTF-8 can't hold stays escaped."""
    text = json.dumps(value, ensure_ascii=draw.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")

"""The requests that the target ``receiver`` sends: genuine, forged, malformed and odd ones."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx

from benchmarks.fuzz.odd_values import odd_json
from tasks.rules.dispatch.messages import CONNECTWISE_PATH, FIELD_NATION_PATH

SITE = "https://api-na.myconnectwise.net"
KEY_URL = f"{SITE}/v4_6_release/apis/3.0/system/callbackkeys/1"
KEY, SECRET, PRIVATE = "signing-key-of-the-campaign", "webhook-secret-of-the-campaign", "private-key-of-it"
COMPANY = "bluelight"
BODY_LIMIT = 20_000
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
    url: Any = None
    """The address of a key that it names."""
    is_wire: bool = False
    """The body is all that is sent, heads and all, over a socket."""

    def shown(self) -> str:
        """The request in a line, shortened."""
        return f"{self.method} {self.path[:200]} {self.headers!r:.600} {self.body[:300]!r} ({len(self.body)})"


def drawn_request(draw: Random) -> Sent:
    """One request; most are wrong in one way, some in none."""
    make = draw.choice((_callback, _webhook, _callback, _webhook, _odd_body, _odd_route, _odd_key, _wire))
    return make(draw)


def genuine_callback() -> Sent:
    """A callback with nothing wrong in it."""
    raw = json.dumps(_callback_message(Random(1))).encode()
    return Sent("callback genuine", CONNECTWISE_PATH, raw, ((b"x-content-signature", signature_of(raw)),))


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
        message[draw.choice([*message, "extra"])] = odd_json(draw)
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
        message[draw.choice([*message, "extra"])] = odd_json(draw)
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
            lambda: encoded(draw, odd_json(draw)),
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
    url = odd_url(draw)
    raw = encoded(draw, _callback_message(draw) | {"Metadata": {"key_url": url}})
    headers = ((b"x-content-signature", signature_of(raw, "mine")),)
    return Sent("odd key address", CONNECTWISE_PATH, raw, headers, url=url)


def _wire(draw: Random) -> Sent:
    """Bytes that are nearly a request: cut, doubled, with wrong lengths, or of another protocol."""
    raw = encoded(draw, {"workorder": {"id": 7}, "event": {"name": "x"}, "timestamp": None})
    length = draw.choice((len(raw), len(raw) + 5, len(raw) - 5, -1, 10**12))
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(raw), raw)
    body = draw.choice((raw, chunked, b"ZZ\r\n", b"FFFFFFFFFFFFFFFFFF\r\n" + raw))
    framing = [
        (b"content-length", b"%d" % length),
        (b"transfer-encoding", draw.choice((b"chunked", b"gzip", b"x"))),
    ]
    headers = [(b"host", b"x"), *delivery_headers(draw, raw), *draw.sample(framing, draw.randint(0, 2))]
    headers += odd_headers(draw, len(raw))
    draw.shuffle(headers)
    ends = draw.choice((b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n ", b"\x00"))
    first = draw.choice((b"POST %s HTTP/1.1", b"POST %s HTTP/1.0", b"POST %s", b"%s", b"POST  %s HTTP/9.9"))
    lines = [first % FIELD_NATION_PATH.encode(), *(b"%s: %s" % each for each in headers)]
    head = ends.join(lines) + b"\r\n\r\n"
    sent = draw.choice(
        (
            lambda: head + body,
            lambda: (head + body)[: draw.randint(0, len(head))],
            lambda: (head + raw) * draw.randint(2, 8),
            lambda: draw.randbytes(draw.randint(1, 3000)),
            lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + draw.randbytes(500),
            lambda: b"GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            lambda: b"GET /health HTTP/1.1\r\n" + b"a: b\r\n" * draw.randint(1, 20_000),
        )
    )()
    return Sent("wire", FIELD_NATION_PATH, sent, may_be_kept=True, is_wire=True)


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
            odd_json(draw),
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


def encoded(draw: Random, value: Any) -> bytes:
    """JSON, with the characters escaped or as they are; what UTF-8 can't hold stays escaped."""
    text = json.dumps(value, ensure_ascii=draw.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")

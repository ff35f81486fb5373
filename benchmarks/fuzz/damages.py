"""What can be wrong with an answer: each damage changes one answer on its way, as its draw says."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import httpx

from benchmarks.fuzz import vendors
from benchmarks.fuzz.answer import Wire
from benchmarks.fuzz.body_damages import BODY_DAMAGES

Damage = Callable[[Random, Wire], None]


def _member(draw: Random, wire: Wire) -> None:
    """One place of the body, or a few, hold what the vendor does not document."""
    body = json.loads(json.dumps(wire.body))
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        body = changed(draw, body)
    wire.set_body(body)


def changed(draw: Random, value: Any) -> Any:
    """The value with one of its places changed."""
    if isinstance(value, dict) and value and draw.random() < 0.85:
        name = draw.choice(list(value))
        if draw.random() < 0.2:
            return {key: each for key, each in value.items() if key != name}
        return value | {name: changed(draw, value[name])}
    if isinstance(value, list) and value and draw.random() < 0.8:
        place = draw.randrange(len(value))
        choice = draw.random()
        if choice < 0.1:
            return [*value, value[place]]
        if choice < 0.2:
            return value[:place] + value[place + 1 :]
        return [*value[:place], changed(draw, value[place]), *value[place + 1 :]]
    return odd(draw, value)


def odd(draw: Random, value: Any) -> Any:
    """Something else than the value."""
    nested: Any = value
    for _ in range(draw.choice((1, 3, 100, 900))):
        nested = draw.choice((lambda inner: [inner], lambda inner: {"id": inner}))(nested)
    return draw.choice(
        (
            None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 1e300, 0.5, "", " ", "0", "7", "9" * 5000,
            "x",
            "x" * 5000, "\x00", "\ud83d", "\u202e", "null", "2026-13-45", [], {}, [None], [[]], [{}],
            {"id": None},
            {"id": "7"}, {"": ""}, str(value)[:100], [value], {"value": value}, nested, "<b>", "％", "１２",
        )
    )  # fmt: skip


def _wire(draw: Random, wire: Wire) -> None:
    """Bytes that are cut, mangled, or something else."""
    content = wire.content or b"{}"
    place = draw.randrange(len(content))
    mangled = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        mangled[draw.randrange(len(mangled))] = draw.randrange(256)
    deep = draw.choice((100, 1000, 1030, 100_000))
    wire.content = draw.choice(
        (
            content[:place], bytes(mangled), content + b"}", content * 2, b"", b" ", b"null", b"\xff\xfe",
            b"\xef\xbb\xbf" + content, content.decode().encode("utf-16"), draw.randbytes(200), b"[" * deep,
            b"[" * deep + b"]" * deep, b'{"a":' * deep + b"1" + b"}" * deep, b"9" * 5000, b"1e999", b"NaN",
            content.replace(b":", b": NaN, ", 1), content.replace(b'"', b"'"), b'"\\ud800"',
            b"<html>" + content,
            content.replace(b"7", b"9" * 5000), b"<!doctype html><title>Log in</title>" + content,
        )
    )  # fmt: skip
    if draw.random() < 0.1:
        wire.breaks_at = 0


def _charset(draw: Random, wire: Wire) -> None:
    """A content type that lies."""
    names = (
        "utf-16",
        "rot13",
        "idna",
        "hex",
        "punycode",
        "undefined",
        "utf-7",
        "latin-1",
        "x" * 5000,
        "\x00",
        "'",
    )
    kind = draw.choice(("application/json", "text/html", "text/plain", "", "multipart/mixed", ";;;"))
    wire.set_header("Content-Type", f"{kind}; charset={draw.choice(names)}")
    if draw.random() < 0.6:
        wire.content = draw.choice((b"caf\xe9", b'{"message": "caf\xe9"}', b"\x80" * 50, b"<html>\xff"))
        wire.status = draw.choice((200, 400, 401, 404, 500))


def _status(draw: Random, wire: Wire) -> None:
    """Any status, with a body that fits or does not."""
    wire.status = draw.choice((100, 101, 199, 202, 204, 206, 207, 226, 300, 304, 400, 401, 402, 403, 404,
    405, 406,
        407, 408, 409, 410, 413, 414, 415, 418, 422, 423, 429, 431, 451, 499, 500, 501, 502, 503, 504, 507,
        520, 599,
        600, 777, 999))  # fmt: skip
    message: Any = draw.choice(
        ("no", "x" * 9000, None, 5, ["a"], {"a": 1}, True, "\x00", "invalid path: x", "too large")
    )
    errors = draw.choice(
        ([{"code": message, "message": message, "field": message}], message, [message] * 3, [])
    )
    wire.set_body(
        draw.choice(
            (
                wire.body, message, {"code": message, "message": message, "errors": errors},
                {"errors": errors},
                {"data": None, "errors": errors}, {"error": message, "error_description": message},
                {"title": message, "detail": message, "agent": {"backoffMs": odd(draw, 5)}},
            )
        )
    )  # fmt: skip
    if draw.random() < 0.3:
        wire.content = (draw.choice(_PAGE_PARTS) * 60_000)[:150_000]


_PAGE_PARTS = (
    b"<!--",
    b"<title",
    b"<title>",
    b"<script>",
    b"<",
    b"<!doctype html><",
    b"<html>&amp;",
    b"\x00",
    b"a ",
)


def _secret(draw: Random, wire: Wire) -> None:
    """A refusal, or an accepted answer of another form, that repeats credentials.

    Those of this client must not be told wherever they stand, those of others where a name tells of them.
    """
    request = wire.request
    secret = draw.choice(vendors.OWN[wire.vendor])
    other = draw.choice(sorted(vendors.SECRETS))
    named = draw.choice(("access_token", "refreshToken", "client_secret", "password", "api-key", "X-Api-Key"))
    echoes = (
        {"access_token": secret, "expires_in": 36},
        {named: other, "message": f"no {named}={other}; {named}: '{secret}'"},
        {"message": json.dumps({named: other})},
        {"message": f"wrong key {secret} was given", "code": secret},
        {"message": f"{'x' * draw.randint(440, 500)}{secret}"},
        {"error": secret, "error_description": f"no {secret}"},
        {
            "errors": [
                {"message": f"Authorization: Basic {secret}", "field": secret, "path": ["site", secret]}
            ]
        },
        {"headers": dict(request.headers), "url": str(request.url)},
        {"data": {"site": secret, "secret": other}, "password": other},
        [{"id": secret}],
        f"https://user:{secret}@x.example/?access_token={secret}",
    )
    wire.set_body(draw.choice(echoes))
    if draw.random() < 0.4:
        wire.content = wire.content[: draw.randint(1, len(wire.content))]
    wire.status = draw.choice((200, 200, 200, 302, 400, 401, 403, 404, 409, 429, 500))
    wire.headers += [
        ("Set-Cookie", f"session={secret}"),
        ("Location", f"https://u:{secret}@x.example/{secret}"),
    ]
    wire.headers += [("WWW-Authenticate", f"Basic realm={secret}")]


def _redirect(draw: Random, wire: Wire) -> None:
    """Any redirect to anywhere."""
    wire.status = draw.choice((300, 301, 302, 303, 304, 305, 307, 308))
    places = (
        "javascript:1", "http://[::1", "//", "", "https://evil.example/", "https://u:p@evil.example/", "\x00",
        "http://" + "a" * 9000, "/../../", "https://api-na.myconnectwise.net:99999/", "data:text/html,x",
        "http://\u0130",
    )  # fmt: skip
    wire.headers += [("Location", draw.choice(places)) for _ in range(draw.choice((1, 1, 2)))]


def _headers(draw: Random, wire: Wire) -> None:
    """Headers that mean nothing, or something else."""
    number = draw.choice(
        ("9" * 5000, "-1", "1e308", "nan", "inf", "", "x", "１", "0x10", "1.5", "\xff", "1, 2")
    )
    address = draw.choice(
        ("http://[::1", f"https://x.example/?pageId={number}", f"?page={number}", "", "a" * 9000)
    )
    links = (
        f'<{address}>; rel="next"',
        f"<{address}>; rel=next" * 50,
        "<",
        ">",
        "<" * 5000,
        f'{address}; rel="next"',
        "",
    )
    dates = ("9" * 5000, "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "x", "", number)
    named = {
        "Link": draw.choice(links), "Date": draw.choice(dates), "Retry-After": draw.choice((number, *dates)),
        "x-ratelimit-limit": number, "x-ratelimit-remaining": number, "x-ratelimit-reset": number,
        "Content-Length": number, "Content-Encoding": draw.choice(("br", "zstd", "gzip", "gzip, br", number)),
        "Set-Cookie": draw.choice(("a=b; Expires=" + dates[1], "=" * 3000, "a" * 9000,
        f"a=b; Max-Age={number}")),
    }  # fmt: skip
    for name in draw.sample(sorted(named), draw.randint(1, 5)):
        wire.set_header(name, named[name])
    if draw.random() < 0.3:
        wire.status = draw.choice((429, 503, 500, 408))


def _packed(draw: Random, wire: Wire) -> None:
    """Packed rightly, falsely, twice, cut, or into what unpacks beyond any memory."""
    content = wire.content
    whole = gzip.compress(content)
    choices: list[tuple[str, bytes]] = [
        ("gzip", whole), ("deflate", zlib.compress(content)), ("deflate", whole), ("gzip",
        whole[: len(whole) // 2]),
        ("gzip", content), ("gzip, gzip", gzip.compress(whole)), ("gzip", whole + b"garbage"), ("br",
        content),
        ("identity", content), ("GZIP", whole), ("gzip", b""), ("x-gzip", whole), ("zstd", whole), ("gzip",
        whole * 2),
    ]  # fmt: skip
    coding, wire.content = draw.choice(choices)
    if draw.random() < 0.03:
        coding, wire.content = draw.choice(
            (("gzip", gzip_bomb()), ("identity", b"[" + b"{}," * 1_100_000 + b"{}]"))
        )
    wire.set_header("Content-Encoding", coding)


@cache
def gzip_bomb() -> bytes:
    """680 kB that stand for 700 MB."""
    # One packed block over and over, which is quicker than packing 700 MB.
    squeeze = zlib.compressobj(level=9, wbits=-15)
    block = squeeze.compress(b" " * 10_000_000) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * 70


def _network(draw: Random, wire: Wire) -> None:
    """A network, or a library, that breaks."""
    wire.error = draw.choice(
        (
            httpx.ReadTimeout("x"), httpx.ConnectError("x"), httpx.RemoteProtocolError("x"),
            httpx.DecodingError("x"),
            httpx.LocalProtocolError("x"), httpx.InvalidURL("x"), ValueError("x" * 9000), UnicodeError("x"),
            httpx.StreamClosed(), RecursionError("x"), OSError("x"), TimeoutError(),
            httpx.TooManyRedirects("x"),
        )
    )  # fmt: skip


def _pages(draw: Random, wire: Wire) -> None:
    """Pages that never end: every answer says that more follow, whatever it brings."""
    body = json.loads(json.dumps(wire.body))
    choice = draw.choice(("same", "empty", "growing"))
    fresh = draw.randrange(10, 10**6)
    if isinstance(body, list):
        body = [] if choice == "empty" else body if choice == "same" else [*body, body[-1]]
    elif isinstance(body, dict) and isinstance(body.get("metadata"), dict):
        page = body["metadata"].get("page", 1)
        body["metadata"] |= {"pages": page + 1}
        if choice == "growing":
            body["results"] = [{**body["results"][0], "id": fresh + n} for n in range(400)]
        elif isinstance(body.get("results"), list):
            body["results"] = [{"id": 7}, {"id": 8}] if choice == "same" else []
        if isinstance(body.get("result"), list):
            body["result"] = body["result"] * 100
    elif isinstance(body, dict):
        _endless_in(body, choice, fresh)
    wire.set_body(body)
    mark = int(wire.request.url.params.get("pageId") or wire.request.url.params.get("page") or 0) + 1
    name = draw.choice(("pageId", "page"))
    wire.set_header("Link", f'<https://x.example/?pageId={mark}&page={mark + (name == "page")}>; rel="next"')


def _endless_in(body: dict[str, Any], choice: str, fresh: int) -> None:
    data = body.get("data")
    site = data.get("site") if isinstance(data, dict) else None
    resources = site.get("assetResources") if isinstance(site, dict) else None
    if isinstance(resources, dict):
        resources["pagination"] = {"next": str(fresh)}
        items = {
            "empty": [],
            "same": [{"key": "k1"}],
            "growing": [{"key": f"k{fresh + n}"} for n in range(600)],
        }
        resources["items"] = items[choice]
    if "row_values" in body:
        body["row_values"] = {"empty": [], "same": [[1, 2], [1, 3]]}.get(choice, body["row_values"] * 2)


def _fresh_pages(_: Random, wire: Wire) -> None:
    """Pages that never end and bring ever new records, by every name that a vendor pages by."""
    params = wire.request.url.params
    asked = json.loads(wire.request.content or b"{}")
    cursor = asked.get("variables", {}).get("page", {}).get("cursor") if isinstance(asked, dict) else None
    conditions = str(asked.get("conditions", "")) if isinstance(asked, dict) else ""
    start = int(params.get("pageId") or cursor or conditions.rpartition("id > ")[2] or 0)
    start = start or 400 * int(params.get("page") or 0)
    numbers = range(start + 1, start + 401)
    records = [{"id": n, "key": f"k{n}"} for n in numbers]
    body = json.loads(json.dumps(wire.body))
    if isinstance(body, list):
        body = records
    elif isinstance(body, dict) and "row_values" in body:
        body["row_values"] = [[n, n] for n in numbers]
    elif isinstance(body, dict) and "results" in body and "page" in body.get("metadata", {}):
        page = body["metadata"]["page"]
        body |= {"results": records, "metadata": {"page": page, "pages": page + 1, "total": 6}}
    elif isinstance(body, dict) and "assetResources" in ((body.get("data") or {}).get("site") or {}):
        resources = body["data"]["site"]["assetResources"]
        body["data"]["site"]["assetResources"] = resources | {
            "total": None,
            "pagination": {"next": str(start + 400)},
            "items": records,
        }
    wire.set_body(body)
    page = int(params.get("page") or 1) + 1
    wire.set_header("Link", f'<https://x.example/?pageId={start + 400}&page={page}>; rel="next"')


DAMAGES: tuple[tuple[str, Damage, bool], ...] = (
    ("members", _member, False),
    ("members", _member, True),
    ("members", _member, False),
    ("bytes", _wire, False),
    ("bytes", _wire, True),
    ("charset", _charset, False),
    ("status", _status, False),
    ("status", _status, True),
    ("secrets", _secret, False),
    ("redirect", _redirect, False),
    ("headers", _headers, False),
    ("headers", _headers, True),
    ("packing", _packed, False),
    ("network", _network, False),
    ("pages", _pages, True),
    ("fresh pages", _fresh_pages, True),
    *((kind, damage, False) for kind, damage in BODY_DAMAGES),
    *((kind, damage, True) for kind, damage in BODY_DAMAGES),
)
"""The kind of each, and whether it meets every answer of an operation or one."""

"""What can be wrong with an answer that is whole and looks right: JSON that says it oddly, or an odd no.

Duplicated members, numbers and nesting beyond any parser, other encodings, pages of servers between, errors
beside data, waits that no clock knows, and Link headers as other servers write them.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from benchmarks.fuzz import vendors
from benchmarks.fuzz.answer import Wire


def _replaced(draw: Random, content: bytes, by: bytes) -> bytes:
    """The body with one of its values replaced by other text."""
    places = [at for at, byte in enumerate(content) if byte == ord(":")]
    if not places:
        return by
    at = draw.choice(places) + 1
    rest = content[at:]
    ends = [each for each in (rest.find(mark) for mark in (b",", b"}")) if each >= 0]
    return content[:at] + by + rest[min(ends, default=len(rest)) :]


def odd_json(draw: Random, wire: Wire) -> None:
    """JSON that is none, or that parsers read differently."""
    content = wire.content or b"{}"
    deep = draw.choice((1_020, 5_000, 100_000))
    number = draw.choice(
        (
            b"NaN",
            b"-Infinity",
            b"1e400",
            b"-0",
            b"0.1e-400",
            b"9" * 5_000,
            b"9" * 400_000,
            b"1." + b"0" * 5_000,
            b"9223372036854775808",
            b"-9223372036854775809",
            b"18446744073709551616",
            b"1e3",
            b"7.0",
            b"07",
            b"0x7",
            b"+7",
            b"true",
            b'"7"',
            b'" 7"',
            b'"7.0"',
            b"[7]",
        )
    )
    members = content.strip(b"{}")
    wire.content = draw.choice(
        (
            _replaced(draw, content, number),
            _replaced(draw, _replaced(draw, content, number), number),
            b"{%s,%s}" % (members, members),
            b"{%s,%s}" % (_replaced(draw, members, b"null"), members),
            b"{%s,%s}" % (members, _replaced(draw, members, b"[]")),
            _replaced(draw, content, b"[" * deep + b"]" * deep),
            _replaced(draw, content, b'{"a":' * deep + b"1" + b"}" * deep),
            _replaced(draw, content, b'"' + b"\\ud83d" * draw.choice((1, 50_000)) + b'"'),
            _replaced(draw, content, b'"' + b"\\u0000" * draw.choice((1, 50_000)) + b'"'),
            _replaced(draw, content, b'"' + b"x" * 1_000_000 + b'"'),
            content[:-1] + b',"' + b"k" * 1_000_000 + b'": 1}',
            content[:-1] + b',"\\ud800": 1, "\\u0000": 2, "": 3}',
            content[:-1] + b",}",
            content + b"/* end */",
            b")]}',\n" + content,
            b"callback(" + content + b")",
            content + b"\n" + content,
            b"\x1e" + content + b"\n",
            b'"' + content.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"',
            b" " * 1_000_000 + content,
            content.replace(b'"', b"\xe2\x80\x9c"),
            content.replace(b'": ', b'":\xa0'),
        )
    )


def coded(draw: Random, wire: Wire) -> None:
    """The right body in another encoding, told or not."""
    text = wire.content.decode() or "{}"
    name = draw.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-7", "utf-8-sig", "cp037")
    )
    wire.content = text.encode(name)
    told = draw.choice((name, "utf-8", "UTF-16", "", "us-ascii", "latin-1", '"utf-8"; charset=x'))
    wire.set_header("Content-Type", f"application/json; charset={told}" if told else "application/json")
    if draw.random() < 0.3:
        wire.status = draw.choice((400, 403, 404, 500))


def page_instead(draw: Random, wire: Wire) -> None:
    """What a login form, a gateway or a portal says in place of the vendor, with any status and type."""
    secret = draw.choice(vendors.OWN[wire.vendor])
    page = draw.choice(
        (
            "<!DOCTYPE html><html><head><title>Sign in</title></head><body>who?</body></html>",
            f"<html><body><form action='?key={secret}'>{'<input>' * 20_000}</form></body></html>",
            f"<?xml version='1.0'?><error><message>no {secret}</message></error>",
            "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>",
            "&lt;" * 50_000,
            "<title>" + "&amp;" * 50_000 + "</title><html>",
            "OK",
            "",
            "\x1b[2J\x1b]0;owned\x07",
            "x" * 400_000,
            f"Traceback (most recent call last):\n  token = '{secret}'\n" * 300,
            f"GET /?access_token={secret}&x=1 HTTP/1.1\nAuthorization: Basic {secret}\nCookie: s={secret}",
        )
    )
    wire.content = page.encode()
    wire.status = draw.choice((200, 200, 201, 203, 401, 403, 404, 407, 429, 500, 502, 503, 511, 520))
    kind = draw.choice(("text/html", "application/json", "text/plain; charset=utf-8", "application/xml", ""))
    wire.set_header("Content-Type", kind)


def graphql_no(draw: Random, wire: Wire) -> None:
    """GraphQL's errors in any form, beside data, null or nothing; of other vendors a list in their place."""
    data = wire.body.get("data") if isinstance(wire.body, dict) else wire.body
    secret = draw.choice(vendors.OWN[wire.vendor])
    error: Any = draw.choice(
        (
            {"message": "no", "path": ["site", "e1"], "extensions": {"code": "FORBIDDEN"}},
            {"message": {"text": "no"}, "path": "site", "locations": None},
            {"message": None, "path": [None, 1, {}]},
            {"message": f"token {secret} refused", "extensions": {"token": secret, "code": [1]}},
            {"message": "x" * 9_000, "path": ["site", "e" + "9" * 5_000]},
            {"path": ["site", "e99"]},
            "no",
            None,
            7,
            ["no"],
        )
    )
    errors: Any = draw.choice(([error], [error] * 500, error, {"0": error}, "no", True, [], None, [[error]]))
    given: Any = draw.choice((data, None, {}, {"site": None}, {"site": {}}, [], "x", {"site": [data]}))
    wire.set_body(draw.choice(({"data": given, "errors": errors}, {"errors": errors}, {"data": given})))
    wire.status = draw.choice((200, 200, 200, 400, 401, 403, 500, 503))


def waits(draw: Random, wire: Wire) -> None:
    """A wait that is past, endless, or no time at all."""
    wire.status = draw.choice((429, 429, 503, 500, 408, 425, 200))
    after = draw.choice(
        (
            "0",
            "-1",
            "1e9",
            "1000000000",
            "9" * 400,
            "soon",
            "",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wed, 21 Oct 9999 07:28:00 GMT",
            "Wed, 99 Oct 2026 99:99:99 GMT",
            "2026-12-01T00:00:00Z",
            "1;2",
            "0.0001",
            "nan",
            "-inf",
            "\u0665",
            "120, 60",
        )
    )
    for name in ("Retry-After", "x-ratelimit-reset", "x-ratelimit-remaining"):
        if draw.random() < 0.7:
            wire.set_header(name, after)
    pause: Any = draw.choice((5, -5, 1e12, "5", None, [], True, float("inf"), 0.5))
    wire.content = json.dumps({"message": "slow down", "agent": {"backoffMs": pause}}).encode()


def links(draw: Random, wire: Wire) -> None:
    """A Link header as another server, or a proxy, may write it; relations in any writing."""
    page = int(wire.request.url.params.get("page") or 1) + 1
    mark = int(wire.request.url.params.get("pageId") or 0) + 2
    query = f"?pageId={mark}&page={page}"
    address = draw.choice(
        (
            f"https://evil.example/{query}",
            query,
            f"//evil.example/{query}",
            f"javascript:{query}",
            f"https://u:p@x.example/{query}#?page=1&pageId=1",
            f"https://x.example/a,b;c>{query}",
            f"https://x.example/?PAGEID={mark}&PAGE={page}",
            f"https://x.example/?page={page - 1}&page={page}&pageId={mark - 2}&pageId={mark}",
            f"https://x.example/?pageId=%3{mark % 10}&page=%31",
            "https://x.example/?page=&pageId=",
            f"https://x.example/?pageId={mark}.0&page={page}e0",
            f"https://x.example/?page={'9' * 18}&pageId={'9' * 18}",
            f"https://x.example/?page={'9' * 19}&pageId=-1",
            f"https://x.example/?{'&'.join(f'a{n}=1' for n in range(2_000))}&page={page}&pageId={mark}",
            "https://x.example/?" + "%" * 9_000,
        )
    )
    relation = draw.choice(
        (
            'rel="next"',
            "rel=next",
            "REL=NEXT",
            'rel="prev next last"',
            "rel='next'",
            'title="a; rel=next"; rel=prev',
            'rel="nextish"',
            'rel = "next" ; type="x"',
            "rel",
            "rel*=UTF-8''next",
            'rel=prev; rel="next"',
            'anchor="#"; rel=next',
        )
    )
    others = ('<?page=1>; rel="first"', '<?page=999>; rel="last"', "<>; rel=self", "")
    parts = [f"<{address}>; {relation}", *draw.sample(others, draw.randint(0, 3))]
    draw.shuffle(parts)
    wire.headers = [each for each in wire.headers if each[0].lower() != "link"]
    separate = draw.random() < 0.3
    wire.headers += [("Link", each) for each in (parts if separate else [", ".join(parts)])]


def not_found(draw: Random, wire: Wire) -> None:
    """404 or 204 where a list is empty, and an empty list where something is."""
    wire.status = draw.choice((404, 404, 204, 410, 200, 205))
    wire.content = draw.choice(
        (
            b"",
            b"[]",
            b"{}",
            b"null",
            b'{"code":"NotFound","message":"None found"}',
            b'{"results":null}',
            b'{"results":[]}',
            b'{"data":{"site":{"assetResources":{"total":"x","items":null,"pagination":null}}}}',
            b'{"data":{"site":{"assetResources":{"total":-1,"items":[null],"pagination":{"next":5}}}}}',
            b'{"metadata":{"total":-1,"pages":"x","page":1e9},"results":[]}',
            b'{"count":-1}',
            b'{"count":"9e9"}',
        )
    )


BODY_DAMAGES = (
    ("odd JSON", odd_json),
    ("encodings", coded),
    ("pages of others", page_instead),
    ("errors beside data", graphql_no),
    ("waits", waits),
    ("links", links),
    ("not found", not_found),
)

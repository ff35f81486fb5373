"""What can be wrong with an answer's bytes on a socket: each damage says what is sent, and when.

``damages`` changes answers that have a form; here the form itself is wrong: heads, lengths, chunks, packed
parts, ends, speed, and answers that lead elsewhere.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import repeat
from random import Random


class Ending(Enum):
    """How the server leaves the connection; without one it waits for a further request."""

    CLOSE = "close"
    RESET = "reset"


Step = bytes | float | Ending
"""Bytes to send, seconds to wait, or the end."""


@dataclass
class Reply:
    """The right answer, and what a damage says of its own."""

    body: bytes
    headers: list[tuple[bytes, bytes]]
    secret: bytes
    elsewhere: bytes
    """Address of another server, which nothing may be sent to."""
    status: bytes = b"200 OK"
    is_definite: bool = field(default=False)
    """The damage is a clear refusal: nothing was done."""

    def head(self, *more: tuple[bytes, bytes], version: bytes = b"HTTP/1.1") -> bytes:
        """The head with further headers, and without a length."""
        lines = [version + b" " + self.status]
        lines += [b"%s: %s" % each for each in (*self.headers, *more)]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def whole(self, *more: tuple[bytes, bytes], body: bytes | None = None) -> bytes:
        """Head and body, of the right length."""
        content = self.body if body is None else body
        return self.head((b"Content-Length", b"%d" % len(content)), *more) + content


Damage = Callable[[Random, Reply], Iterator[Step]]
_CHUNKED = (b"Transfer-Encoding", b"chunked")


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


def _heads(draw: Random, reply: Reply) -> Iterator[Step]:
    """A head that HTTP does not know, or hardly."""
    whole, body = reply.whole(), reply.body
    early = b"HTTP/1.1 103 Early Hints\r\nLink: <https://x.example/>; rel=next\r\n\r\n"
    long = draw.choice((4_000, 65_000, 200_000, 2_000_000))
    yield draw.choice(
        (
            early * draw.choice((1, 3, 500)) + whole,
            b"HTTP/1.1 100 Continue\r\n\r\n" + whole,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + whole,
            reply.whole((b"X-Long", b"a" * long)),
            reply.whole(*[(b"X-%d" % n, b"y") for n in range(draw.choice((90, 1_000, 20_000)))]),
            reply.whole((b"Set-Cookie", b"s=" + reply.secret), (b"WWW-Authenticate", reply.secret)),
            whole.replace(b"200 OK", b"200"),
            whole.replace(b"200 OK", draw.choice((b"2000 OK", b"20 OK", b"-1 OK", b"200OK", b"0x200 OK"))),
            whole.replace(b"200 OK", b"500 " + b"no " * long),
            whole.replace(b"200 OK", b"500 Wrong key " + reply.secret),
            whole.replace(b"200 OK", b"200 \xff\xfe\x80"),
            whole.replace(
                b"HTTP/1.1", draw.choice((b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"ICY", b"http/1.1"))
            ),
            whole.replace(b"\r\n", draw.choice((b"\n", b"\r", b"\n\n", b"\r\n ", b"\r\n\t"))),
            reply.whole((b"No colon\r\nX", b"y")),
            reply.whole((b"", b"no name")),
            reply.whole((b"X Y", b"z"), (b"X\x00", b"\x00")),
            reply.whole((b"X", b"\xff\xfe\x80"), (b"Content-Type", b"application/json; charset=\xff")),
            b"\r\n" * draw.choice((1, 5, 50_000)) + whole,
            b"\xef\xbb\xbf" + whole,
            body,
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"\x15\x03\x03\x00\x02\x02\x28",
            draw.randbytes(draw.randint(1, 3000)),
            whole[: draw.randrange(1, len(whole))],
        )
    )
    yield Ending.CLOSE


def _lengths(draw: Random, reply: Reply) -> Iterator[Step]:
    """A body that is longer or shorter than its head says, or has two lengths."""
    body = reply.body or b"{}"
    size = len(body)

    def said(*lengths: bytes) -> bytes:
        return reply.head(*[(b"Content-Length", each) for each in lengths]) + body

    yield draw.choice(
        (
            said(b"%d" % (size + 5)),
            said(b"%d" % max(0, size - draw.randint(1, 9))),
            said(b"0"),
            said(b"%d" % size, b"%d" % (size + 5)),
            said(b"%d, %d" % (size, size)),
            said(draw.choice((b"-1", b"+5", b"0x10", b"1e3", b"", b"9" * 30, b"9" * 5000, "٣".encode()))),
            reply.head((b"Content-Length", b"%d" % size), _CHUNKED) + _chunk(body) + b"0\r\n\r\n",
            reply.head((b"Transfer-Encoding", draw.choice((b"gzip, chunked", b"identity", b"xchunked"))))
            + body,
            reply.head((b"Content-Length", b"32000001")) + body,
            reply.whole() + draw.choice((b"x", b"\r\n", body, b"HTTP/1.1 500 No\r\n\r\n")),
            reply.head() + body,
        )
    )
    if draw.random() < 0.7:
        yield draw.choice((Ending.CLOSE, Ending.CLOSE, Ending.RESET))


def _chunks(draw: Random, reply: Reply) -> Iterator[Step]:
    """Chunks that are cut, of a false size, with extensions and trailers."""
    body = reply.body or b"{}"
    end = b"0\r\n\r\n"
    trailers = b"0\r\n" + b"X-Checksum: 7\r\n" * draw.choice((1, 50, 20_000)) + b"\r\n"
    yield reply.head(_CHUNKED)
    yield draw.choice(
        (
            _chunk(body) + end,
            b"".join(_chunk(body[at : at + 1]) for at in range(len(body))) + end,
            _chunk(body),
            _chunk(body)[:-3],
            _chunk(body)[:-2] + b"xx" + end,
            b"FFFFFFFFFFFFFFFFFF\r\n" + body,
            b"-5\r\n" + body + b"\r\n" + end,
            b"ZZ\r\n" + body,
            b"%x;%s\r\n%s\r\n" % (len(body), b"e=" * draw.choice((1, 40_000, 1_000_000)), body) + end,
            _chunk(body) + trailers,
            _chunk(body) + b"0\r\nSet-Cookie: s=" + reply.secret + b"\r\n\r\n",
            _chunk(body) + b"0\r\nContent-Length: 5\r\n\r\n",
            _chunk(body) + b"0\r\nno colon\r\n\r\n",
            end + _chunk(body),
            b"0" * draw.choice((10, 90_000)) + _chunk(body) + end,
        )
    )
    if draw.random() < 0.8:
        yield draw.choice((Ending.CLOSE, Ending.CLOSE, Ending.RESET))


def _statuses(draw: Random, reply: Reply) -> Iterator[Step]:
    """A status that allows no body with one, a part of a body, and HTML in place of everything."""
    page = b"<!doctype html><html><title>Log in</title>" + b"<p>" * draw.choice((1, 100_000)) + reply.secret
    reply.status = draw.choice((b"204 No Content", b"205 Reset Content", b"304 Not Modified", b"206 Partial"))
    if draw.random() < 0.4:
        reply.is_definite = reply.status.startswith(b"304")
        yield reply.whole((b"Content-Range", b"bytes 0-99/5000"))
    else:
        reply.status = draw.choice((b"200 OK", b"403 No", b"404 Not Found", b"500 No", b"502 No", b"530 No"))
        reply.is_definite = reply.status[:1] == b"4"
        reply.headers = [
            (b"Content-Type", draw.choice((b"text/html", b"application/json", b"image/png", b"")))
        ]
        yield reply.whole(body=page)
    if draw.random() < 0.5:
        yield Ending.CLOSE


def _packed(draw: Random, reply: Reply) -> Iterator[Step]:
    """Packed in several parts, of which some are empty, cut, doubled or another coding's."""
    body = reply.body or b"{}"
    half = len(body) // 2
    raw = zlib.compressobj(wbits=-15)
    choices = (
        (b"gzip", gzip.compress(body[:half]) + gzip.compress(body[half:])),
        (b"gzip", gzip.compress(b"") * draw.choice((1, 900, 100_000)) + gzip.compress(body)),
        (b"gzip", gzip.compress(body) + gzip.compress(b" " * 500)[: draw.randint(1, 20)]),
        (b"gzip", gzip.compress(body) + b"\0" * draw.randint(1, 5000)),
        (b"gzip", gzip.compress(gzip.compress(body))),
        (b"gzip, gzip", gzip.compress(gzip.compress(body))),
        (b"deflate", raw.compress(body) + raw.flush()),
        (b"deflate", zlib.compress(body) + zlib.compress(body)),
        (b"deflate", zlib.compress(body)[:-4]),
        (b"gzip", gzip.compress(body)[:-8] + b"\0" * 8),
        (b"br", b"\x0b\x02\x80" + body + b"\x03"),
        (b"zstd", b"\x28\xb5\x2f\xfd" + body),
        (b"gzip", body),
        (b"compress", body),
        (b"\xff", body),
    )
    coding, content = draw.choice(choices)
    yield reply.whole((b"Content-Encoding", coding), body=content)


def _ends(draw: Random, reply: Reply) -> Iterator[Step]:
    """A connection that ends too soon, or is reset."""
    whole = reply.whole()
    ending = draw.choice((Ending.CLOSE, Ending.RESET))
    yield whole[: draw.choice((0, 0, 1, 20, len(whole) // 2, len(whole) - 1))]
    if draw.random() < 0.3:
        yield 0.01
    yield ending


def _endless(draw: Random, reply: Reply) -> Iterator[Step]:
    """What never ends: heads, headers, bodies, chunks, trailers, packed parts."""
    block = b" " * 65_536
    squeeze = zlib.compressobj(level=9, wbits=31)
    first, further = draw.choice(
        (
            (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500),
            (b"HTTP/1.1 200 OK\r\n", b"X-More: y\r\n" * 500),
            (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a" * 65_536),
            (b"HTTP/1.1 200 ", b"OK" * 30_000),
            (b"", b"\r\n" * 30_000),
            (reply.head(), block),
            (reply.head() + b"[", b"{}," * 20_000),
            (reply.head(_CHUNKED), _chunk(block)),
            (reply.head(_CHUNKED), b"1\r\n \r\n" * 5_000),
            (reply.head(_CHUNKED) + _chunk(reply.body) + b"0\r\n", b"X-Trailer: y\r\n" * 500),
            (reply.head(_CHUNKED) + b"5;", b"e=" * 30_000),
            (reply.head((b"Content-Encoding", b"gzip")), gzip.compress(b"") * 1000),
            (
                reply.head((b"Content-Encoding", b"gzip")) + squeeze.compress(b" "),
                squeeze.compress(block * 8) + squeeze.flush(zlib.Z_FULL_FLUSH),
            ),
            (reply.head((b"Content-Encoding", b"deflate")), zlib.compress(b" ") * 1000),
            (reply.head().replace(b"200 OK", b"500 No"), block),
            (reply.head().replace(b"200 OK", b"404 No") + b"<html>", b"<p>" * 20_000),
        )
    )
    reply.is_definite = b"404 No" in first
    yield first
    yield from repeat(further)


def _slow(draw: Random, reply: Reply) -> Iterator[Step]:
    """Byte by byte, within every limit between two bytes; or silence."""
    whole = reply.whole()
    at = draw.choice((0, 15, len(whole) - len(reply.body), len(whole) - 1))
    yield whole[:at]
    if draw.random() < 0.5:
        # Longer than the client's limits.
        yield 0.5
        return
    for byte in repeat(b" "):
        yield byte
        yield 0.02


def _elsewhere(draw: Random, reply: Reply) -> Iterator[Step]:
    """Leads to another server: by a redirect, a link, a refresh, an alternative service."""
    address = reply.elsewhere
    place = draw.choice(
        (
            b"http://%s/" % address,
            b"//%s/x" % address,
            b"http://user:%s@%s/?key=%s" % (reply.secret, address, reply.secret),
            b"http://127.0.0.1@%s/" % address,
            b"/same/place",
            b"",
            b"http://[::1",
            b"\xff\x00".replace(b"\x00", b"\x80"),
            b"javascript:1",
            b"?",
        )
    )
    more = (
        (b"Location", place),
        (b"Refresh", b"0; url=" + place),
        (b"Alt-Svc", b'h2="%s"; ma=60' % address),
        (b"Content-Location", place),
        (b"Link", b'<%s>; rel="next", <%s>; rel="preload"' % (place, place)),
    )
    reply.status = draw.choice(
        (b"301 M", b"302 F", b"303 S", b"305 U", b"307 T", b"308 P", b"300 M", b"200 OK", b"201 C")
    )
    reply.is_definite = reply.status[:1] == b"3"
    yield reply.whole(*draw.sample(more, draw.randint(1, len(more))))


DAMAGES: tuple[tuple[str, Damage], ...] = (
    ("heads", _heads),
    ("heads", _heads),
    ("heads", _heads),
    ("lengths", _lengths),
    ("lengths", _lengths),
    ("chunks", _chunks),
    ("chunks", _chunks),
    ("statuses", _statuses),
    ("packed parts", _packed),
    ("packed parts", _packed),
    ("ends", _ends),
    ("elsewhere", _elsewhere),
    ("endless", _endless),
    ("slow", _slow),
)

"""A session over real sockets: dropped connections, closed ports, certificates and proxies."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.errors import (
    RetryableError,
    StopError,
    UnclearOutcomeError,
)
from connectors.http import HttpSession
from connectors.retry import RequestKind

pytestmark = pytest.mark.anyio


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def listening(
    answer: bytes, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads one request a connection, gives the answer as it is, and hangs up."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(65536))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()
        await server.wait_closed()


def write_certificate(folder: Path) -> Path:
    """A self-signed certificate of 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    place = folder / "server.pem"
    place.write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(encoding)
    )
    return place


async def no_sleep(seconds: float) -> None:
    """Waits for nothing."""


def session_to(url: str, *, verify: bool = True) -> HttpSession:
    return HttpSession(system="Vendor", base_url=url, headers={}, sleep=no_sleep, verify=verify)


async def test_a_dropped_connection_leaves_a_create_unclear() -> None:
    async with listening(b"") as (place, seen), session_to(f"http://{place}") as session:
        with pytest.raises(UnclearOutcomeError, match="no answer came"):
            await session.request(RequestKind.CREATE, "POST", "/things", json={})
    assert len(seen) == 1


async def test_an_answer_cut_off_leaves_a_create_unclear() -> None:
    async with listening(ANSWER[:-1]) as (place, _), session_to(f"http://{place}") as session:
        with pytest.raises(UnclearOutcomeError):
            await session.request(RequestKind.CREATE, "POST", "/things", json={})


async def test_a_closed_port_means_nothing_was_sent() -> None:
    async with listening(b"") as (place, _):
        pass
    async with session_to(f"http://{place}") as session:
        with pytest.raises(RetryableError, match="connection refused"):
            await session.request(RequestKind.CREATE, "POST", "/things", json={})


async def test_a_server_without_a_certificate_to_trust_is_not_spoken_to(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(write_certificate(tmp_path))
    async with listening(ANSWER, tls) as (place, seen), session_to(f"https://{place}") as session:
        with pytest.raises(StopError, match="certificate can't be verified"):
            await session.request(RequestKind.READ, "GET", "/things")
        assert session.requests == 1
    assert seen == []


async def test_an_unverified_certificate_is_taken_if_told_so(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(write_certificate(tmp_path))
    async with listening(ANSWER, tls) as (place, _), session_to(f"https://{place}", verify=False) as session:
        assert await session.request_json(RequestKind.READ, "GET", "/things") == {}


async def test_a_private_authority_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(write_certificate(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    async with listening(ANSWER, tls) as (place, _), session_to(f"https://{place}") as session:
        assert await session.request_json(RequestKind.READ, "GET", "/things") == {}


async def test_a_server_that_does_not_exist_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with session_to("https://no-such-server.invalid") as session:
        with pytest.raises(RetryableError, match="the server's name is not known"):
            await session.request(RequestKind.READ, "GET", "/things")


async def test_this_machine_is_not_asked_for_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with listening(ANSWER) as (place, seen), session_to(f"http://{place}") as session:
        assert await session.request_json(RequestKind.READ, "GET", "/things") == {}
    assert len(seen) == 1

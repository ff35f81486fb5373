"""The receiver when strangers hold its places, its ledger goes away, or the system has no handles left."""

from __future__ import annotations

import asyncio
import logging
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.errors import StopError
from connectors.ledger.inbox import Inbox
from connectors.ledger.store import Ledger
from deployments.receiver import inbox, places, server
from deployments.receiver.messages import PutOffError
from deployments.receiver.places import Places
from deployments.receiver.server import RepeatedRecords, bounded_connections
from tasks.rules.dispatch.messages import CONNECTWISE_PATH, FIELD_NATION_PATH
from tests.support.receiver import KeyServer, World, delivery, key_server, signed, webhook_body, world

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def keys() -> Iterator[KeyServer]:
    with key_server() as made:
        yield made


@pytest.fixture
async def running(keys: KeyServer, tmp_path: Path) -> AsyncIterator[World]:
    async with world(keys, tmp_path) as made:
        yield made


async def opened(running: World, begun: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of our own on which something was begun."""
    url = running.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(begun)
    await writer.drain()
    return reader, writer


def begun_message(length: int = 900) -> bytes:
    """The head of a callback that looks genuine, and the first byte of its body."""
    head = f"POST {CONNECTWISE_PATH} HTTP/1.1\r\nHost: x\r\nx-content-signature: {signed(b'')}\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n{{".encode()


async def ready(running: World) -> int:
    return (await running.http.get("/ready")).status_code


async def test_genuine_messages_get_through_while_200_slow_ones_hold_places(running: World) -> None:
    assert await running.callback() == 200
    async with AsyncExitStack() as open_ones:
        slow = await asyncio.gather(*(opened(running, begun_message()) for _ in range(200)))
        for _, writer in slow:
            open_ones.callback(writer.close)
        for _ in range(3):
            started = time.monotonic()
            assert (await running.callback(), await running.webhook()) == (200, 200)
            assert time.monotonic() - started < 1.0
        # The oldest hundred gave way; the others have the short time for a body.
        first = await asyncio.wait_for(slow[0][0].readline(), 1)
        assert first == b"HTTP/1.1 429 Too Many Requests\r\n"
    assert running.count("put_off", reason="too many at once") >= 100


async def test_without_a_signature_no_body_is_waited_for(running: World) -> None:
    for path in (CONNECTWISE_PATH, FIELD_NATION_PATH):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        reader, writer = await opened(running, head.encode())
        answer = await asyncio.wait_for(reader.read(), 2)
        assert answer.startswith(b"HTTP/1.1 401 ")
        # Read to its end: the connection is closed, so an endless body ends with it.
        assert b"connection: close" in answer.lower()
        writer.close()
    assert running.count("refused", reason="no signature") == 2


async def test_those_who_wait_for_a_key_give_way_too(running: World) -> None:
    """200 forged messages that name one slow key held all places before."""
    running.keys.pause = 0.6
    running.receiver._places = Places(unjudged=50)
    forged = [
        asyncio.create_task(running.callback(running.message(Metadata={"key_url": running.keys.url("slow")})))
        for _ in range(80)
    ]
    await asyncio.sleep(0.2)
    assert await running.webhook() == 200
    statuses = set(await asyncio.gather(*forged))
    assert statuses == {401, 429}


async def test_genuine_messages_beyond_their_places_are_put_off() -> None:
    held = Places(genuine=1)
    with held.genuine(), pytest.raises(PutOffError, match="too many at once"), held.genuine():
        pass
    with held.genuine():
        pass


async def test_a_place_is_free_again_however_it_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "UNJUDGED_SECONDS", 0.05)
    held = Places(unjudged=1)
    with pytest.raises(PutOffError, match="body too slow"):
        async with held.unjudged():
            await asyncio.sleep(5)
    with pytest.raises(LookupError):
        async with held.unjudged():
            raise LookupError
    async with held.unjudged():
        pass


async def test_a_request_head_that_only_trickles_in_is_given_up(
    running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    started = time.monotonic()
    for begun in (
        b"",
        b"POST /connectwise/callbacks HTTP/1.1\r\nx: ",
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGE",
    ):
        reader, writer = await opened(running, begun)
        rest = await asyncio.wait_for(reader.read(), 3)
        assert rest == b"" or rest.startswith(b"HTTP/1.1 200 ")
        writer.close()
    assert time.monotonic() - started < 2.5


async def test_of_too_many_connections_the_oldest_silent_one_gives_way(
    keys: KeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "most_connections", lambda: 20)
    async with world(keys, tmp_path) as running, AsyncExitStack() as open_ones:
        for _ in range(60):
            _, writer = await opened(running, b"")
            open_ones.callback(writer.close)
        assert [await running.callback() for _ in range(3)] == [200, 200, 200]


async def test_many_and_large_headers_are_refused_in_bounded_memory(running: World) -> None:
    flood = b"".join(b"x-%d: y\r\n" % each for each in range(20_000))
    reader, writer = await opened(running, b"POST /connectwise/callbacks HTTP/1.1\r\n" + flood)
    assert (await asyncio.wait_for(reader.readline(), 3)).startswith(b"HTTP/1.1 400 ")
    writer.close()
    assert await running.callback() == 200


async def test_messages_sent_one_behind_the_other_are_all_kept(running: World) -> None:
    assert await running.callback() == 200
    sent = b""
    for each in range(20):
        raw = b'{"workorder": {"id": %d}}' % each
        head = "".join(f"{name}: {value}\r\n" for name, value in delivery(raw).items())
        head = f"POST {FIELD_NATION_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n{head}\r\n"
        sent += head.encode() + raw
    reader, writer = await opened(running, sent)
    answers = b""
    while answers.count(b"HTTP/1.1 200 ") < 20:
        part = await asyncio.wait_for(reader.read(10_000), 5)
        assert part
        answers += part
    writer.close()
    assert len(await running.kept()) == 21


def delete_file(ledger: Path) -> None:
    ledger.unlink()


def delete_folder(ledger: Path) -> None:
    shutil.rmtree(ledger.parent)


def delete_write_ahead_log(ledger: Path) -> None:
    ledger.with_name("ledger.db-wal").unlink()


def replace_file(ledger: Path) -> None:
    copy = ledger.with_name("copy.db")
    with closing(sqlite3.connect(ledger)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    copy.replace(ledger)


@pytest.fixture
async def apart(keys: KeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A receiver whose ledger lies in a folder of its own."""
    monkeypatch.setattr(inbox, "REOPEN_SECONDS", 0.05)
    folder = tmp_path / "apart"
    folder.mkdir()
    async with world(keys, tmp_path, ledger=folder / "ledger.db") as made:
        made.ledger = folder / "ledger.db"
        yield made


@pytest.mark.parametrize("lose", [delete_file, delete_folder, delete_write_ahead_log, replace_file])
async def test_nothing_is_acknowledged_into_a_ledger_that_is_gone(
    apart: World, lose: Callable[[Path], None]
) -> None:
    assert (await apart.callback(), await ready(apart)) == (200, 200)
    lose(apart.ledger)
    message = apart.message()
    assert await apart.callback(message) == 429
    assert apart.count("put_off", "connectwise", "ledger") == 1
    if apart.ledger.exists():
        # What lies there now is the ledger: the repeated message is kept in it.
        assert await apart.callback(message) == 200
        return
    assert (await apart.webhook(), await ready(apart)) == (503, 503)
    assert not apart.ledger.exists(), "a new ledger knows no intents and no links"
    apart.ledger.parent.mkdir(exist_ok=True)
    async with Ledger.open(apart.ledger):
        pass
    await asyncio.sleep(0.1)
    assert (await apart.callback(message), await ready(apart)) == (200, 200)
    assert [each["name"] for each in await apart.kept()] == [message["MessageId"]]


async def test_readiness_notices_a_lost_ledger_without_any_message(apart: World) -> None:
    assert await ready(apart) == 200
    aside = apart.ledger.parent.with_name("aside")
    apart.ledger.parent.rename(aside)
    assert await ready(apart) == 503
    aside.rename(apart.ledger.parent)
    await asyncio.sleep(0.1)
    assert (await ready(apart), await apart.callback()) == (200, 200)


async def test_a_ledger_that_takes_no_writes_is_not_ready(running: World) -> None:
    class Full(Inbox):
        async def prove_writable(self) -> None:
            raise StopError("The ledger could not keep a message: database or disk is full")

    assert await ready(running) == 200
    ledger: Any = running.receiver.inbox._ledger
    ledger.inbox = Full(ledger._engine, ledger._clock)
    assert await ready(running) == 503


@contextmanager
def full_disk(ledger: Path) -> Iterator[None]:
    """No file may grow beyond what the ledger's have now, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(each.stat().st_size for each in ledger.parent.glob("ledger.db*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_on_a_full_disk_messages_are_put_off_until_there_is_room(running: World) -> None:
    assert (await running.callback(), await ready(running)) == (200, 200)
    with full_disk(running.ledger):
        # What fits into the files as they are is still kept.
        statuses = [await running.webhook(webhook_body(number)) for number in range(100)]
        assert set(statuses) == {200, 503}
        assert (await running.callback(), await ready(running)) == (429, 503)
    assert (await running.callback(), await ready(running)) == (200, 200)
    assert len(await running.kept()) == statuses.count(200) + 2


async def test_whatever_goes_wrong_inside_the_message_comes_again(running: World) -> None:
    """ConnectWise does not repeat what was answered with 500."""

    class Odd(Inbox):
        async def put_all(self, *_: Any, **__: Any) -> list[bool]:
            raise ValueError("no active connection")

    assert await running.callback() == 200
    ledger: Any = running.receiver.inbox._ledger
    ledger.inbox = Odd(ledger._engine, ledger._clock)
    assert (await running.callback(), await running.webhook()) == (429, 503)
    running.receiver._places = Any  # type: ignore[assignment]
    assert (await running.callback(), await running.webhook()) == (429, 503)
    assert running.count("put_off", reason="error of the receiver") == 2


async def test_one_message_that_can_not_be_kept_takes_no_other_with_it(running: World) -> None:
    class Picky(Inbox):
        async def put_all(self, messages: Any, digests: Any = ()) -> list[bool]:
            if any(body.get("ID") == 666 for _, _, body in messages):
                raise StopError("The ledger could not keep messages: invalid byte sequence")
            return await super().put_all(messages, digests)

    assert await running.callback() == 200
    ledger: Any = running.receiver.inbox._ledger
    ledger.inbox = Picky(ledger._engine, ledger._clock)
    lock = sqlite3.connect(running.ledger, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    sending = [asyncio.create_task(running.callback(running.message(ID=n))) for n in (1, 666, 2, 3)]
    await asyncio.sleep(0.2)
    lock.execute("ROLLBACK")
    lock.close()
    assert await asyncio.gather(*sending) == [200, 429, 200, 200]


def record(text: str, error: BaseException | None = None, name: str = "asyncio") -> logging.LogRecord:
    told = (type(error), error, None) if error else None
    return logging.LogRecord(name, logging.ERROR, "", 0, text, (), told)


def test_a_record_that_repeats_is_told_now_and_then_with_its_number() -> None:
    now = [100.0]
    repeated = RepeatedRecords(10, monotonic=lambda: now[0])
    told = [repeated.filter(record(f"accept failed\nsocket: {n}", OSError())) for n in range(5000)]
    assert sum(told) == 1
    assert repeated.filter(record("accept failed", ValueError()))
    assert repeated.filter(record("something else"))
    now[0] += 11
    again = record("accept failed", OSError())
    assert repeated.filter(again)
    assert again.getMessage() == "accept failed\n(4999 more like it were left out before)"
    assert [repeated.filter(record(str(n))) for n in range(1000)] == [True] * 1000
    assert len(repeated._kinds) <= 256


async def test_connections_are_bounded_per_server() -> None:
    assert bounded_connections(1).waiting is not bounded_connections(2).waiting  # type: ignore[attr-defined]


@pytest.mark.slow
def test_out_of_file_handles_the_log_stays_small_and_the_receiver_recovers(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    environment = {
        "CONNECTWISE_FLOWS_RECEIVER_PORT": str(port),
        "CONNECTWISE_FLOWS_LEDGER": str(tmp_path / "ledger.db"),
        "FIELD_NATION_WEBHOOK_SECRET": "5f4dcc3b-5aa7-4000-8000-65d61d8327de",
        "PATH": "/usr/bin:/bin",
    }
    # Half of them are for connections: so few that the other half is used up by hand below.
    few = "import resource as r, runpy; r.setrlimit(r.RLIMIT_NOFILE, (40, 40)); "
    few += "import deployments.receiver.server as s; s.most_connections = lambda: 1000; "
    few += "raise SystemExit(s.main())"
    with log.open("wb") as told:
        process = subprocess.Popen([sys.executable, "-c", few], cwd=ROOT, env=environment, stderr=told)
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 15
        while time.monotonic() < until:
            try:
                if httpx.get(f"{address}/ready").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(90)]
        time.sleep(2.5)
        for each in held:
            each.close()
        time.sleep(1.2)
        assert httpx.get(f"{address}/ready", timeout=5).status_code == 200
        assert "out of system resource" in log.read_text()
        assert log.stat().st_size < 20_000
    finally:
        process.terminate()
        process.wait(15)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 40

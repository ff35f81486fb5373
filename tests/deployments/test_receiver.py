"""The receiver over real sockets: what it keeps, what it refuses, and what it answers when it can't keep."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectors.errors import StopError
from connectors.ledger.inbox import Inbox, NewMessage
from connectors.ledger.request_history import DayOfRequests
from deployments.receiver.app import KEYS_ENTRY
from deployments.receiver.metrics import METRIC_PREFIX, MessageCounts
from tasks.rules.dispatch.messages import CONNECTWISE_PATH, FIELD_NATION_PATH, TICKET, About, about
from tests.support.receiver import (
    KEY,
    SECRET,
    KeyServer,
    World,
    delivery,
    key_server,
    signed,
    until,
    webhook_body,
    world,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def keys() -> Iterator[KeyServer]:
    with key_server() as made:
        yield made


@pytest.fixture
async def running(keys: KeyServer, tmp_path: Path) -> AsyncIterator[World]:
    async with world(keys, tmp_path) as made:
        yield made


async def test_a_callback_is_kept_once_and_without_the_customers_data(running: World) -> None:
    message = running.message()
    assert [await running.callback(message) for _ in range(3)] == [200, 200, 200]
    (kept,) = await running.kept()
    assert (kept["source"], kept["name"]) == ("connectwise", message["MessageId"])
    assert about(kept["source"], kept) == About("service", 7)
    assert "summary" not in json.dumps(kept)
    counted = [running.count(name) for name in ("received", "handed_over", "duplicates", "refused")]
    assert counted == [3, 1, 2, 0]
    assert running.keys.asked == ["1"]


async def test_a_webhook_is_kept_once_over_its_attempts(running: World) -> None:
    name = str(uuid.uuid4())
    tries = [await running.webhook(**{"X-FN-Delivery-Id": f"{name}:{each}"}) for each in (1, 2, 3)]
    assert tries == [200, 200, 200]
    (kept,) = await running.kept()
    assert (kept["name"], kept["workorder"]) == (name, {"id": 4711})
    assert about(kept["source"], kept) == About("work order", 4711)
    assert running.count("duplicates", "field_nation") == 2


async def test_a_deleted_record_has_no_entity_and_is_kept(running: World) -> None:
    assert await running.callback(running.message(Action="deleted", Entity=None)) == 200
    (kept,) = await running.kept()
    assert about(kept["source"], kept) == About(TICKET, 7)


async def test_half_an_emoji_in_a_ticket_is_no_reason_to_lose_its_message(running: World) -> None:
    entity = {"id": 7, "summary": "broken \ud83d", "recordType": "ServiceTicket"}
    assert await running.callback(running.message(Entity=json.dumps(entity), MemberId="\ud83d")) == 200
    assert await running.webhook(webhook_body() | {"triggered_by_user": {"id": 1, "name": "\ud83d"}}) == 200
    first, second = await running.kept()
    assert about(first["source"], first) == About("service", 7)
    assert about(second["source"], second) == About("work order", 4711)


async def test_a_callback_without_its_signature_is_refused(running: World) -> None:
    for given in (None, "", "bm8=", "*", "A" * 5000):
        assert await running.callback(**{"x-content-signature": given}) == 401
    assert await running.callback(key="another key") == 401
    assert running.count("refused", "connectwise", "no signature") == 2
    assert running.count("refused", "connectwise", "wrong signature") == 4
    assert await running.kept() == []


async def test_a_genuine_signature_over_other_bytes_is_refused(running: World) -> None:
    raw = json.dumps(running.message()).encode()
    changed = raw.replace(b'"ID": 7', b'"ID": 8')
    assert changed != raw
    assert await running.post(CONNECTWISE_PATH, changed, {"x-content-signature": signed(raw)}) == 401
    assert await running.post(CONNECTWISE_PATH, raw + b" ", {"x-content-signature": signed(raw)}) == 401
    assert running.count("refused", reason="wrong signature") == 2


STRANGE_ADDRESSES = [
    "https://keys.example/1",
    "http://127.0.0.1:1/1",
    "http://api-na.myconnectwise.net/1",
    "https://api-na.myconnectwise.net@keys.example/1",
    "https://api-na.myconnectwise.net:8443/1",
    "https://keys.example\\@api-na.myconnectwise.net/1",
    "file:///etc/passwd",
    "https://" + "a" * 600,
    "http://[::1",
    "",
    7,
    None,
]


async def test_a_key_of_another_host_is_never_fetched(running: World) -> None:
    for url in STRANGE_ADDRESSES:
        stranger = running.message(Metadata={"key_url": url})
        assert await running.callback(stranger, key="a stranger's key") == 401, url
    assert await running.callback(running.message(Metadata=None)) == 401
    count = running.count("refused", "connectwise", "key address not allowed")
    assert (count, running.keys.asked) == (len(STRANGE_ADDRESSES) + 1, [])


async def test_a_key_that_is_not_there_is_asked_for_once(running: World) -> None:
    missing = running.message(Metadata={"key_url": running.keys.url("none")})
    assert [await running.callback(missing) for _ in range(3)] == [401, 401, 401]
    assert running.count("refused", reason="no such key") == 3
    assert running.keys.asked == ["none"]


async def test_many_keys_at_once_do_not_use_up_the_vendors_limit(running: World) -> None:
    assert await running.callback() == 200
    invented = [running.message(Metadata={"key_url": running.keys.url(f"x{n}")}) for n in range(40)]
    statuses = {await running.callback(each) for each in invented}
    assert statuses == {401, 429}
    assert len(running.keys.asked) <= 12
    assert await running.callback() == 200


async def test_after_a_restart_strangers_do_not_hold_up_the_key_that_fitted_before(
    keys: KeyServer, tmp_path: Path
) -> None:
    async with world(keys, tmp_path) as running:
        assert await running.callback() == 200
        await until(lambda: running.stored(KEYS_ENTRY), {"addresses": [keys.url()]})
    async with world(keys, tmp_path, new=False) as running:
        recalling = running.receiver._recalling
        assert recalling is not None
        await recalling
        invented = [running.message(Metadata={"key_url": keys.url(f"{n}")}) for n in range(10, 40)]
        assert {await running.callback(each) for each in invented} == {401, 429}
        assert await running.callback() == 200


async def test_a_slow_key_is_put_off_and_there_for_the_next_try(running: World) -> None:
    running.keys.pause = 1.2
    message = running.message()
    started = time.monotonic()
    assert await running.callback(message) == 429
    assert time.monotonic() - started < 1.1
    await asyncio.sleep(0.6)
    assert await running.callback(message) == 200
    assert running.keys.asked == ["1"]


async def test_a_key_server_in_trouble_is_no_reason_to_lose_a_message(running: World) -> None:
    running.keys.status = 502
    message = running.message()
    assert await running.callback(message) == 429
    running.keys.status = 200
    assert await running.callback(message) == 200
    assert running.count("put_off", "connectwise", "signing key can't be fetched") == 1


async def test_a_callback_of_another_company_is_refused(running: World) -> None:
    assert await running.callback(running.message(CompanyId="other")) == 403
    assert await running.callback(running.message(CompanyId="BlueLight")) == 200


async def test_what_is_no_object_is_refused(running: World) -> None:
    odd = [b"", b"[]", b"nonsense", b"[" * 50_000, b'{"a": "\xff"}', b'{"a": NaN}']
    for raw in odd:
        assert await running.post(CONNECTWISE_PATH, raw, {"x-content-signature": signed(raw)}) == 400
        assert await running.post(FIELD_NATION_PATH, raw, delivery(raw)) == 400
    assert running.count("refused", reason="no JSON object") == 2 * len(odd)


async def test_a_body_over_the_limit_is_not_kept(running: World) -> None:
    for path in (CONNECTWISE_PATH, FIELD_NATION_PATH):
        assert await running.post(path, b"x" * 100_001, {}) == 413
    assert running.count("refused", reason="too large") == 2


async def test_a_body_without_a_length_is_read_up_to_the_limit(running: World) -> None:
    """A socket of our own: it looks for the answer while it still sends."""
    url = running.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST {CONNECTWISE_PATH} HTTP/1.1\r\nHost: x\r\nx-content-signature: {signed(b'')}\r\n"
    head += "Transfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    for _ in range(11):
        writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        await writer.drain()
    assert b" 413 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


@pytest.mark.slow
async def test_a_body_with_two_lengths_is_refused(running: World) -> None:
    raw = json.dumps(webhook_body()).encode()
    framing = {"Transfer-Encoding": "chunked", "Content-Length": str(len(raw))}
    assert await running.post(FIELD_NATION_PATH, raw, delivery(raw) | framing) == 400
    assert await running.kept() == []


async def test_a_body_that_only_trickles_in_is_given_up(running: World) -> None:
    url = running.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in delivery(b"").items())
    head = f"POST {FIELD_NATION_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n{head}\r\n{{"
    writer.write(head.encode())
    assert b" 503 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_a_forged_or_old_webhook_is_refused(running: World) -> None:
    for headers, status, reason in (
        ({"X-FN-Signature": None}, 401, "no signature"),
        ({"X-FN-Signature": "sha256=" + "0" * 64}, 401, "wrong signature"),
        ({"X-FN-Request-Timestamp": None}, 401, "old or missing time stamp"),
        ({"X-FN-Request-Timestamp": "1700000000000"}, 401, "old or missing time stamp"),
        ({"X-FN-Delivery-Id": None}, 400, "no delivery id"),
        ({"X-FN-Delivery-Id": "' OR 1=1"}, 400, "no delivery id"),
    ):
        before = running.count("refused", "field_nation", reason)
        assert await running.webhook(**headers) == status
        assert running.count("refused", "field_nation", reason) == before + 1
    assert await running.kept() == []


async def test_a_captured_webhook_does_not_count_again_under_another_name(running: World) -> None:
    """Its signature fits, since neither the delivery id nor the header's time is signed."""
    captured = webhook_body()
    assert [await running.webhook(captured) for _ in range(3)] == [200, 200, 200]
    assert len(await running.kept()) == 1
    assert (running.count("handed_over"), running.count("duplicates", "field_nation")) == (1, 2)


async def test_a_webhook_is_refused_by_its_own_time_too(running: World) -> None:
    def told(age: timedelta) -> dict[str, Any]:
        return webhook_body() | {"timestamp": (datetime.now(UTC) - age).isoformat(timespec="seconds")}

    assert await running.webhook(told(timedelta(days=16))) == 401
    assert running.count("refused", "field_nation", "old or missing time stamp") == 1
    # A dead letter that somebody at the vendor sends again by hand, and one that tells no time.
    assert await running.webhook(told(timedelta(days=13))) == 200
    assert await running.webhook(webhook_body() | {"timestamp": None}) == 200


async def test_a_webhook_that_was_signed_with_another_secret_is_refused(running: World) -> None:
    raw = json.dumps(webhook_body()).encode()
    assert await running.post(FIELD_NATION_PATH, raw, delivery(raw, str(uuid.uuid4()))) == 401
    assert await running.post(FIELD_NATION_PATH, raw, delivery(raw, SECRET)) == 200


async def test_fifty_messages_at_once_are_all_kept_and_answered_in_time(running: World) -> None:
    assert await running.callback() == 200

    async def timed(sending: Any) -> tuple[int, float]:
        started = time.monotonic()
        return await sending, time.monotonic() - started

    calls = [running.callback() if n % 2 else running.webhook(webhook_body(n)) for n in range(1, 51)]
    answers = await asyncio.gather(*map(timed, calls))
    assert {status for status, _ in answers} == {200}
    assert max(seconds for _, seconds in answers) < 1.0
    assert len(await running.kept()) == 51


async def test_without_a_ledger_each_vendor_is_told_to_repeat(keys: KeyServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with world(keys, tmp_path, ledger=tmp_path / "file" / "ledger.db") as running:
        assert await running.callback() == 429
        assert await running.webhook() == 503
        assert (await running.http.get("/health")).status_code == 200
        assert (await running.http.get("/ready")).status_code == 503
        assert "inbox_messages" not in (await running.http.get("/metrics")).text
        assert running.count("put_off", reason="ledger") == 2


@pytest.mark.slow
async def test_a_ledger_that_comes_back_is_used(keys: KeyServer, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    folder.write_text("in the way")
    async with world(keys, tmp_path, ledger=folder / "ledger.db") as running:
        message = running.message()
        assert await running.callback(message) == 429
        folder.unlink()
        await asyncio.sleep(1.1)
        assert await running.callback(message) == 200
        assert (await running.http.get("/ready")).status_code == 200


async def test_a_locked_ledger_is_put_off_within_a_second_and_loses_nothing(running: World) -> None:
    assert await running.callback() == 200
    message = running.message()
    lock = sqlite3.connect(running.ledger, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    assert await running.callback(message) == 429
    assert await running.webhook() == 503
    assert time.monotonic() - started < 2.5
    lock.execute("ROLLBACK")
    lock.close()
    await asyncio.sleep(0.3)
    assert await running.callback(message) == 200
    assert len({each["name"] for each in await running.kept()}) == 3


async def test_a_failing_write_is_put_off(running: World) -> None:
    class Broken(Inbox):
        async def put_all(self, messages: Sequence[NewMessage], digests: Sequence[str] = ()) -> list[bool]:
            raise StopError("The ledger could not keep a message: disk is full")

    assert await running.callback() == 200
    ledger: Any = running.receiver.inbox._ledger
    ledger.inbox = Broken(ledger._engine, ledger._clock)
    assert await running.callback() == 429
    assert await running.webhook() == 503
    assert running.count("put_off", reason="ledger") == 2


async def test_only_listed_addresses_may_send_where_some_are_listed(keys: KeyServer, tmp_path: Path) -> None:
    ours, theirs = (ip_network("127.0.0.0/8"),), (ip_network("203.0.113.0/24"), ip_network("2001:db8::/32"))
    async with world(keys, tmp_path, connectwise_sources=ours, field_nation_sources=theirs) as running:
        assert await running.callback() == 200
        assert await running.webhook() == 403
        assert await running.webhook(**{"X-Forwarded-For": "203.0.113.9"}) == 200
        assert await running.webhook(**{"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}) == 403
        assert running.count("refused", "field_nation", "source address") == 2


async def test_a_stranger_can_not_name_his_own_address(keys: KeyServer, tmp_path: Path) -> None:
    theirs = (ip_network("203.0.113.0/24"),)
    async with world(keys, tmp_path, field_nation_sources=theirs, proxies=("192.0.2.1",)) as running:
        assert await running.webhook(**{"X-Forwarded-For": "203.0.113.9"}) == 403


async def test_a_vendor_that_is_not_set_up_is_refused(keys: KeyServer, tmp_path: Path) -> None:
    async with world(keys, tmp_path, webhook_secret="", connectwise=None) as running:
        assert (await running.callback(), await running.webhook()) == (403, 403)
        assert running.count("refused", reason="not set up") == 2


def metrics_of(text: str) -> dict[tuple[str, ...], float]:
    """The receiver's values by name and labels, as Prometheus reads them."""
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
    return {
        (
            each.name.removeprefix(f"{METRIC_PREFIX}_"),
            *(value for _, value in sorted(each.labels.items())),
        ): each.value
        for each in samples
        if each.name.startswith(METRIC_PREFIX)
    }


async def test_metrics_add_up_and_tell_what_waits(running: World) -> None:
    message = running.message()
    for key in (KEY, KEY, "another"):
        await running.callback(message, key=key)
    await running.webhook(**{"X-FN-Signature": None})
    values = metrics_of((await running.http.get("/metrics")).text)
    assert values["received_total", "connectwise"] == 3
    assert values["handed_over_total", "connectwise"] == 1
    assert values["duplicates_total", "connectwise"] == 1
    assert values["refused_total", "wrong signature", "connectwise"] == 1
    assert values["refused_total", "no signature", "field_nation"] == 1
    assert values["inbox_messages", "waiting"] == 1
    ended = [value for (name, *_), value in values.items() if name == "answer_seconds_count"]
    assert sum(ended) == 4


async def test_metrics_tell_of_the_process_and_how_long_answers_took(running: World) -> None:
    await running.callback()
    answer = await running.http.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "\nprocess_resident_memory_bytes " in answer.text
    values = metrics_of(answer.text)
    assert values["answer_seconds_bucket", "0.9", "handed_over", "connectwise"] == 1
    assert not any(name.endswith("_created") for name, *_ in values)


def test_a_label_can_not_break_the_text_and_each_receiver_counts_for_itself() -> None:
    counts, others = MessageCounts(), MessageCounts()
    budget = 'connectwise:a"b\\c\nd'
    counts.add("refused", "connectwise", 'a "reason"\nof two lines')
    text = counts.text(requests={budget: DayOfRequests(requests=7)})
    values = metrics_of(text)
    assert values["refused_total", 'a "reason"\nof two lines', "connectwise"] == 1
    assert values["vendor_requests_of_day", budget] == 7
    assert (counts.of("refused"), others.of("refused")) == (1, 0)


async def test_nothing_else_is_served(running: World) -> None:
    for path in ("/", "/docs", "/openapi.json", "/connectwise/callbacks"):
        assert (await running.http.get(path)).status_code in (404, 405)

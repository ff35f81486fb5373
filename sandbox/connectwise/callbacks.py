"""Callbacks: which entries hear of a change, signed messages, real POSTs with retries, faults, forged ones.

Messages go to loopback addresses only. The vendor repeats only on 404, 409, 419 and 429, twice, after 2 and
4 s, and waits 5 s for an answer. That it disables an entry after three days of failures is left out.

Control addresses under ``/_sandbox/callbacks``:

GET  ""            every message so far with its outcome, lost and forged ones too
PUT  ""            {"duplicate", "lose", "reorder": shares, "seed", "reorder_within": s}; left out: off
POST "/forge"      {"how", "callback", "collection", "recordId", "action", "message", "key_url"}: see `forge`
POST "/rotate-key" sign with a new key from now on
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import random
import uuid
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.schema.system import CALLBACK_LEVELS, CALLBACK_TYPES, CALLBACKS, EVERY, ITSELF, NEVER
from sandbox.connectwise.schema.tables import table_of
from sandbox.connectwise.store import Change, Record, Store
from sandbox.connectwise.writes import API_MEMBER
from sandbox.credentials import SIGNATURE_HEADER, signature
from sandbox.requests import Background

if TYPE_CHECKING:
    from sandbox.world import World

API = "/v4_6_release/apis/3.0"
KEY_WORDS = ("system", "callbackkeys")
REPEATED = (404, 409, 419, 429)
LEAST_DELAY = 0.2
MessageKind = Literal["genuine", "duplicate", "signature", "unsigned", "body", "key_url", "replay"]
FORGED_KEY = "a stranger's key"
SIGNED_WRONGLY = ("signature", "unsigned", "body", "key_url")


@dataclass(frozen=True)
class Sender:
    """What messages say of the server that sends them; `root` is its address without a slash at the end."""

    root: str
    company_id: str

    def key_url(self, name: str) -> str:
        return f"{self.root}{API}/{'/'.join(KEY_WORDS)}/{name}"

    def payload(self, store: Store, entry: Record, change: Change, key_url: str) -> Record:
        """The members of one message, as recorded of a real server (docs/vendors.md, ConnectWise 4.4)."""
        return {
            "MessageId": str(uuid.uuid4()),
            "FromUrl": self.root.partition("://")[2],
            "CompanyId": self.company_id,
            "MemberId": change.by,
            "Action": change.action,
            "Type": CALLBACK_TYPES[change.collection],
            "ID": change.record_id,
            "ProductInstanceId": str(uuid.uuid5(uuid.NAMESPACE_DNS, self.company_id)),
            "PartnerId": None,
            "Entity": None if change.action == "deleted" else self._entity(store, change),
            "Metadata": {"key_url": key_url},
            "CallbackObjectRecId": entry["id"],
        }

    def _entity(self, store: Store, change: Change) -> str:
        renderer = Renderer(table_of(change.collection), store, base=self.root + API)
        return json.dumps(renderer.record(change.record), ensure_ascii=False, separators=(",", ":"))


def wants(entry: Record, change: Change, own: str) -> bool:
    """Whether this entry's receiver is told of a change; `own` is the member whose entry it is."""
    record_type = CALLBACK_TYPES.get(change.collection)
    if entry.get("inactiveFlag") or record_type is None or entry["type"].lower() != record_type:
        return False
    if entry.get("isSelfSuppressedFlag") and change.by == own:
        return False
    member = CALLBACK_LEVELS[record_type][entry["level"].lower()]
    if member == EVERY:
        return True
    if member == ITSELF:
        return bool(entry["objectId"] == change.record_id)
    return member != NEVER and change.record.get(member) == {"id": entry["objectId"]}


def encode_payload(payload: Record) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def address(entry: Record, change: Change) -> str:
    """The entry's url with the record's id appended to the text as it stands, and the action."""
    return f"{entry['url']}{change.record_id}&action={change.action}"


@dataclass
class MessageFaults:
    """Shares (0 to 1) of the messages that are sent twice, lost, or held back so that others overtake them.

    `seed` makes the choice repeatable; `reorder_within` is the longest time (s) that one is held back.
    """

    duplicate: float = 0.0
    lose: float = 0.0
    reorder: float = 0.0
    seed: int = 0
    reorder_within: float = 1.0


@dataclass
class Delivery:
    """One message to one address. `statuses` are those of its attempts, 0 for no answer.

    `outcome`: waiting, delivered, refused (after the last attempt), no answer, lost, or not loopback.
    """

    callback_id: int
    url: str
    body: bytes
    signature: str
    kind: MessageKind = "genuine"
    outcome: str = "waiting"
    statuses: list[int] = field(default_factory=list)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))

    def as_json(self) -> dict[str, Any]:
        payload = json.loads(self.body)
        names = ("MessageId", "Type", "Action", "ID", "MemberId")
        shown = {"callbackId": self.callback_id, "kind": self.kind, "url": self.url, "created": self.created}
        tried = {"outcome": self.outcome, "statuses": self.statuses}
        return {**shown, **{name: payload[name] for name in names}, **tried}


class Callbacks:
    """Tells the callbacks' receivers of every change of the store; `root` is the server's own address."""

    def __init__(self, world: World, background: Background) -> None:
        """Listens from now on. `background` keeps a task running until it ends or the sandbox is reset."""
        self.root = "http://localhost"
        self.log: list[Delivery] = []
        self._world = world
        self._background = background
        self.set_faults({})
        world.store.watch.listener = self.changed

    def set_faults(self, given: dict[str, Any]) -> None:
        """Exchange the faults, all others off; ValueError: unknown, or a share outside 0 to 1."""
        unknown = sorted(set(given) - {one.name for one in fields(MessageFaults)})
        faults = MessageFaults(**{name: value for name, value in given.items() if name not in unknown})
        shares = (faults.duplicate, faults.lose, faults.reorder)
        if unknown or not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"unknown faults {unknown}, or a share that is not within 0 and 1: {shares}")
        self._faults = faults
        self._draw = random.Random(f"callbacks-{faults.seed}")

    def changed(self, change: Change) -> None:
        """Send a message to every receiver that wants to hear of the change."""
        for entry in list(self._world.store.collection(CALLBACKS.name).values()):
            if wants(entry, change, API_MEMBER):
                self._start(self.message(entry, change))

    def message(self, entry: Record, change: Change, kind: MessageKind = "genuine") -> Delivery:
        """A signed message that is not sent yet."""
        store = self._world.store
        name, key = store.keys.current
        sender = Sender(self.root, self._world.credentials.company_id)
        body = encode_payload(sender.payload(store, entry, change, sender.key_url(name)))
        return Delivery(entry["id"], address(entry, change), body, signature(key, body), kind)

    def send(self, delivery: Delivery, pause: float = 0.0) -> None:
        """Log the message and send it, if it goes to this machine."""
        self.log.append(delivery)
        if not _is_loopback(delivery.url):
            delivery.outcome = "not loopback"
            return
        self._background(self._send_until_heard(delivery, pause))

    def _start(self, delivery: Delivery) -> None:
        draw, faults = self._draw, self._faults
        lost, held, twice = (draw.random() < one for one in (faults.lose, faults.reorder, faults.duplicate))
        pause = draw.uniform(min(LEAST_DELAY, faults.reorder_within), faults.reorder_within) if held else 0.0
        if lost:
            delivery.outcome = "lost"
            self.log.append(delivery)
            return
        self.send(delivery, pause)
        if twice:
            self.send(_again(delivery, "duplicate"))

    async def _send_until_heard(self, delivery: Delivery, pause: float) -> None:
        for wait in [pause, *self._world.switches.callback_waits]:
            await asyncio.sleep(wait)
            status = await _post(delivery, self._world.switches.callback_time_limit)
            delivery.statuses.append(status)
            if status not in REPEATED:
                break
        last = delivery.statuses[-1]
        delivery.outcome = "delivered" if 200 <= last < 300 else "refused" if last else "no answer"


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _post(delivery: Delivery, time_limit: float) -> int:
    # Here, since most sandboxes never send anything and start faster without it.
    import httpx

    headers = {"Content-Type": "application/json; charset=utf-8"}
    if delivery.signature:
        headers[SIGNATURE_HEADER] = delivery.signature
    try:
        secure = delivery.url.startswith("https:")
        async with asyncio.timeout(time_limit):
            async with httpx.AsyncClient(timeout=None, trust_env=False, verify=secure) as client:  # noqa: S113
                answer = await client.post(delivery.url, content=delivery.body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError):
        return 0
    return answer.status_code


def answer_callbacks(callbacks: Callbacks, store: Store, method: str, path: str, body: Any) -> Any:
    """What a control address answers; ValueError: no such address, or a message that can't be made."""
    match method, path.strip("/"):
        case "GET", "":
            return [one.as_json() for one in callbacks.log]
        case "PUT", "":
            return callbacks.set_faults(body or {})
        case "POST", "forge":
            delivery = forge(callbacks, store, body or {})
            callbacks.send(delivery)
            return delivery.as_json()
        case "POST", "rotate-key":
            return {"key": store.keys.rotate()}
    raise ValueError(f"no such control address: {method} callbacks/{path}")


def forge(callbacks: Callbacks, store: Store, given: dict[str, Any]) -> Delivery:
    """A message that a receiver must refuse, for the entry `callback` (usual: the first).

    `how`: signature (usual; signed with another key), unsigned, body (a genuine signature over other bytes),
    key_url (rightly signed with a key that another address, `key_url`, would give), or replay (the delivered
    message `message`, usual: the first, once more). It tells of `action` on `recordId` of `collection`.

    Raises:
        ValueError: an unknown way, or nothing to forge.
    """
    how = given.get("how", "signature")
    if how == "replay":
        return _replayed(callbacks.log, given.get("message"))
    if how not in SIGNED_WRONGLY:
        raise ValueError(f"no such way: {how}; there are {', '.join((*SIGNED_WRONGLY, 'replay'))}")
    made = callbacks.message(_entry(store, given), _change(store, given), how)
    if how == "unsigned":
        made.signature = ""
    elif how == "signature":
        made.signature = signature(FORGED_KEY, made.body)
    else:
        payload = json.loads(made.body)
        if how == "key_url":
            payload["Metadata"] = {"key_url": given.get("key_url", "http://keys.example/key")}
        made.body = encode_payload({**payload, "MemberId": "a stranger"})
        if how == "key_url":
            made.signature = signature(FORGED_KEY, made.body)
    return made


def _replayed(log: list[Delivery], message: str | None) -> Delivery:
    for one in log:
        is_old = one.kind == "genuine" and one.outcome == "delivered"
        if is_old and message in (None, json.loads(one.body)["MessageId"]):
            return _again(one, "replay")
    raise ValueError("no such message was delivered yet")


def _again(one: Delivery, kind: MessageKind) -> Delivery:
    return Delivery(one.callback_id, one.url, one.body, one.signature, kind)


def _entry(store: Store, given: dict[str, Any]) -> dict[str, Any]:
    entries = store.collection(CALLBACKS.name)
    if not entries:
        raise ValueError("there is no callback")
    return entries[int(given.get("callback", next(iter(entries))))]


def _change(store: Store, given: dict[str, Any]) -> Change:
    collection = given.get("collection", "service/tickets")
    records = store.collection(collection)
    number = int(given.get("recordId", next(iter(records), 0)))
    record = records.get(number, {"id": number})
    return Change(collection, number, given.get("action", "updated"), "admin", record)

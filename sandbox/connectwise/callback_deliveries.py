"""Callbacks on their way: real POSTs to loopback addresses, repeated as the vendor does, and faults.

The vendor repeats only on 404, 409, 419 and 429, twice, after 2 and 4 s, and waits 5 s for an answer. That it
disables an entry after three days of failures is left out.
"""

import asyncio
import ipaddress
import json
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from sandbox.connectwise.access import Credentials
from sandbox.connectwise.callback_messages import Sender, address, encoded
from sandbox.connectwise.callback_rules import wants
from sandbox.connectwise.callback_tables import CALLBACKS
from sandbox.connectwise.signing import SIGNATURE_HEADER, signature
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.watching import Change
from sandbox.connectwise.writing import API_MEMBER
from sandbox.switches import Switches

REPEATED = (404, 409, 419, 429)
LEAST_DELAY = 0.2
Background = Callable[[Coroutine[Any, Any, None]], None]
Kind = Literal["genuine", "duplicate", "signature", "unsigned", "body", "key_url", "replay"]


class World(Protocol):
    """What deliveries need of the sandbox."""

    @property
    def store(self) -> Store:
        """The records, callbacks and signing keys among them."""

    @property
    def switches(self) -> Switches:
        """How long to wait."""

    @property
    def credentials(self) -> Credentials:
        """The company that messages name."""


@dataclass
class Faults:
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
    kind: Kind = "genuine"
    outcome: str = "waiting"
    statuses: list[int] = field(default_factory=list)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))

    def as_json(self) -> dict[str, Any]:
        """The entry of the log."""
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
        """Exchange the faults; what is left out is off.

        Raises:
            ValueError: an unknown fault or a share outside 0 to 1.
        """
        unknown = sorted(set(given) - {one.name for one in fields(Faults)})
        faults = Faults(**{name: value for name, value in given.items() if name not in unknown})
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

    def message(self, entry: Record, change: Change, kind: Kind = "genuine") -> Delivery:
        """A signed message that is not sent yet."""
        store = self._world.store
        name, key = store.keys.current
        sender = Sender(self.root, self._world.credentials.company_id)
        body = encoded(sender.payload(store, entry, change, sender.key_url(name)))
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
            copy = Delivery(
                delivery.callback_id, delivery.url, delivery.body, delivery.signature, "duplicate"
            )
            self.send(copy)

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
    host = urlsplit(url).hostname or ""
    try:
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
    except (httpx.HTTPError, TimeoutError, ValueError):
        return 0
    return answer.status_code

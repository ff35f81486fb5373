"""Control addresses under ``/_sandbox/callbacks``.

GET  ""            every message so far with its outcome, lost and forged ones too
PUT  ""            {"duplicate", "lose", "reorder": shares, "seed", "reorder_within": s}; left out: off
POST "/forge"      {"how", "callback", "collection", "recordId", "action", "message", "key_url"}: see `forged`
POST "/rotate-key" sign with a new key from now on
"""

import json
from typing import Any

from sandbox.connectwise.callback_deliveries import Callbacks, Delivery
from sandbox.connectwise.callback_messages import encoded
from sandbox.connectwise.callback_tables import CALLBACKS
from sandbox.connectwise.signing import signature
from sandbox.connectwise.store import Store
from sandbox.connectwise.watching import Change

STRANGER = "a stranger's key"
SIGNED_WRONGLY = ("signature", "unsigned", "body", "key_url")


def answer_callbacks(callbacks: Callbacks, store: Store, method: str, path: str, body: Any) -> Any:
    """What a control address answers.

    Raises:
        ValueError: an address that does not exist, or a message that can't be made.
    """
    match method, path.strip("/"):
        case "GET", "":
            return [one.as_json() for one in callbacks.log]
        case "PUT", "":
            return callbacks.set_faults(body or {})
        case "POST", "forge":
            delivery = forged(callbacks, store, body or {})
            callbacks.send(delivery)
            return delivery.as_json()
        case "POST", "rotate-key":
            return {"key": store.keys.rotate()}
    raise ValueError(f"no such control address: {method} callbacks/{path}")


def forged(callbacks: Callbacks, store: Store, given: dict[str, Any]) -> Delivery:
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
        made.signature = signature(STRANGER, made.body)
    else:
        payload = json.loads(made.body)
        if how == "key_url":
            payload["Metadata"] = {"key_url": given.get("key_url", "http://keys.example/key")}
        made.body = encoded({**payload, "MemberId": "a stranger"})
        if how == "key_url":
            made.signature = signature(STRANGER, made.body)
    return made


def _replayed(log: list[Delivery], message: str | None) -> Delivery:
    for one in log:
        is_old = one.kind == "genuine" and one.outcome == "delivered"
        if is_old and message in (None, json.loads(one.body)["MessageId"]):
            return Delivery(one.callback_id, one.url, one.body, one.signature, "replay")
    raise ValueError("no such message was delivered yet")


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

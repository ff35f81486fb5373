"""The messages of callbacks: their payload and where they go."""

import json
import uuid
from dataclasses import dataclass

from sandbox.connectwise.callback_tables import TYPES
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.tables import table_of
from sandbox.connectwise.watching import Change

API = "/v4_6_release/apis/3.0"
KEY_WORDS = ("system", "callbackkeys")


@dataclass(frozen=True)
class Sender:
    """What messages say of the server that sends them; `root` is its address without a slash at the end."""

    root: str
    company_id: str

    def key_url(self, name: str) -> str:
        """Where the key of that id is served."""
        return f"{self.root}{API}/{'/'.join(KEY_WORDS)}/{name}"

    def payload(self, store: Store, entry: Record, change: Change, key_url: str) -> Record:
        """The members of one message, as recorded of a real server (reference, section 4.4)."""
        return {
            "MessageId": str(uuid.uuid4()),
            "FromUrl": self.root.partition("://")[2],
            "CompanyId": self.company_id,
            "MemberId": change.by,
            "Action": change.action,
            "Type": TYPES[change.collection],
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


def encoded(payload: Record) -> bytes:
    """The payload's bytes, which are signed and sent."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def address(entry: Record, change: Change) -> str:
    """The entry's url with the record's id appended to the text as it stands, and the action."""
    return f"{entry['url']}{change.record_id}&action={change.action}"

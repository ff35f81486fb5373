"""One ticket of the sandbox and its work order, seen and worked on by people: what the dispatch demo does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from deployments.local_sandbox import Sandbox

BOARD = "Field Services"
LOOK_SECONDS = 0.2


class Desk:
    """The first service ticket of the board, and the people around it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        tickets = [one for one in sandbox.state("service/tickets") if one["board"]["name"] == BOARD]
        self.ticket_id = int(tickets[0]["id"])
        self.summary = str(tickets[0]["summary"])
        self.notes_before = {one["id"] for one in self._notes()}

    @property
    def reference(self) -> str:
        return f"CW-S-{self.ticket_id}"

    def set_status(self, name: str) -> None:
        """A person of the service desk sets the ticket's status."""
        statuses = self.sandbox.state("service/boards/statuses")
        board = self.ticket()["board"]["id"]
        found = next(each for each in statuses if (each["name"], each["board"]["id"]) == (name, board))
        self.sandbox.edit("service/tickets", self.ticket_id, {"status": {"id": found["id"]}})

    def write_note(self, text: str) -> None:
        """A person of the service desk writes into the ticket's discussion."""
        note = {"ticketId": self.ticket_id, "text": text, "detailDescriptionFlag": True}
        self.sandbox.add("service/tickets/notes", note)

    def provider(self, step: str, **given: Any) -> None:
        """A step of the provider on the ticket's work order."""
        self.sandbox.provider(int(self.orders()[0]["id"]), step, **given)

    def ticket(self) -> dict[str, Any]:
        found = self.sandbox.state("service/tickets")
        return next(each for each in found if each["id"] == self.ticket_id)

    def status(self) -> str:
        return str(self.ticket()["status"]["name"])

    def custom_field(self, caption: str) -> Any:
        fields = self.ticket()["customFields"]
        return next((each.get("value") for each in fields if each["caption"] == caption), None)

    def notes(self) -> list[dict[str, Any]]:
        """The ticket's notes that were written since the demo began."""
        return [each for each in self._notes() if each["id"] not in self.notes_before]

    def has_note(self, text: str) -> bool:
        return any(text in str(each["text"]) for each in self.notes())

    def times(self) -> list[dict[str, Any]]:
        found = self.sandbox.state("time/entries")
        return [each for each in found if each.get("chargeToId") == self.ticket_id]

    def orders(self) -> list[dict[str, Any]]:
        """The work orders that carry the ticket's reference, with their messages."""
        found = self.sandbox.state("field_nation/work_orders")
        return [each for each in found if self.reference in str(each.get("title"))]

    def messages(self) -> list[str]:
        """The texts of the work order's messages, answers included."""
        found = [one for order in self.orders() for one in order["messages"]["results"]]
        return [str(one["message"]) for each in found for one in (each, *each.get("replies", []))]

    def until(self, what: str, met: Callable[[], bool], seconds: float) -> float:
        """Waits, and returns how many seconds that took; RuntimeError if it takes longer."""
        started = time.monotonic()
        while not met():
            if time.monotonic() - started > seconds:
                raise RuntimeError(f"{what}: not within {seconds:.0f} s")
            time.sleep(LOOK_SECONDS)
        return time.monotonic() - started

    def _notes(self) -> list[dict[str, Any]]:
        found = self.sandbox.state("service/tickets/notes")
        return [each for each in found if each["ticketId"] == self.ticket_id]

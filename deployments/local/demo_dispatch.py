"""``make demo-dispatch``: a ticket becomes a work order through a real callback, and comes back step by step.

Starts the sandbox's scenario ``dispatch``, a Prefect server, the receiver and the served deployment of
dispatch-inbox, all on this machine; nothing but HTTP goes between them. Writes ``demo-dispatch.json``, in a
checkout under ``build/``.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from rich.console import Console
from rich.table import Table

from deployments import BUILD
from deployments.local.prefect import LocalPrefect, local_prefect, send_what_is_queued, speak_to
from deployments.local.receiver import LocalReceiver, local_inbox, local_receiver, receiver_environment
from deployments.local.sandbox import Sandbox, start_sandbox

BOARD = "Field Services"
LOOK_SECONDS = 0.2
FIELD = "FN check-in"
FROM_DESK = "The gate code is 4711; the shift lead knows."
FROM_PROVIDER = "I am on site, the ladder is with me."
CLOSING = "Access point replaced, all lights green."
PUBLISHED = "a published work order"
PATIENCE = 30.0
START_SECONDS = 90.0
ONCE = ("/token", "/companyinfo/", "/callbackkeys/", "/approve")
"""Not counted: tokens, API address and signing key, asked for once an hour or less, and the buyer's click."""
Figures = dict[str, Any]
SOON = 15.0
"""Seconds within which a ticket must have become a work order."""


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
        statuses = self.sandbox.state("service/boards/statuses")
        board = self.ticket()["board"]["id"]
        found = next(each for each in statuses if (each["name"], each["board"]["id"]) == (name, board))
        self.sandbox.edit("service/tickets", self.ticket_id, {"status": {"id": found["id"]}})

    def write_note(self, text: str) -> None:
        note = {"ticketId": self.ticket_id, "text": text, "detailDescriptionFlag": True}
        self.sandbox.add("service/tickets/notes", note)

    def provider(self, step: str, **given: Any) -> None:
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


@dataclass(frozen=True, slots=True)
class Scene:
    """What somebody does, and what is to come of it: its name, and whether it is there."""

    words: str
    act: Callable[[], Any]
    what: str
    met: Callable[[], bool]


def show(console: Console, sandbox: Sandbox, prefect: LocalPrefect, receiver: LocalReceiver) -> Figures:
    """The story, from the ticket to its completion; returns what was counted."""
    desk = Desk(sandbox)
    desk.until("A run of dispatch-inbox", lambda: is_running(prefect), START_SECONDS)
    console.print(f"Prefect UI, until the demo ends: {prefect.ui_url}. dispatch-inbox/served is running.")
    # Every callback comes twice from now on, as vendors do now and then.
    sandbox.callbacks("PUT", body={"duplicate": 1.0})
    seconds: dict[str, float] = {}
    requests: dict[str, str] = {}
    for scene in [*scenes_at_the_desk(desk), *scenes_on_site(desk)]:
        sandbox.clear_requests()
        console.print(f"[bold]{scene.words}[/bold]")
        scene.act()
        seconds[scene.what] = round(desk.until(scene.what, scene.met, PATIENCE), 1)
        desk.until("An inbox without messages", lambda: receiver.waiting() == 0, PATIENCE)
        requests[scene.what] = sent(sandbox)
        console.print(f"  {scene.what}: after {seconds[scene.what]} s; requests: {requests[scene.what]}")
    attack(sandbox)
    wait_for_quiet_inbox(desk, receiver)
    return counted(desk, receiver) | {"requests": requests, "seconds": seconds}


def scenes_at_the_desk(desk: Desk) -> Iterator[Scene]:
    """From the ticket to a provider who knows what the desk knows."""
    yield Scene(
        f"The desk sets ticket {desk.ticket_id} ({desk.summary}) to Dispatch.",
        lambda: desk.set_status("Dispatch"),
        PUBLISHED,
        lambda: any(each["status"]["name"] == "Published" for each in desk.orders()),
    )
    yield Scene(
        "A provider takes the work order.",
        lambda: desk.provider("accept"),
        "ticket status Assigned",
        lambda: desk.status() == "Assigned",
    )
    yield Scene(
        f"The desk writes a note: {FROM_DESK}",
        lambda: desk.write_note(FROM_DESK),
        "a message of the work order",
        lambda: any(FROM_DESK in each for each in desk.messages()),
    )


def scenes_on_site(desk: Desk) -> Iterator[Scene]:
    """From the arrival to the approval."""
    yield Scene(
        "The provider checks in.",
        lambda: desk.provider("check-in"),
        f"custom field {FIELD}",
        lambda: bool(desk.custom_field(FIELD)),
    )
    yield Scene(
        f"The provider writes: {FROM_PROVIDER}",
        lambda: desk.provider("message", message=FROM_PROVIDER),
        "a note of the ticket",
        lambda: desk.has_note(FROM_PROVIDER),
    )
    yield Scene(
        "The provider checks out after two and a half hours and closes the work.",
        lambda: leave(desk),
        "an internal note and a time entry",
        lambda: desk.has_note(CLOSING) and len(desk.times()) > 0,
    )
    yield Scene(
        "The buyer approves the work order.",
        lambda: approve(desk),
        "ticket status Completed",
        lambda: desk.status() == "Completed",
    )


def leave(desk: Desk) -> None:
    desk.provider("check-out", hours=2.5)
    desk.provider("work-done", closing_notes=CLOSING)


def approve(desk: Desk) -> None:
    from connectors.field_nation.client import FieldNationClient
    from connectors.field_nation.settings import FieldNationSettings

    names = ("client_id", "client_secret", "username", "password", "base_address")
    account = {name: desk.sandbox.info["field_nation"][name] for name in names}

    async def click() -> None:
        async with FieldNationClient(FieldNationSettings(**account)) as client:
            await client.approve_work_order(int(desk.orders()[0]["id"]))

    asyncio.run(click())


def attack(sandbox: Sandbox) -> None:
    """A forged callback, one with somebody else's key, and an old one again."""
    for how in ("signature", "key_url", "replay"):
        sandbox.callbacks("POST", "forge", {"how": how})


def wait_for_quiet_inbox(desk: Desk, receiver: LocalReceiver) -> None:
    """Until no message waits any longer, and none has come for a moment."""
    seen: list[tuple[int, int]] = []

    def is_quiet() -> bool:
        seen.append((receiver.counts().get("received", 0), receiver.waiting()))
        return len(seen) > 10 and len(set(seen[-10:])) == 1 and seen[-1][1] == 0

    desk.until("An empty inbox", is_quiet, PATIENCE)


def sent(sandbox: Sandbox) -> str:
    """The requests to both vendors that this step took, without those of ``ONCE``."""
    counted = sandbox.requests()
    numbers = (
        sum(number for name, number in counted[each]["by"].items() if not any(word in name for word in ONCE))
        for each in ("connectwise", "field_nation")
    )
    return "{} to ConnectWise, {} to Field Nation".format(*numbers)


def counted(desk: Desk, receiver: LocalReceiver) -> Figures:
    notes = [str(each["text"]) for each in desk.notes()]
    return {
        "work_orders": len(desk.orders()),
        "ticket_status": desk.status(),
        "custom_field": desk.custom_field(FIELD),
        "internal_notes_of_the_completion": sum(CLOSING in each for each in notes),
        "time_entries": len(desk.times()),
        "hours": sum(float(each["actualHours"]) for each in desk.times()),
        "desk_note_at_field_nation": sum(FROM_DESK in each for each in desk.messages()),
        "provider_message_at_connectwise": sum(FROM_PROVIDER in each for each in notes),
        "messages_of_the_work_order": len(desk.messages()),
        "notes_of_the_ticket": len(notes),
        "receiver": receiver.counts(),
    }


def is_running(prefect: LocalPrefect) -> bool:
    body = {
        "flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}},
        "flows": {"name": {"any_": ["dispatch-inbox"]}},
    }
    return int(httpx.post(f"{prefect.api_url}/flow_runs/count", json=body).raise_for_status().json()) > 0


def main() -> int:
    """Run the demo; the exit code says whether what it shows is as promised."""
    return 1 if broken_promises(run_demo(BUILD, Console(highlight=False))) else 0


def run_demo(build: Path, console: Console) -> Figures:
    """The demo in the folder ``demo-dispatch`` under ``build``; returns what ``demo-dispatch.json`` has."""
    started = time.monotonic()
    home = build / "demo-dispatch"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    console.print("Starting a sandbox of ConnectWise and Field Nation, a Prefect server and the receiver ...")
    secret = str(uuid.uuid4())
    with start_sandbox("--seed", "7", "--assets", "2", "--scenario", "dispatch") as sandbox:
        environment = receiver_environment(sandbox.info, secret, home / "ledger.db")
        with local_prefect(home) as prefect, local_receiver(environment, home / "receiver.log") as receiver:
            speak_to(prefect)
            asyncio.run(set_up(sandbox, receiver, secret, home / "ledger.db"))
            send_what_is_queued()
            with local_inbox(prefect, home / "inbox.log"):
                figures = show(console, sandbox, prefect, receiver)
    figures["seconds"]["whole demo"] = round(time.monotonic() - started, 1)
    written = build / "demo-dispatch.json"
    written.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    tell(console, figures)
    console.print(f"Written to {written}.")
    for problem in broken_promises(figures):
        console.print(f"[red]{problem}[/red]")
    return figures


async def set_up(sandbox: Sandbox, receiver: LocalReceiver, secret: str, ledger: Path) -> None:
    """The blocks, the rules, and the receiver's address at both vendors."""
    from deployments.blocks import save_field_nation_block, save_sandbox_blocks
    from flows.register_callbacks import register_callbacks
    from tasks.dispatch.settings import CreateState, DispatchRules, DispatchSettings, WorkOrderDefaults
    from tasks.rules.dispatch.events import (
        OutboundAction,
        OutboundRule,
        WorkOrderEvent,
        default_outbound_rules,
    )

    await save_sandbox_blocks(sandbox.info, ledger)
    await save_field_nation_block(sandbox.info, secret)
    time_entry = OutboundRule(event=WorkOrderEvent.COMPLETED, action=OutboundAction.ADD_TIME_ENTRY)
    rules = DispatchSettings(
        create_state=CreateState.PUBLISH,
        work_orders=WorkOrderDefaults(type_of_work_id=103, pay_type="fixed", pay_amount=150, pay_units=1),
        outbound_rules=[*default_outbound_rules(), time_entry],
    )
    await DispatchRules(rules=rules).save("default", overwrite=True)
    await register_callbacks(receiver.address, dry_run=False)


def broken_promises(figures: Figures) -> list[str]:
    once = (
        "work_orders",
        "internal_notes_of_the_completion",
        "time_entries",
        "desk_note_at_field_nation",
        "provider_message_at_connectwise",
    )
    problems = [f"{name}: {figures[name]} instead of 1." for name in once if figures[name] != 1]
    if figures["ticket_status"] != "Completed" or not figures["custom_field"]:
        problems.append("The ticket did not get its status or its custom field.")
    if figures["seconds"][PUBLISHED] > SOON:
        problems.append(f"The work order took longer than {SOON:.0f} s.")
    if figures["receiver"].get("refused", 0) < 2 or figures["receiver"].get("duplicates", 0) < 1:
        problems.append("A forged or replayed callback was not refused.")
    return problems


def tell(console: Console, figures: Figures) -> None:
    table = Table(title="Dispatch, ConnectWise PSA to Field Nation and back (sandbox)", show_header=False)
    for name, value in figures.items():
        if not isinstance(value, dict):
            table.add_row(name.replace("_", " ").capitalize(), str(value))
    for group in ("receiver", "requests", "seconds"):
        for name, value in figures[group].items():
            table.add_row(f"{group.capitalize()}: {name.replace('_', ' ')}", str(value))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())

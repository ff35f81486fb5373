"""``make demo-dispatch``: a ticket becomes a work order through a real callback, and comes back step by step.

Starts the sandbox's scenario ``dispatch``, a Prefect server, the receiver and the served deployment of
dispatch-inbox, all on this machine. Nothing but HTTP goes between them. Writes ``build/demo-dispatch.json``.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
from rich.console import Console
from rich.table import Table

from deployments.dispatch_desk import Desk
from deployments.local_prefect import LocalPrefect, local_prefect, send_what_is_queued
from deployments.local_receiver import LocalReceiver, local_inbox, local_receiver, receiver_environment
from deployments.local_sandbox import Sandbox, start_sandbox

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
FIELD = "FN check-in"
FROM_DESK = "The gate code is 4711; the shift lead knows."
FROM_PROVIDER = "I am on site, the ladder is with me."
CLOSING = "Access point replaced, all lights green."
SOON = 15.0
"""Seconds within which a ticket must have become a work order."""
PATIENCE = 30.0
Figures = dict[str, Any]


def main() -> int:
    """Run the demo; the exit code says whether what it shows is as promised."""
    started = time.monotonic()
    home = BUILD / "demo-dispatch"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    console = Console(highlight=False)
    console.print("Starting a sandbox of ConnectWise and Field Nation, a Prefect server and the receiver ...")
    secret = str(uuid.uuid4())
    with start_sandbox("--seed", "7", "--assets", "2", "--scenario", "dispatch") as sandbox:
        environment = receiver_environment(sandbox.info, secret, home / "ledger.db")
        with (
            local_prefect(home) as prefect,
            local_receiver(environment, home / "receiver.log") as receiver,
        ):
            # Prefect reads its settings when it is imported, so the flows are imported after this.
            os.environ.update(prefect.environment)
            asyncio.run(set_up(sandbox, receiver, secret, home / "ledger.db"))
            send_what_is_queued()
            with local_inbox(prefect, home / "inbox.log"):
                figures = show(console, sandbox, prefect, receiver)
    figures["seconds"]["whole demo"] = round(time.monotonic() - started, 1)
    (BUILD / "demo-dispatch.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))
    tell(console, figures)
    problems = broken_promises(figures)
    for problem in problems:
        console.print(f"[red]{problem}[/red]")
    return 1 if problems else 0


async def set_up(sandbox: Sandbox, receiver: LocalReceiver, secret: str, ledger: Path) -> None:
    """The blocks, the rules, and the receiver's address at both vendors."""
    from deployments.blocks import save_field_nation_block, save_sandbox_blocks
    from flows.register_callbacks import register_callbacks
    from tasks.dispatch.block import DispatchRules
    from tasks.dispatch.outbound import OutboundAction, OutboundRule, WorkOrderEvent, default_outbound_rules
    from tasks.dispatch.settings import CreateState, DispatchSettings, WorkOrderDefaults

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


def show(console: Console, sandbox: Sandbox, prefect: LocalPrefect, receiver: LocalReceiver) -> Figures:
    """The story, from the ticket to its completion; returns what was counted."""
    desk = Desk(sandbox)
    desk.until("A run of dispatch-inbox", lambda: is_running(prefect), 90)
    console.print(f"Prefect UI, until the demo ends: {prefect.ui_url}. dispatch-inbox/served is running.")
    # Every callback comes twice from now on, as vendors do now and then.
    sandbox.callbacks("PUT", body={"duplicate": 1.0})
    seconds: dict[str, float] = {}
    requests: dict[str, str] = {}
    for words, act, what, met in story(desk):
        sandbox.clear_requests()
        console.print(f"[bold]{words}[/bold]")
        act()
        seconds[what] = round(desk.until(what, met, PATIENCE), 1)
        desk.until("An inbox without messages", lambda: receiver.waiting() == 0, PATIENCE)
        requests[what] = sent(sandbox)
        console.print(f"  {what}: after {seconds[what]} s; requests: {requests[what]}")
    attack(sandbox)
    settle(desk, receiver)
    return counted(desk, receiver) | {"requests": requests, "seconds": seconds}


def story(desk: Desk) -> list[tuple[str, Callable[[], Any], str, Callable[[], bool]]]:
    """What people do, and what is to come of it."""

    def provider(step: str, **given: Any) -> Callable[[], Any]:
        return lambda: desk.sandbox.provider(int(desk.orders()[0]["id"]), step, **given)

    def note(text: str) -> Callable[[], bool]:
        return lambda: any(text in str(each["text"]) for each in desk.notes())

    return [
        (
            f"The desk sets ticket {desk.ticket_id} ({desk.summary}) to Dispatch.",
            lambda: desk.set_status("Dispatch"),
            "a published work order",
            lambda: any(each["status"]["name"] == "Published" for each in desk.orders()),
        ),
        (
            "A provider takes the work order.",
            provider("accept"),
            "ticket status Assigned",
            lambda: desk.status() == "Assigned",
        ),
        (
            f"The desk writes a note: {FROM_DESK}",
            lambda: desk.write_note(FROM_DESK),
            "a message of the work order",
            lambda: any(FROM_DESK in each for each in desk.messages()),
        ),
        (
            "The provider checks in.",
            provider("check-in"),
            f"custom field {FIELD}",
            lambda: bool(desk.custom_field(FIELD)),
        ),
        (
            f"The provider writes: {FROM_PROVIDER}",
            provider("message", message=FROM_PROVIDER),
            "a note of the ticket",
            note(FROM_PROVIDER),
        ),
        (
            "The provider checks out after two and a half hours and closes the work.",
            lambda: (provider("check-out", hours=2.5)(), provider("work-done", closing_notes=CLOSING)()),
            "an internal note and a time entry",
            lambda: note(CLOSING)() and len(desk.times()) > 0,
        ),
        (
            "The buyer approves the work order.",
            lambda: approve(desk),
            "ticket status Completed",
            lambda: desk.status() == "Completed",
        ),
    ]


def approve(desk: Desk) -> None:
    """The buyer's own click in Field Nation."""
    from connectors.field_nation.client import FieldNationClient, FieldNationSettings

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


def settle(desk: Desk, receiver: LocalReceiver) -> None:
    """Until no message waits any longer, and none has come for a moment."""
    seen: list[tuple[int, int]] = []

    def is_quiet() -> bool:
        seen.append((receiver.counts().get("received", 0), receiver.waiting()))
        return len(seen) > 10 and len(set(seen[-10:])) == 1 and seen[-1][1] == 0

    desk.until("An empty inbox", is_quiet, PATIENCE)


def sent(sandbox: Sandbox) -> str:
    """The requests to both vendors; those for tokens, and the buyer's own click, are not counted."""
    counted = sandbox.requests()
    numbers = (
        sum(
            number
            for name, number in counted[each]["by"].items()
            if not name.endswith(("/token", "/approve"))
        )
        for each in ("connectwise", "field_nation")
    )
    return "{} to ConnectWise, {} to Field Nation".format(*numbers)


def counted(desk: Desk, receiver: LocalReceiver) -> Figures:
    """What is there at the end, on both sides."""
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
    """Whether a run of the served deployment works."""
    body = {
        "flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}},
        "flows": {"name": {"any_": ["dispatch-inbox"]}},
    }
    return int(httpx.post(f"{prefect.api_url}/flow_runs/count", json=body).raise_for_status().json()) > 0


def broken_promises(figures: Figures) -> list[str]:
    """What the demo should have shown and did not."""
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
    if figures["seconds"]["a published work order"] > SOON:
        problems.append(f"The work order took longer than {SOON:.0f} s.")
    if figures["receiver"].get("refused", 0) < 2 or figures["receiver"].get("duplicates", 0) < 1:
        problems.append("A forged or replayed callback was not refused.")
    return problems


def tell(console: Console, figures: Figures) -> None:
    """The counts as a table."""
    table = Table(title="Dispatch, ConnectWise PSA to Field Nation and back (sandbox)", show_header=False)
    for name, value in figures.items():
        if not isinstance(value, dict):
            table.add_row(name.replace("_", " ").capitalize(), str(value))
    for group in ("receiver", "requests", "seconds"):
        for name, value in figures[group].items():
            table.add_row(f"{group.capitalize()}: {name.replace('_', ' ')}", str(value))
    console.print(table)
    console.print(f"Written to {(BUILD / 'demo-dispatch.json').relative_to(ROOT)}.")


if __name__ == "__main__":
    sys.exit(main())

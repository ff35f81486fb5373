"""The story that the dispatch demo tells: what people do with one ticket, and what is to come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console

from deployments.dispatch_desk import Desk
from deployments.local_prefect import LocalPrefect
from deployments.local_receiver import LocalReceiver
from deployments.local_sandbox import Sandbox

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
    settle(desk, receiver)
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
    """The provider's last two steps."""
    desk.provider("check-out", hours=2.5)
    desk.provider("work-done", closing_notes=CLOSING)


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
    """The requests to both vendors that this step took, without those of ``ONCE``."""
    counted = sandbox.requests()
    numbers = (
        sum(number for name, number in counted[each]["by"].items() if not any(word in name for word in ONCE))
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

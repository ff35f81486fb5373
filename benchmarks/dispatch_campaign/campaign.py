"""``make campaign-dispatch``: 300 tickets through a storm of faults, and what is true of them afterwards.

Two dispatch processes and the receiver, killed and started again, work against the sandbox while messages
are doubled, reordered, lost and forged, both vendors fail in every way, and lists come back empty. Then the
faults end, sweeps run, and the sandbox is asked what there is. The seed decides all that is drawn, also
whether the ledger is SQLite or PostgreSQL, but not how requests interleave.

``python -m benchmarks.dispatch_campaign.campaign [--seed N] [--tickets N] [--ledger sqlite|postgresql]``
writes ``build/dispatch-campaign.json`` and ends with status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import secrets
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console
from rich.table import Table

from benchmarks.dispatch_campaign.faults import ForgedMessages, begin_storm, end_storm
from benchmarks.dispatch_campaign.oracle import (
    Oracle,
    accepting_sweep,
    broken_bounds,
    later_round,
    measure,
    quiet_round,
)
from benchmarks.dispatch_campaign.people import ORDERS, People
from benchmarks.dispatch_campaign.processes import (
    Workers,
    connectwise_settings,
    field_nation_settings,
)
from benchmarks.dispatch_campaign.receiver import KilledReceiver, killed_receiver, lost_messages
from benchmarks.dispatch_campaign.stories import (
    COLLECTIONS,
    OPPORTUNITY,
    Story,
    as_json,
    changed_settings,
    draw_stories,
)
from benchmarks.performance.runner import BUILD
from connectors.connectwise.client import ConnectWiseClient
from connectors.field_nation.client import FieldNationClient
from deployments.local.postgres import PostgresMissingError, postgres_cluster
from deployments.local.receiver import receiver_environment
from deployments.local.sandbox import Sandbox, start_sandbox
from tasks.rules.dispatch.messages import CONNECTWISE_PATH, FIELD_NATION_PATH

LONGEST_STORM, LONGEST_CALM = 360.0, 600.0
UNTIL_ACCEPTED = 60.0
"""So long what is over the ceiling of cancellations a day waits for a person."""
OUTSIDERS = 10
"""For so many dispatched tickets there is one more that never comes into the trigger."""
LOOK = 0.4
FORGE_EVERY = 1.5
ROTATION = 40.0
RECEIVER_KILLS = (15.0, 60.0)
"""Between these seconds one kill of the receiver follows the other."""
SQLITE, POSTGRESQL = "sqlite", "postgresql"
Say = Callable[[str], None]
MOST_FAULTS = 40
TICKETS_DRAWN = 300
SECONDS_A_TICKET = 0.6


class Campaign:
    """One campaign: costs without faults, the storm, the calm, an hour later, a quiet round, the verdict."""

    def __init__(
        self, sandbox: Sandbox, seed: int, tickets: int, folder: Path, *, spread: float, ledger: str | Path
    ) -> None:
        self._sandbox = sandbox
        self._ledger = ledger
        self._seed = seed
        self._tickets = tickets
        self._folder = folder
        self._spread = spread
        self._secret = str(uuid.UUID(int=random.Random(f"{seed}-secret").getrandbits(128), version=4))
        self._faults: list[str] = []

    async def run(self, say: Say) -> dict[str, Any]:
        """The result, as the file holds it; ``faults`` is empty if everything was right."""
        began = time.monotonic()
        say("Calm: requests of one work order ...")
        figures = await measure(self._sandbox, self._folder / "figures.db")
        self._faults += broken_bounds(figures)
        stories = self._begin()
        environment = receiver_environment(self._sandbox.info, self._secret, self._ledger)
        with killed_receiver(environment, self._folder / "receiver.log") as receiver:
            workers = Workers(self._seed, self._sandbox.info, self._ledger, self._folder)
            try:
                result = await self._phases(say, stories, receiver, workers)
            finally:
                workers.close()
        return {
            "seed": self._seed,
            "ledger": SQLITE if isinstance(self._ledger, Path) else POSTGRESQL,
            "tickets": self._tickets,
            "seconds": round(time.monotonic() - began),
            "differs from production": changed_settings(),
            "stories": as_json(stories),
            "requests without faults": figures,
            **result,
            "faults": self._faults,
        }

    def _begin(self) -> list[Story]:
        """Fresh data: service tickets, and a project ticket and an opportunity for each ten of them."""
        wanted = self._tickets + max(2, self._tickets // OUTSIDERS)
        self._sandbox.reset(seed=self._seed, assets=2, scenario="dispatch", tickets=-(-wanted * 10 // 11))
        self._sandbox.switch(field_nation_rate_limit=None, field_nation_webhook_retries=[1, 2, 4])
        boards = {"service": "Field Services", "project": "Field Projects"}
        found = {
            kind: [
                int(each["id"])
                for each in self._sandbox.state(COLLECTIONS[kind])
                if (each.get("board") or {}).get("name") == board
            ]
            for kind, board in boards.items()
        }
        opportunities = [int(each["id"]) for each in self._sandbox.state(COLLECTIONS[OPPORTUNITY])]
        return draw_stories(
            self._seed, found["service"], found["project"], self._tickets, self._spread, opportunities
        )

    async def _phases(
        self, say: Say, stories: list[Story], receiver: KilledReceiver, workers: Workers
    ) -> dict[str, Any]:
        manager_settings = field_nation_settings(self._sandbox.info, self._secret)
        async with FieldNationClient(manager_settings) as manager:
            await self._subscribe(manager, receiver)
            people = People(self._sandbox, manager, stories)
            forged = ForgedMessages(self._sandbox, receiver.address, self._secret, self._seed)
            say("Storm ...")
            storm = await self._storm(say, stories, people, forged, workers, receiver)
            say(f"Calm after {storm['seconds']} s and {workers.kills} kills; what is left is done ...")
            calm = await self._calm(say, stories, people, workers)
        say("Quiet: an hour later, and then once more ...")
        later = await later_round(self._sandbox, self._ledger)
        quiet = await quiet_round(self._sandbox, self._ledger)
        self._judge(stories, people, forged, receiver, workers, quiet)
        lost = await lost_messages(self._sandbox, self._ledger)
        self._faults += [f"acknowledged and lost: {each}" for each in lost]
        return {
            "storm": storm,
            "calm": calm,
            "an hour later": later,
            "quiet round": quiet,
            "kills": {"number": workers.kills, "at": _counted(workers.where())},
            "strangers": dict(sorted(forged.sent.items())),
            "receiver": {**receiver.counts(), "killed": receiver.kills},
        }

    async def _subscribe(self, manager: FieldNationClient, receiver: KilledReceiver) -> None:
        """Our own changes are told too, so that echoes have every chance."""
        events = [str(each["name"]) for each in await manager.list_webhook_events()]
        await manager.create_webhook(receiver.address + FIELD_NATION_PATH, events)
        async with ConnectWiseClient(connectwise_settings(self._sandbox.info)) as client:
            url = f"{receiver.address}{CONNECTWISE_PATH}?recordId="
            for kind in ("ticket", "opportunity"):
                await client.callbacks.create({"url": url, "type": kind, "level": "owner", "objectId": 1})

    async def _storm(
        self,
        say: Say,
        stories: list[Story],
        people: People,
        forged: ForgedMessages,
        workers: Workers,
        receiver: KilledReceiver,
    ) -> dict[str, Any]:
        begin_storm(self._sandbox, self._seed)
        draw = random.Random(f"{self._seed}-storm")
        kills = random.Random(f"{self._seed}-receiver")
        began, told, next_forged, rotation = time.monotonic(), 0.0, FORGE_EVERY, ROTATION
        next_kill = kills.uniform(*RECEIVER_KILLS)
        while people.left and (now := time.monotonic() - began) < LONGEST_STORM:
            workers.tend()
            await people.act(now)
            if now > next_forged:
                orders = self._sandbox.state(ORDERS)
                number = int(draw.choice(orders)["id"]) if orders else 410_001
                forged.send(draw.choice(stories).ticket, number)
                next_forged += FORGE_EVERY
            if now > next_kill:
                receiver.kill()
                next_kill += kills.uniform(*RECEIVER_KILLS)
            if now > rotation:
                self._sandbox.callbacks("POST", "rotate-key")
                rotation += ROTATION
            if now > told + 20:
                told = now
                say(f"  {now:.0f} s: {people.left} steps left, {workers.kills} kills")
            await anyio.sleep(LOOK)
        seconds = round(time.monotonic() - began)
        return {"seconds": seconds, "steps left": people.left, "disturbed requests": end_storm(self._sandbox)}

    async def _calm(self, say: Say, stories: list[Story], people: People, workers: Workers) -> dict[str, Any]:
        """Until all is as it must be, or time is up: then what is wrong is found once more at the end."""
        workers.calm()
        began, told, accepted = time.monotonic(), 0.0, 0
        while (now := time.monotonic() - began) < LONGEST_CALM:
            workers.tend()
            await people.act(float("inf"))
            if not people.left and not Oracle(self._sandbox).faults(stories):
                break
            if now > told + 20:
                told = now
                left = people.waiting() or Oracle(self._sandbox).faults(stories)
                say(f"  {now:.0f} s: {len(left)} to do, such as {left[0] if left else 'none'}")
                over = Oracle(self._sandbox).left_alive(stories) if now > UNTIL_ACCEPTED else 0
                accepted += await accepting_sweep(self._sandbox, self._ledger, over) if over else 0
            await anyio.sleep(2)
        workers.stop()
        return {
            "seconds": round(time.monotonic() - began),
            "steps left": people.left,
            "cancellations a person accepted": accepted,
        }

    def _judge(
        self,
        stories: list[Story],
        people: People,
        forged: ForgedMessages,
        receiver: KilledReceiver,
        workers: Workers,
        quiet: dict[str, Any],
    ) -> None:
        faults = self._faults
        faults += [f"not done: {each}" for each in people.waiting()]
        faults += [f"two living work orders at once: {each}" for each in sorted(people.doubles)]
        faults += Oracle(self._sandbox).faults(stories)
        faults += [f"the quiet round wrote: {name} ({number})" for name, number in quiet["writes"].items()]
        faults += [f"believed: {each}" for each in forged.believed()]
        faults += [f"a dispatch process ended by itself with status {code}" for code in workers.crashes]
        if not workers.kills:
            faults.append("no process was killed, so nothing was shown")
        counted = receiver.counts()
        faults += [f"replayed: {each}" for each in forged.taken_twice(counted)]
        for source, number in forged.refusals_wanted().items():
            refused = counted.get(f"refused {source}", 0)
            if refused != number:
                faults.append(f"{refused} messages of {source} were refused and counted, {number} forged")


def _counted(lines: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        name = " ".join("/".join("{id}" if part.isdecimal() else part for part in line.split("/")).split())
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def show(console: Console, result: dict[str, Any]) -> None:
    table = Table(
        title=f"Dispatch campaign: {result['tickets']} tickets, seed {result['seed']}, {result['ledger']}"
    )
    table.add_column("What", no_wrap=True)
    table.add_column("How many", justify="right")
    for title, counts in _sections(result).items():
        table.add_section()
        for name, number in counts.items():
            table.add_row(f"{title}: {name}", f"{number:,}" if isinstance(number, int) else str(number))
    console.print(table)
    costs = Table(title="Requests of one work order without faults")
    for name in ("Event", "ConnectWise", "Field Nation"):
        costs.add_column(name, justify="left" if name == "Event" else "right")
    for name, counted in result["requests without faults"].items():
        costs.add_row(name, str(counted["connectwise"]), str(counted["field_nation"]))
    console.print(costs)
    console.print("Different from production: waiting times are short, so that the campaign ends soon:")
    for name, words in result["differs from production"].items():
        console.print(f"  {name}: {words}")
    faults = result["faults"]
    for fault in faults[:MOST_FAULTS]:
        console.print(f"WRONG: {fault}", style="red", markup=False)
    if len(faults) > MOST_FAULTS:
        console.print(f"and {len(faults) - MOST_FAULTS} more", style="red")
    if not faults:
        console.print(
            "One living work order for each ticket in the trigger, every note once on both sides, no echo."
        )


def _sections(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "Tickets": result["stories"],
        "Disturbed requests": result["storm"]["disturbed requests"],
        "Killed": {"processes": result["kills"]["number"]},
        "Forged and replayed": result["strangers"],
        "Receiver": result["receiver"],
        "Seconds": {
            "storm": result["storm"]["seconds"],
            "calm": result["calm"]["seconds"],
            "in all": result["seconds"],
        },
        "An hour later": {
            f"intents {name}": number for name, number in result["an hour later"]["intents"].items()
        }
        | {f"messages {name}": number for name, number in result["an hour later"]["inbox"].items()},
        "Quiet round": {
            f"requests to {name}": number for name, number in result["quiet round"]["requests"].items()
        }
        | {"writes": sum(result["quiet round"]["writes"].values())},
    }


def run_campaign(
    seed: int, tickets: int, folder: Path, console: Console, *, postgresql: bool = False
) -> list[str]:
    """Runs it in ``folder``, which is emptied; what was wrong, nothing if all was right.

    Raises:
        PostgresMissingError: its ledger is to be PostgreSQL, and there is none on this machine.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        ledger = stack.enter_context(postgres_cluster()) if postgresql else folder / "ledger.db"
        sandbox = stack.enter_context(start_sandbox("--seed", "7", "--assets", "2", "--scenario", "dispatch"))
        spread = tickets * SECONDS_A_TICKET
        campaign = Campaign(sandbox, seed, tickets, folder, spread=spread, ledger=ledger)
        result = anyio.run(campaign.run, console.print)
    (folder / "result.json").write_text(json.dumps(result, indent=2), encoding="utf-8")
    show(console, result)
    return list(result["faults"])


def drawn_ledger(seed: int) -> str:
    """Which kind of ledger a seed draws."""
    return random.Random(f"{seed}-ledger").choice((SQLITE, POSTGRESQL))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dispatch_campaign.campaign")
    parser.add_argument("--seed", type=int, help="replays the drawing of an earlier campaign")
    parser.add_argument(
        "--tickets", type=int, default=TICKETS_DRAWN, help="tickets that come into the trigger"
    )
    parser.add_argument("--ledger", choices=(SQLITE, POSTGRESQL), help="else drawn from the seed")
    given = parser.parse_args()
    # As Ctrl-C does: the processes under test are ended too, and not left to work on by themselves.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=max(120, Console().width))
    # Of the people's own clients; the processes under test have files for their logs.
    logging.getLogger("connectors").setLevel(logging.ERROR)
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    console.print(f"Seed {seed}: repeat with python -m benchmarks.dispatch_campaign.campaign --seed {seed}")
    folder = BUILD / "dispatch-campaign"
    postgresql = (given.ledger or drawn_ledger(seed)) == POSTGRESQL
    try:
        faults = run_campaign(seed, given.tickets, folder, console, postgresql=postgresql)
    except PostgresMissingError as error:
        console.print(f"{error} Without it, give --ledger sqlite.", style="red")
        return 2
    shutil.copy(folder / "result.json", BUILD / "dispatch-campaign.json")
    if faults:
        console.print(f"Seed {seed}: {len(faults)} things are wrong; logs are under {folder}", style="red")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())

"""One campaign from the calm before the storm to the quiet after it."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from benchmarks.campaign.figures import broken_bounds, measure
from benchmarks.campaign.opening import connectwise_settings, field_nation_settings
from benchmarks.campaign.people import ORDERS, TICKETS, People
from benchmarks.campaign.processes import Receiver, Workers
from benchmarks.campaign.quiet import later_round, quiet_round
from benchmarks.campaign.rules import changed_settings
from benchmarks.campaign.stories import Story, as_json, draw_stories
from benchmarks.campaign.strangers import Strangers
from benchmarks.campaign.truth import Truth
from benchmarks.campaign.weather import begin_storm, end_storm
from connectors.connectwise.client import ConnectWiseClient
from connectors.field_nation.client import FieldNationClient
from deployments.local.sandbox import Sandbox
from tasks.rules.dispatch.messages import CONNECTWISE_PATH, FIELD_NATION_PATH

LONGEST_STORM, LONGEST_CALM = 360.0, 600.0
OUTSIDERS = 10
"""For so many dispatched tickets there is one more that never comes into the trigger."""
LOOK = 0.4
STRANGER_EVERY = 1.5
ROTATION = 40.0
Say = Callable[[str], None]


class Campaign:
    """See ``benchmarks.dispatch_campaign``."""

    def __init__(self, sandbox: Sandbox, seed: int, tickets: int, folder: Path, *, spread: float) -> None:
        self._sandbox = sandbox
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
        ledger = self._folder / "ledger.db"
        receiver = Receiver(self._sandbox.info, ledger, self._secret, self._folder / "receiver.log")
        workers = Workers(self._seed, self._sandbox.info, ledger, self._folder)
        try:
            result = await self._weather(say, stories, receiver, workers, ledger)
        finally:
            workers.close()
            receiver.close()
        return {
            "seed": self._seed,
            "tickets": self._tickets,
            "seconds": round(time.monotonic() - began),
            "differs from production": changed_settings(),
            "stories": as_json(stories),
            "requests in calm weather": figures,
            **result,
            "faults": self._faults,
        }

    def _begin(self) -> list[Story]:
        """Fresh data: service tickets and a project ticket for each ten of them."""
        wanted = self._tickets + max(2, self._tickets // OUTSIDERS)
        self._sandbox.reset(seed=self._seed, assets=2, scenario="dispatch", tickets=-(-wanted * 10 // 11))
        self._sandbox.switch(field_nation_rate_limit=None, field_nation_webhook_retries=[1, 2, 4])
        boards = {"service": "Field Services", "project": "Field Projects"}
        found = {
            kind: [
                int(each["id"])
                for each in self._sandbox.state(TICKETS[kind])
                if (each.get("board") or {}).get("name") == board
            ]
            for kind, board in boards.items()
        }
        return draw_stories(self._seed, found["service"], found["project"], self._tickets, self._spread)

    async def _weather(
        self, say: Say, stories: list[Story], receiver: Receiver, workers: Workers, ledger: Path
    ) -> dict[str, Any]:
        manager_settings = field_nation_settings(self._sandbox.info, self._secret)
        async with FieldNationClient(manager_settings) as manager:
            await self._subscribe(manager, receiver)
            people = People(self._sandbox, manager, stories)
            strangers = Strangers(self._sandbox, receiver.address, self._secret, self._seed)
            say("Storm ...")
            storm = await self._storm(say, stories, people, strangers, workers)
            say(f"Calm after {storm['seconds']} s and {workers.kills} kills; what is left is done ...")
            calm = await self._calm(say, stories, people, workers)
        say("Quiet: an hour later, and then once more ...")
        later = await later_round(self._sandbox, ledger)
        quiet = await quiet_round(self._sandbox, ledger)
        self._judge(stories, people, strangers, receiver, workers, quiet)
        return {
            "storm": storm,
            "calm": calm,
            "an hour later": later,
            "quiet round": quiet,
            "kills": {"number": workers.kills, "at": _counted(workers.where())},
            "strangers": dict(sorted(strangers.sent.items())),
            "receiver": receiver.counts(),
        }

    async def _subscribe(self, manager: FieldNationClient, receiver: Receiver) -> None:
        """Our own changes are told too, so that echoes have every chance."""
        events = [str(each["name"]) for each in await manager.list_webhook_events()]
        await manager.create_webhook(receiver.address + FIELD_NATION_PATH, events)
        async with ConnectWiseClient(connectwise_settings(self._sandbox.info)) as client:
            url = f"{receiver.address}{CONNECTWISE_PATH}?recordId="
            await client.create_callback({"url": url, "type": "ticket", "level": "owner", "objectId": 1})

    async def _storm(
        self, say: Say, stories: list[Story], people: People, strangers: Strangers, workers: Workers
    ) -> dict[str, Any]:
        begin_storm(self._sandbox, self._seed)
        draw = random.Random(f"{self._seed}-storm")
        began, told, stranger, rotation = time.monotonic(), 0.0, STRANGER_EVERY, ROTATION
        while people.left and (now := time.monotonic() - began) < LONGEST_STORM:
            workers.tend()
            await people.act(now)
            if now > stranger:
                orders = self._sandbox.state(ORDERS)
                number = int(draw.choice(orders)["id"]) if orders else 410_001
                strangers.act(draw.choice(stories).ticket, number)
                stranger += STRANGER_EVERY
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
        began, told = time.monotonic(), 0.0
        while (now := time.monotonic() - began) < LONGEST_CALM:
            workers.tend()
            await people.act(float("inf"))
            if not people.left and not Truth(self._sandbox).faults(stories):
                break
            if now > told + 20:
                told = now
                left = people.waiting() or Truth(self._sandbox).faults(stories)
                say(f"  {now:.0f} s: {len(left)} to do, such as {left[0] if left else 'none'}")
            await anyio.sleep(2)
        workers.stop()
        return {"seconds": round(time.monotonic() - began), "steps left": people.left}

    def _judge(
        self,
        stories: list[Story],
        people: People,
        strangers: Strangers,
        receiver: Receiver,
        workers: Workers,
        quiet: dict[str, Any],
    ) -> None:
        faults = self._faults
        faults += [f"not done: {each}" for each in people.waiting()]
        faults += [f"two living work orders at once: {each}" for each in sorted(people.doubles)]
        faults += Truth(self._sandbox).faults(stories)
        faults += [f"the quiet round wrote: {name} ({number})" for name, number in quiet["writes"].items()]
        faults += [f"believed: {each}" for each in strangers.believed()]
        faults += [f"a dispatch process ended by itself with status {code}" for code in workers.crashes]
        if not workers.kills:
            faults.append("no process was killed, so nothing was shown")
        counted = receiver.counts()
        faults += [f"replayed: {each}" for each in strangers.taken_twice(counted)]
        for source, number in strangers.refusals_wanted().items():
            refused = counted.get(f"refused {source}", 0)
            if refused != number:
                faults.append(f"{refused} messages of {source} were refused and counted, {number} forged")


def _counted(lines: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        name = " ".join("/".join("{id}" if part.isdecimal() else part for part in line.split("/")).split())
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))

"""Churn of assets between two scans, and of tickets between two runs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sandbox.connectwise.links import LinkWriter
from sandbox.connectwise.schema.tables import TABLES
from sandbox.data.assets import PAGE_PLACE, AssetMaker
from sandbox.data.provider import RUN_COMPANY
from sandbox.data.tickets import LINKS
from sandbox.editing import PERSON
from sandbox.world import World

ASSET_KINDS = ("rename", "move", "add", "retire")

Asset = dict[str, Any]
TICKET_KINDS = ("close", "reopen", "attach", "detach", "add", "delete")
Ticket = tuple[str, int]


def churn(world: World, share: float, kinds: tuple[str, ...] = ASSET_KINDS) -> dict[str, list[str]]:
    """Change a share (0 to 1) of the assets, split evenly over the kinds, at least one each.

    Returns the keys of the assets by kind. Values that an edit through the API locked stay as they are.
    The same world and the same calls before give the same changes; they are dated now.

    Raises:
        ValueError: a share outside 0 to 1, or an unknown kind.
    """
    _check(share, kinds, ASSET_KINDS)
    world.churns += 1
    draw = random.Random(f"{world.seed}-churn-{world.churns}")
    keys = list(world.lansweeper.assets)
    draw.shuffle(keys)
    each = max(1, round(len(keys) * share / len(kinds))) if kinds and share > 0 else 0
    return {kind: _ASSET_CHANGES[kind](world, draw, _take(keys, each, kind)) for kind in kinds}


def _check(share: float, kinds: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = sorted(set(kinds) - set(known))
    if unknown:
        raise ValueError(f"unknown kinds {unknown}")
    if not 0 <= share <= 1:
        raise ValueError(f"the share must be within 0 and 1: {share}")


def _take(keys: list[str], number: int, kind: str) -> list[str]:
    """The keys a change is for; an addition needs only how many."""
    if kind == "add":
        return [""] * number
    taken, keys[:] = keys[:number], keys[number:]
    return taken


def _rename(world: World, draw: random.Random, keys: list[str]) -> list[str]:
    for key in keys:
        asset = world.lansweeper.assets[key]
        old = asset["assetBasicInfo"]["name"]
        apply_scan(world, asset, "assetBasicInfo", {"name": f"{old[:80]}-{draw.randrange(10, 100)}"})
        world.lansweeper.scanned(key)
    return keys


def _move(world: World, draw: random.Random, keys: list[str]) -> list[str]:
    for key in keys:
        asset = world.lansweeper.assets[key]
        address = f"10.200.{draw.randrange(256)}.{draw.randrange(10, 250)}"
        apply_scan(world, asset, "assetBasicInfo", {"ipAddress": address})
        apply_scan(world, asset, "assetCustom", {"location": f"Moved to hall {draw.randrange(1, 9)}"})
        world.lansweeper.scanned(key)
    return keys


def _add(world: World, draw: random.Random, additions: list[str]) -> list[str]:
    store = world.lansweeper
    maker = AssetMaker(world.seed, store.site_id, store.site_name, purpose=f"churn-{world.churns}")
    start = max(world.assets, PAGE_PLACE + 1)  # the page's example exists once
    world.assets = start + len(additions)
    added = list(maker.make(len(additions), start=start))
    store.add(added)
    keys = [asset["key"] for asset in added]
    for key in keys:
        store.scanned(key)
    return keys


def _retire(world: World, draw: random.Random, keys: list[str]) -> list[str]:
    for key in keys:
        world.lansweeper.remove(key)
    return keys


def apply_scan(world: World, asset: Asset, section: str, values: dict[str, Any]) -> None:
    """Lay a scan's values over a section, but never over a locked field."""
    locks = world.lansweeper.locks.get(asset["key"], set())
    open_values = {name: value for name, value in values.items() if f"{section}.{name}" not in locks}
    asset[section] = {**asset[section], **open_values}


_ASSET_CHANGES = {"rename": _rename, "move": _move, "add": _add, "retire": _retire}


def ticket_churn(world: World, share: float, kinds: tuple[str, ...] = TICKET_KINDS) -> dict[str, list[int]]:
    """Change a share (0 to 1) of the run company's tickets, as ``churn`` does; their ids by kind.

    A kind for which no ticket is left has fewer. Whether attaching moves lastUpdated is a switch.
    """
    _check(share, kinds, TICKET_KINDS)
    if not kinds or share == 0:
        return {kind: [] for kind in kinds}
    world.churns += 1
    return _TicketChurn(world).run(share, kinds)


class _TicketChurn:
    """One call; a ticket is changed by one kind only."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.store
        self._draw = random.Random(f"{world.seed}-ticket-churn-{world.churns}")
        company = {"id": RUN_COMPANY}
        self._left = [
            (name, one["id"])
            for name in LINKS
            for one in self._store.collection(name).values()
            if one.get("company") == company
        ]
        self._draw.shuffle(self._left)
        configurations = self._store.collection("company/configurations").values()
        self._configurations = [one["id"] for one in configurations if one.get("company") == company]

    def run(self, share: float, kinds: tuple[str, ...]) -> dict[str, list[int]]:
        each, more = divmod(round(len(self._left) * share), len(kinds))
        changes: dict[str, Callable[[int], list[int]]] = {
            "close": lambda number: self._move(number, closes=True),
            "reopen": lambda number: self._move(number, closes=False),
            "attach": self._attach,
            "detach": self._detach,
            "add": self._add,
            "delete": self._delete,
        }
        return {kind: changes[kind](max(1, each + (place < more))) for place, kind in enumerate(kinds)}

    def _take(self, number: int, fits: Callable[[Ticket], bool]) -> list[Ticket]:
        found: list[Ticket] = []
        rest: list[Ticket] = []
        for one in self._left:
            (found if len(found) < number and fits(one) else rest).append(one)
        self._left = rest
        return found

    def _record(self, ticket: Ticket) -> dict[str, Any]:
        return self._store.collection(ticket[0])[ticket[1]]

    def _move(self, number: int, *, closes: bool) -> list[int]:
        moved = self._take(number, lambda one: bool(self._record(one).get("closedFlag")) is not closes)
        for collection, ticket in moved:
            board = self._record((collection, ticket))["board"]
            status = self._status(board, closes)
            self._store.edit(collection, ticket, {"status": {"id": status}}, by=PERSON)
        return [ticket for _, ticket in moved]

    def _status(self, board: dict[str, int], closes: bool) -> int:
        statuses = self._store.collection("service/boards/statuses").values()
        fitting = [
            one["id"] for one in statuses if one["board"] == board and bool(one.get("closedStatus")) is closes
        ]
        return int(self._draw.choice(fitting))

    def _links(self, ticket: Ticket) -> LinkWriter:
        table = TABLES[LINKS[ticket[0]]]
        return LinkWriter(table, self._store, ticket[1], self._world.switches, by=PERSON)

    def _attached(self, ticket: Ticket) -> list[int]:
        return sorted(self._store.links(LINKS[ticket[0]]).of(ticket[1]))

    def _attach(self, number: int) -> list[int]:
        if not self._configurations:
            return []
        taken = self._take(number, lambda one: len(self._attached(one)) < len(self._configurations))
        for one in taken:
            writer = self._links(one)
            while not writer.attach(self._draw.choice(self._configurations)):
                pass
        return [ticket for _, ticket in taken]

    def _detach(self, number: int) -> list[int]:
        taken = self._take(number, lambda one: bool(self._attached(one)))
        for one in taken:
            self._links(one).detach(self._draw.choice(self._attached(one)))
        return [ticket for _, ticket in taken]

    def _add(self, number: int) -> list[int]:
        made: list[int] = []
        for place in range(number):
            record = {"summary": f"New since the last run ({place + 1})", "company": {"id": RUN_COMPANY}}
            ticket = int(self._store.insert("service/tickets", record, by=PERSON)["id"])
            if self._configurations:
                self._links(("service/tickets", ticket)).attach(self._draw.choice(self._configurations))
            made.append(ticket)
        return made

    def _delete(self, number: int) -> list[int]:
        taken = self._take(number, lambda _: True)
        for collection, ticket in taken:
            self._store.delete(collection, ticket)
        return [ticket for _, ticket in taken]

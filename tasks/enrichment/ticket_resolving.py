"""Finds the configurations of given tickets in the cheapest way that the server takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tasks.enrichment.asking import WayFailedError
from tasks.enrichment.bundling import probe_bundles, read_bundles
from tasks.enrichment.group_asking import ROOMS, ask_groups, probe_asking
from tasks.enrichment.link_search import LinkSearch
from tasks.enrichment.owners import Links, Owners, read_each, tickets
from tasks.enrichment.sampling import read_sample
from tasks.progress import Progress
from tasks.rules.ways import (
    BUNDLES,
    Asking,
    Kind,
    TicketPlan,
    WayState,
    asking_way,
    cheapest_ticket_way,
)

SLICE = 200
"""Tickets read one by one before they are handed on, so that little is lost if the run is killed."""

Keep = Callable[[Kind, Links, bool], Awaitable[None]]
"""Takes answers as they come: kind, links, and whether they name all configurations or only those asked."""


class TicketQuestion:
    """Some tickets of one kind, and the configurations that matter.

    ``touched``: how many of the tickets probably hold one of them; None: all. ``keep`` is given every answer.
    """

    def __init__(
        self,
        search: LinkSearch,
        kind: Kind,
        ticket_ids: Sequence[int],
        configurations: Sequence[int],
        keep: Keep,
        touched: float | None = None,
    ) -> None:
        self.search = search
        self.kind = kind
        self.owners: Owners = tickets(search.client, kind)
        self.left = list(ticket_ids)
        self.configurations = sorted(configurations)
        self.touched = touched
        self.sample: Links = {}
        self._keep = keep

    async def prepare(self) -> TicketPlan:
        """The cheapest plan of ways that are known to work; those that are not are tried out first.

        Child collections always work and need no trying out.
        """
        while True:
            plan = self._plan()
            try:
                if not await self._probe(plan):
                    return plan
            except WayFailedError as error:
                self.search.failed(error)

    async def answer(self) -> None:
        """Find them all; a way that fails underway is left for the next one."""
        while self.left:
            plan = await self.prepare()
            try:
                await self._carry_out(plan)
            except WayFailedError as error:
                self.search.failed(error)

    def _plan(self) -> TicketPlan:
        return cheapest_ticket_way(
            self.search.ways, self.kind, len(self.left), self.configurations, ROOMS, self.touched
        )

    async def _probe(self, plan: TicketPlan) -> bool:
        """Whether something had to be tried out, so that the plan must be made anew."""
        ways = self.search.ways
        if not self.sample and (plan.asking or plan.detail == BUNDLES):
            self.sample = await read_sample(self.search, self.owners, self.left)
        if plan.detail == BUNDLES and ways.state(self.owners.bundle_way) is WayState.UNKNOWN:
            await probe_bundles(self.search, self.owners, self.sample)
            return True
        if plan.asking and ways.state(asking_way(self.kind, plan.asking)) is WayState.UNKNOWN:
            await probe_asking(self.search, self.kind, plan.asking, self.sample, self.configurations)
            return True
        return False

    async def _carry_out(self, plan: TicketPlan) -> None:
        if plan.asking is not None:
            await self._ask_groups(plan, plan.asking)
        if plan.detail == BUNDLES and len(self.left) > 1:
            await self._read_bundles()
        else:
            await self._read_each()

    async def _ask_groups(self, plan: TicketPlan, asking: Asking) -> None:
        questions = await ask_groups(self.search, plan, asking, self.sample, self.left, self.configurations)
        await self._take(dict(questions.found), whole=False)

    async def _read_bundles(self) -> None:
        progress = Progress(f"{self.owners.name} read in bundles", len(self.left))
        asked = list(self.left)
        sample = {each: held for each, held in self.sample.items() if each in set(asked)}
        async for links in read_bundles(self.search, self.owners, asked, sample):
            await self._take(links, whole=True)
            progress.advance(len(links))
        # Those without an answer are gone.
        self.left = []

    async def _read_each(self) -> None:
        progress = Progress(f"{self.owners.name} read one by one", len(self.left))
        while self.left:
            now = self.left[:SLICE]
            links = await read_each(self.search, self.owners, now)
            self.left = self.left[len(now) :]
            await self._take(links, whole=True)
            progress.advance(len(now))

    async def _take(self, links: Links, *, whole: bool) -> None:
        await self._keep(self.kind, links, whole)
        self.left = [each for each in self.left if each not in links]

"""The ticket cache: which configurations each ticket of a company held when it was last asked about.

It is kept in the ledger so that a killed run loses no correctness. Beside the links stands which
configurations they are complete for (``asked_about``; None: for all, as child collections name all), how
many runs ago all tickets were asked about last, and when.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.ledger.models import TicketLink
from connectors.ledger.store import Ledger
from tasks.rules.enrichment.ticket_changes import KnownTicket, TicketKey, as_ranges, from_ranges, stable_stamp


class TicketCache:
    """One company's remembered tickets. ``began``: when a full run was begun that is not finished yet."""

    def __init__(self, ledger: Ledger, tenant: str, company_id: int) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._company_id = company_id
        self.known: dict[TicketKey, KnownTicket] = {}
        self.asked_about: set[int] | None = set()
        self.runs_since = 0
        self.last_reconcile: datetime | None = None
        self.began: datetime | None = None
        self._noted: dict[str, Any] | None = None

    @classmethod
    async def load(
        cls, ledger: Ledger, tenant: str, company_id: int, *, earlier: str | None = None
    ) -> TicketCache:
        """What the ledger holds; nothing, if it was lost.

        ``earlier``: the name under which older versions kept what they knew of this tenant.
        """
        cache = cls(ledger, tenant, company_id)
        if earlier is not None:
            await ledger.state.adopt(tenant, earlier, cache._name, with_links_of=company_id)
        while (value := await ledger.state.get(tenant, cache._name)) is not None:
            links = await ledger.ticket_links.of_company(tenant, company_id)
            # Links that another run has added since may be complete for fewer configurations.
            if value == await ledger.state.get(tenant, cache._name):
                cache._take(value, links)
                break
        return cache

    @property
    def reconciling(self) -> bool:
        """Whether a full run was begun and is not finished yet."""
        return self.began is not None

    @property
    def is_empty(self) -> bool:
        """Whether no full run has ended yet."""
        return self.last_reconcile is None

    async def begin_reconcile(self) -> None:
        """Forget every link. From here on only whole answers are saved, until ``limit_to`` says otherwise."""
        stored = await self._ledger.ticket_links.of_company(self._tenant, self._company_id)
        await self._ledger.ticket_links.forget(
            self._tenant, self._company_id, [(each.kind, each.ticket_id) for each in stored]
        )
        self.known = {}
        self.asked_about = None
        self.began = datetime.now(UTC)
        await self._note()

    async def limit_to(self, configurations: Collection[int]) -> None:
        """Before answers are saved that were only asked for these configurations."""
        self.asked_about = set(configurations)
        await self._note()

    async def save(
        self,
        kind: str,
        links: Mapping[int, Collection[int]],
        stamps: Mapping[TicketKey, str],
        swept_at: datetime,
    ) -> None:
        """Remember tickets of one kind with the ``lastUpdated`` of the sweep before they were asked."""
        records = [
            TicketLink(kind, each, stable_stamp(stamps.get((kind, each), ""), swept_at), tuple(sorted(held)))
            for each, held in links.items()
        ]
        await self._ledger.ticket_links.save(self._tenant, self._company_id, records)

    async def forget(self, gone: Sequence[TicketKey]) -> None:
        if gone:
            await self._ledger.ticket_links.forget(self._tenant, self._company_id, gone)

    async def finish(self, configurations: Collection[int]) -> None:
        """Every ticket is now known for these configurations too.

        A full run that was killed and went on later is as old as its first questions.
        Where another run has written meanwhile, only what both know counts.
        """
        if self.asked_about is not None:
            self.asked_about |= set(configurations)
        stored = await self._ledger.state.get(self._tenant, self._name)
        if stored is not None and stored != self._noted:
            self.asked_about = _both(self.asked_about, _asked_about(stored))
        self.runs_since = 0 if self.reconciling else self.runs_since + 1
        self.last_reconcile = self.began or self.last_reconcile
        self.began = None
        await self._note()

    @property
    def _name(self) -> str:
        return f"tickets of company {self._company_id}"

    def _take(self, value: Mapping[str, Any], links: Sequence[TicketLink]) -> None:
        self.known = {
            (each.kind, each.ticket_id): KnownTicket(each.last_updated, frozenset(each.configuration_ids))
            for each in links
        }
        self._noted = dict(value)
        self.asked_about = _asked_about(value)
        self.runs_since = int(value.get("runs_since") or 0)
        self.last_reconcile = _moment(value.get("last_reconcile"))
        self.began = _moment(value.get("began"))

    async def _note(self) -> None:
        value: dict[str, Any] = {
            "asked_about": None if self.asked_about is None else as_ranges(self.asked_about),
            "runs_since": self.runs_since,
            "last_reconcile": self.last_reconcile.isoformat() if self.last_reconcile else None,
            "began": self.began.isoformat() if self.began else None,
        }
        await self._ledger.state.set(self._tenant, self._name, value)
        self._noted = value


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _asked_about(value: Mapping[str, Any]) -> set[int] | None:
    ranges = value.get("asked_about")
    return None if ranges is None else from_ranges(ranges)


def _both(one: set[int] | None, other: set[int] | None) -> set[int] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other

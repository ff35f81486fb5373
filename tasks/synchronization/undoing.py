"""Reads what a run wrote and what is there now, and plans the reverse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import all_of, equals, split_in
from connectors.ledger.models import JournalledWrite
from connectors.ledger.store import Ledger
from tasks.rules.undo import UndoPlan, plan_undo, record_ids, unknown_creations, with_found_ids
from tasks.synchronization.patience import patiently
from tasks.synchronization.settings import Waiting

Record = dict[str, Any]


class UnknownRunError(LookupError):
    """The journal holds no write of that run; the text says what to look at."""


@dataclass(slots=True)
class Undo:
    """The undo of one run: what the run wrote, and the plan by the records as they are now.

    ``connectwise`` is a block's name, ``client`` the client it opens.
    """

    run_id: str
    connectwise: str
    client: ConnectWiseClient
    ledger: Ledger
    waiting: Waiting
    company_id: int = 0
    writes: Sequence[JournalledWrite] = ()
    plan: UndoPlan = field(default_factory=UndoPlan)

    def counts(self) -> dict[str, int]:
        """Steps, refusals, and what needs nothing."""
        plan = self.plan
        return {"steps": len(plan.steps), "refused": len(plan.refused), "undone_already": plan.undone_already}

    async def prepare(self) -> Undo:
        """Plan the reverse of the run, by the journal and the records as they are now.

        Raises:
            UnknownRunError: the run wrote nothing through this connection, or this ledger does not know it.
        """
        every = await self.ledger.writes_of_run(self.run_id)
        self.writes = [each for each in every if each.connection == self.connectwise]
        if not self.writes:
            raise UnknownRunError(
                f"The ledger at {self.ledger.place} holds no writes of run {self.run_id!r} through "
                f"{self.connectwise!r}. Give the id of a flow run that wrote, as its report shows it."
            )
        # Reference records belong to no company and are noted under 0.
        self.company_id = max(each.company_id for each in self.writes)
        if wanted := unknown_creations(self.writes):
            self.writes = with_found_ids(self.writes, await self._find_created(wanted))
        self.plan = plan_undo(self.writes, await self.read_records(record_ids(self.writes)))
        return self

    def writes_of(self, record_ids: Iterable[int]) -> list[JournalledWrite]:
        """What the run wrote to these records."""
        wanted = set(record_ids)
        return [each for each in self.writes if each.record_id in wanted]

    async def read_records(self, ids: Sequence[int]) -> dict[int, Record]:
        """The whole configurations of these ids that still exist, by id."""
        records: dict[int, Record] = {}
        for conditions in split_in("id", ids):
            found = await self._read(conditions)
            records |= {int(each["id"]): each for each in found}
        return records

    async def _read(self, conditions: str, fields: str | None = None) -> list[Record]:
        return await patiently(
            lambda: self.client.list_configurations(conditions=conditions, fields=fields), self.waiting
        )

    async def _find_created(self, keys: set[str]) -> dict[str, list[int]]:
        """Ids of what the run created without learning it, by asset key.

        Only while the ledger holds the batch as open: a later writing run settles it, and what has no id
        then was not created by this run.
        """
        batches = await self.ledger.open_batches(self.connectwise, self.company_id)
        own = [each for each in batches if each.run_id == self.run_id]
        keys = keys & {key for batch in own for key in batch.asset_keys}
        if not keys:
            return {}
        above = f"id>{min(batch.highest_id for batch in own)}"
        conditions = all_of(equals("company/id", self.company_id), above)
        found: dict[str, list[int]] = defaultdict(list)
        for record in await self._read(conditions, "id,customFields"):
            values = {str(each.get("value") or "").strip() for each in record.get("customFields") or []}
            for key in keys & values:
                found[key].append(int(record["id"]))
        return found

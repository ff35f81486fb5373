"""Undo of a run of asset-synchronization: read what it wrote and what is there now, plan, write the reverse.

The steps are written a batch at a time, each journalled like any write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import all_of, equals, split_in
from connectors.errors import ConnectorError, RetryableError, StopError
from connectors.http import HttpSession
from connectors.ledger.models import JournalledWrite, JournalOutcome, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tasks.connectwise.bulk_create_configurations import delete_record
from tasks.connectwise.bulk_modify_configurations import change_type, patch_record
from tasks.rules.asset_sync.forecast import LIST, undo_steps
from tasks.rules.asset_sync.reading import FEWER_BY_PEOPLE
from tasks.rules.asset_sync.undo import (
    journal_value,
    kept_value,
    plan_undo,
    record_ids,
    unknown_creations,
    value_operations,
    with_found_ids,
)
from tasks.rules.bulk import batches
from tasks.rules.forecast import Forecast
from tasks.rules.isolation import convert_all, problem_words
from tasks.rules.undo import UndoPlan, UndoStep, within
from tasks.rules.undo_entries import narrowed_undo
from tasks.shared.connections import current_run_id
from tasks.shared.isolation import isolated, record_problem
from tasks.shared.journalled import RunJournal
from tasks.shared.lease import writing_lease
from tasks.shared.progress import Progress
from tasks.shared.request_times import forecast_run, known_seconds
from tasks.shared.retry import Waiting, retry
from tasks.shared.stored_plans import PlanOwner
from tasks.shared.undo_plans import UNDO_FEATURE
from tasks.shared.whole_list import ShortListError

Record = dict[str, Any]


class UnknownRunError(LookupError):
    """The journal holds no write of that run; the text says what to look at."""


@dataclass(slots=True)
class ConfigurationUndo:
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

    @property
    def session(self) -> HttpSession:
        """Whose requests write the reverse."""
        return self.client.session

    async def forecast(self, *, again: bool = False) -> Forecast:
        """What the whole undo takes by its plan; ``again``: it is still to be prepared once more."""
        session = self.client.session
        reads = session.sent[LIST] if again else 0
        seconds = await known_seconds(self.ledger, self.tenant, session)
        steps = undo_steps(self.plan.steps, seconds, session.system)
        return await forecast_run(
            steps,
            {session.system: self.connectwise},
            requests={session.system: session.requests + reads + sum(each.requests for each in steps)},
            guessed=seconds.guessed,
        )

    @property
    def tenant(self) -> str:
        """The key of the ConnectWise tenant that the connection leads to."""
        return self.client.settings.tenant_key

    def lease(self, wait_seconds: float) -> AbstractAsyncContextManager[None]:
        """The lease that a writing undo holds; its company is known once it is prepared."""
        return writing_lease(self.tenant, self.company_id, wait_seconds, connection=self.connectwise)

    def address(self, record_id: Any) -> str | None:
        return self.client.settings.configuration_url(record_id)

    async def prepare(self) -> UndoPlan:
        """Plan the reverse of the run, by the journal and the records as they are now.

        Raises:
            UnknownRunError: the run wrote nothing to this tenant, or this ledger does not know it.
        """
        every = await self.ledger.journal.of_run(self.run_id)
        self.writes = [each for each in every if self._is_of_tenant(each)]
        if not self.writes:
            raise UnknownRunError(self._unknown(every))
        # Reference records belong to no company and are noted under 0.
        self.company_id = max(each.company_id for each in self.writes)
        if wanted := unknown_creations(self.writes):
            self.writes = with_found_ids(self.writes, await self._find_created(wanted))
        self.plan = plan_undo(self.writes, await self.read_records(record_ids(self.writes)))
        return self.plan

    def _is_of_tenant(self, write: JournalledWrite) -> bool:
        """Whatever block it was sent through. An older version noted no tenant, only the block's name."""
        if write.tenant is None:
            return write.connection == self.connectwise
        return write.tenant == self.tenant

    def _unknown(self, every: Sequence[JournalledWrite]) -> str:
        place, name = self.ledger.place, self.connectwise
        where = f"The ledger at {place} holds no writes of run {self.run_id!r} through {name!r}"
        if others := sorted({each.connection for each in every}):
            return f"{where}, which leads to another tenant, but through {', '.join(map(repr, others))}."
        return f"{where}. Give the id of a flow run that wrote, as its report shows it."

    async def owner(self) -> PlanOwner:
        """Whose a stored plan of this undo is; it is to be prepared before."""
        company = await self.ledger.plans.company_of(self.tenant, self.company_id)
        return PlanOwner(UNDO_FEATURE, self.tenant, self.company_id, company or f"company {self.company_id}")

    def leave(self, left: Mapping[str, str]) -> None:
        """Take these steps (key -> why) out of the plan."""
        self.plan = narrowed_undo(self.plan, left)

    async def apply(self) -> list[str]:
        """Write the reverse; returns what failed, in words. The plan becomes what was done.

        The records are read again, 50 at a time, right before they are written: the undo of thousands of
        them takes long, and a field that somebody changed meanwhile is refused too.
        """
        # First: else the next run would link again what was decided.
        await self.ledger.match_decisions.withdraw_of_run(self.tenant, self.run_id)
        planned, self.plan.steps = self.plan.steps, []
        ids = list(dict.fromkeys(step.record_id for step in planned))
        progress = Progress("records put back", len(ids))
        failed: list[str] = []
        for chunk in batches(ids):
            if await _apply_batch(self, chunk, planned, failed):
                failed.append("What followed was not tried.")
                break
            progress.advance(len(chunk))
        return failed

    async def forget_links(self, steps: Sequence[UndoStep]) -> None:
        """Forget the links that these steps may take away, and with them the company's amounts.

        A link that is still there afterwards is noted again by the next run.
        """
        keys = [
            each.asset_key
            for each in steps
            if each.asset_key
            and (each.action == "delete" or any(key.startswith("customFields/") for key in each.values))
        ]
        if keys:
            await self.ledger.inventory.forget(self.tenant, self.company_id, keys, FEWER_BY_PEOPLE)

    def writes_of(self, record_ids: Iterable[int]) -> list[JournalledWrite]:
        wanted = set(record_ids)
        return [each for each in self.writes if each.record_id in wanted]

    async def read_records(self, ids: Sequence[int]) -> dict[int, Record]:
        """The whole configurations of these ids that still exist, by id; ShortListError: some are missing."""
        records: dict[int, Record] = {}
        for conditions in split_in("id", ids):
            found = await self._read(conditions)
            records |= {int(each["id"]): each for each in found}
        if len(records) < len(set(ids)):
            await self._check_gone(ids, len(records))
        return records

    async def _check_gone(self, ids: Sequence[int], read: int) -> None:
        """Records that were not read are gone only if ConnectWise does not count them either."""
        counted = 0
        for conditions in split_in("id", ids):
            count = partial(self.client.configurations.count, conditions)
            counted += await retry(count, self.waiting)
        if counted > read:
            raise ShortListError(
                f"ConnectWise counts {counted:,} of the {len(set(ids)):,} configurations that the run wrote "
                f"and gave {read:,}",
                remedy="Nothing was put back of them. Run it again.",
            )

    async def _read(self, conditions: str, fields: str | None = None) -> list[Record]:
        return await retry(
            lambda: self.client.configurations.list(conditions=conditions, fields=fields), self.waiting
        )

    async def _find_created(self, keys: set[str]) -> dict[str, list[int]]:
        """Ids of what the run created without learning it, by asset key.

        Only while the ledger holds the batch as open: a later writing run recovers it, and what has no id
        then was not created by this run.
        """
        own = await self.ledger.batches.of_run(self.run_id)
        keys = keys & {key for batch in own for key in batch.asset_keys}
        if not keys:
            return {}
        above = f"id>{min(batch.highest_id for batch in own)}"
        conditions = all_of(equals("company/id", self.company_id), above)
        found: dict[str, list[int]] = defaultdict(list)
        records = await self._read(conditions, "id,customFields")
        # One that can't be read may be any of them: those without another one stay without an id.
        for record_id, values in convert_all(records, _custom_values, lambda each, error: None):
            for key in keys & values:
                found[key].append(record_id)
        return found


def _custom_values(record: Record) -> tuple[int, set[str]]:
    fields = record.get("customFields") or []
    return int(record["id"]), {str(each.get("value") or "").strip() for each in fields}


async def _apply_batch(
    undo: ConfigurationUndo, ids: Sequence[int], planned: Sequence[UndoStep], failed: list[str]
) -> bool:
    """Plan these records anew and write what the plan has; True: nothing more works until a person acts."""
    try:
        records = await undo.read_records(ids)
    except ConnectorError as error:
        failed.append(str(error))
        return True
    plan = plan_undo(undo.writes_of(ids), records)
    undo.plan.refused += [each for each in plan.refused if each not in undo.plan.refused]
    ready = convert_all(
        within(plan.steps, planned),
        lambda step: (step, _entry(step, records[step.record_id])),
        lambda step, error: failed.append(f"{step.name}: it can't be put back: {problem_words(error)}"),
    )
    journal = RunJournal(undo.ledger, current_run_id(), undo.connectwise, undo.company_id, undo.tenant)
    write_ids = await journal.begin([entry for _, entry in ready])
    # Before the writes: what an undo takes away is never to be missed later, even if it is killed.
    await undo.forget_links([step for step, _ in ready])
    for position, ((step, _), write_id) in enumerate(zip(ready, write_ids, strict=True)):
        refusal = await _write(undo, step)
        await journal.record([_outcome(step, write_id, refusal)])
        if refusal is None:
            undo.plan.steps.append(step)
            continue
        failed.append(f"{step.name}: {record_problem(refusal)}")
        if isinstance(refusal, StopError):
            left = write_ids[position + 1 :]
            await journal.record([WriteOutcome(each, "not_sent") for each in left])
            return True
    return False


async def _write(undo: ConfigurationUndo, step: UndoStep) -> Exception | None:
    """Why it was not written; an exception that nobody foresaw is this step's, too."""

    async def send() -> Exception | None:
        await retry(lambda: _send(undo, step), undo.waiting)
        return None

    try:
        return await isolated(send, lambda error: error)
    except StopError as error:
        return error


async def _send(undo: ConfigurationUndo, step: UndoStep) -> None:
    if step.action == "change_type":
        await change_type(undo.client, step.record_id, int(step.values["type"]["id"]))
    elif step.action == "modify":
        await patch_record(undo.client, step.record_id, value_operations(step.values))
    else:
        await delete_record(undo.client, step.record_id)


def _outcome(step: UndoStep, write_id: int, error: Exception | None) -> WriteOutcome:
    """A write that was tried several times without an answer may have been done after all."""
    refused = isinstance(error, ConnectorError) and not isinstance(error, RetryableError)
    failed: JournalOutcome = "failed" if refused else "unclear"
    why = record_problem(error) if error else None
    return WriteOutcome(write_id, failed if error else "done", step.record_id, why)


def _entry(step: UndoStep, record: Record) -> WriteEntry:
    before = {key: kept_value(journal_value(record, key)) for key in step.values} or None
    after = dict(step.values) or None
    return WriteEntry(step.action, "configuration", step.record_id, step.asset_key, step.name, before, after)

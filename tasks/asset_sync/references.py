"""Resolves the names of one kind of reference data, and creates the missing ones so that none is doubled.

What configurations refer to: the ids of the names that assets give, and records for those missing.

Finds the records that are referred to by name but never created: sites, contacts, vendors, departments.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio

from connectors.connectwise.conditions import equals, split_in
from connectors.errors import ConnectorError, RejectedError, RetryableError, UnclearOutcomeError
from connectors.ledger.models import JournalOutcome, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tasks.asset_sync.read import Read
from tasks.asset_sync.run import ReferenceActions, SyncRun
from tasks.rules.asset_sync.plan import Plan, needed_names
from tasks.rules.asset_sync.references import (
    CONTACT,
    DEPARTMENT,
    SITE,
    VENDOR,
    ReferenceKind,
    ReferencePlan,
    plan_references,
)
from tasks.rules.values import folded
from tasks.shared.action import action
from tasks.shared.concurrency import gather_all
from tasks.shared.connections import current_run_id, open_ledger
from tasks.shared.progress import run_logger
from tasks.shared.retry import Waiting, poll, retry

TRIES = 3
"""How often a creation without an answer that is certainly not there is sent again."""


@dataclass
class Created:
    """``ids``: folded name -> id of each record that is there now; ``refused``: name -> why."""

    ids: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


async def resolve(
    actions: ReferenceActions, names: Sequence[str], *, create: bool, waiting: Waiting | None = None
) -> ReferencePlan:
    """Name -> id for what exists; with ``create`` the missing names are created and have ids as well."""
    plan = plan_references(actions.kind, names, await actions.existing(), create=actions.may_create)
    if create and plan.missing:
        made = await create_missing(actions, plan.missing, waiting or Waiting())
        plan.ids |= made.ids
        plan.refused |= made.refused
        plan.missing = []
    return plan


async def create_missing(actions: ReferenceActions, names: Sequence[str], waiting: Waiting) -> Created:
    """Create these names, of which none exists, as one task run of the kind's documented action.

    One that the vendor refuses does not stop the others.
    """
    async with open_ledger() as ledger:
        documented = _create_all.with_options(name=actions.create.name, tags=actions.create.tags, retries=0)
        return await documented(_Creations(actions, list(names), ledger, waiting))


class _Creations:
    """The creations of one kind of reference data in one run."""

    def __init__(self, actions: ReferenceActions, names: list[str], ledger: Ledger, waiting: Waiting) -> None:
        self.actions = actions
        self.names = names
        self.ledger = ledger
        self.waiting = waiting

    async def create(self) -> Created:
        made = Created()
        log = run_logger()
        for number, name in enumerate(self.names, start=1):
            try:
                made.ids[folded(name)] = await self._create(name)
                log.info("%s created: %s (%d)", self.actions.kind.label, name, number)
            except RejectedError as error:
                made.refused[name] = str(error)
                log.warning("%s not created: %s", self.actions.kind.label, error)
        return made

    async def _create(self, name: str) -> int:
        """Create one record; without an answer read back until that is settled, then send it again."""
        for _ in range(TRIES - 1):
            try:
                return await self._create_once(name)
            except UnclearOutcomeError:
                run_logger().warning("%s %r is not there; it is sent again", self.actions.kind.label, name)
        return await self._create_once(name)

    async def _create_once(self, name: str) -> int:
        """One request, journalled before and after; the record that is there if somebody else made it."""
        kind = self.actions.kind.label
        entry = WriteEntry("create_reference", kind, None, None, name, None, {"name": name})
        (write_id,) = await self.ledger.journal.begin(current_run_id(), self.actions.connection, 0, [entry])
        try:
            record = await retry(lambda: self.actions.send(name), self.waiting)
            record_id = _id_of(record)
        except UnclearOutcomeError as error:
            found = await self._settled(name)
            return await self._found(write_id, found, error, "not_sent" if found is None else "done")
        except RejectedError as error:
            return await self._found(write_id, await self._find(name), error, "failed")
        except ConnectorError as error:
            outcome: JournalOutcome = "not_sent" if isinstance(error, RetryableError) else "failed"
            await self.ledger.journal.record_outcomes([WriteOutcome(write_id, outcome, None, str(error))])
            raise
        await self.ledger.journal.record_outcomes([WriteOutcome(write_id, "done", record_id, None)])
        return record_id

    async def _found(
        self, write_id: int, found: int | None, error: ConnectorError, outcome: JournalOutcome
    ) -> int:
        """Take the record that is there; if there is none, the error stands."""
        await self.ledger.journal.record_outcomes([WriteOutcome(write_id, outcome, found, str(error))])
        if found is None:
            raise error
        return found

    async def _settled(self, name: str) -> int | None:
        """The record of that name once it is there; None when it still is not after the settle time."""
        return await poll(
            partial(self._find, name),
            until=anyio.current_time() + self.waiting.settle_seconds,
            pause=self.waiting.pause_seconds,
        )

    async def _find(self, name: str) -> int | None:
        existing = await retry(self.actions.read_again, self.waiting)
        return plan_references(self.actions.kind, [name], existing, create=False).id_of(name)


@action("Create references", key="createReferences")
async def _create_all(creations: _Creations) -> Created:
    """Runs under the name of the action that it repeats, and waits by itself: a retry would begin anew."""
    return await creations.create()


def _id_of(answer: Any) -> int:
    """The id of the created record; an answer without one leaves open what was done."""
    if isinstance(answer, dict) and str(answer.get("id", "")).isdigit():
        return int(answer["id"])
    raise UnclearOutcomeError("The answer to a creation does not name the record")


Records = list[dict[str, Any]]


async def look_up_others(run: SyncRun, names: dict[str, list[str]]) -> dict[str, ReferencePlan]:
    """The ids of the wanted names, by target path; a kind that is not mapped costs no request."""
    readers: list[tuple[ReferenceKind, Callable[[SyncRun, list[str]], Awaitable[Records]]]] = [
        (SITE, _sites),
        (CONTACT, _contacts),
        (VENDOR, _vendors),
        (DEPARTMENT, _departments),
    ]
    found = {}
    for kind, read in readers:
        if wanted := names.get(kind.path):
            found[kind.path] = plan_references(kind, wanted, await read(run, wanted), create=False)
    return found


async def _sites(run: SyncRun, _: list[str]) -> Records:
    return await run.client.sites(run.company.id).list(fields="id,name,inactiveFlag")


async def _contacts(run: SyncRun, _: list[str]) -> Records:
    conditions = equals("company/id", run.company.id)
    return await run.client.contacts.list(conditions=conditions, fields="id,firstName,lastName,inactiveFlag")


async def _vendors(run: SyncRun, names: list[str]) -> Records:
    """Only the companies of these names: a provider has thousands, and a few of them are vendors."""
    records: Records = []
    for conditions in split_in("name", names):
        records += await run.client.companies.list(conditions=conditions, fields="id,name")
    return records


async def _departments(run: SyncRun, _: list[str]) -> Records:
    return await run.client.departments.list(fields="id,name")


async def find_references(run: SyncRun, read: Read) -> dict[str, ReferencePlan]:
    """What became of every name that any asset gives, by target path; nothing is created yet."""
    names = needed_names(read.assets, [], run.mapping)
    plans = {
        path: plan_references(actions.kind, names[path], read.references[path], create=actions.may_create)
        for path, actions in run.reference_actions.items()
        if path in read.references
    }
    return plans | await look_up_others(run, names)


async def create_references(
    run: SyncRun, plan: Plan, references: dict[str, ReferencePlan]
) -> dict[str, list[str]]:
    """Create the missing names that the plan uses; returns those that were created, by target path."""
    waiting = run.settings.waiting
    made = await gather_all(
        *(
            create_missing(run.reference_actions[path], names, waiting)
            for path, names in plan.reference_creations.items()
        )
    )
    created: dict[str, list[str]] = {}
    for path, found in zip(plan.reference_creations, made, strict=True):
        references[path].ids |= found.ids
        references[path].refused |= found.refused
        label = references[path].kind.label
        run.notes += [f"{label} {name!r} could not be created: {why}" for name, why in found.refused.items()]
        created[path] = [name for name in plan.reference_creations[path] if references[path].id_of(name)]
    return created

"""Reference data: the ids of the names that assets give, and records for those missing, none created twice.

Locations, manufacturers, statuses and types are created where they are missing. Sites, contacts, vendors and
departments are looked up and never created.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.collection import Collection
from connectors.connectwise.conditions import equals, split_in
from connectors.errors import RejectedError, UnclearOutcomeError
from connectors.ledger.models import KnownAmount, WriteEntry
from tasks.asset_sync.read import Read
from tasks.asset_sync.run import ReferenceActions, SyncRun, check_structure_level
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.rules.asset_sync.plan import Plan, needed_names
from tasks.rules.asset_sync.reference_lists import (
    ReferenceList,
    list_finding,
    list_name,
    names_in_use,
    refuse_hidden,
    table_problems,
)
from tasks.rules.asset_sync.references import (
    CONTACT,
    DEPARTMENT,
    LOCATION,
    MANUFACTURER,
    SITE,
    STATUS,
    TYPE,
    VENDOR,
    ReferenceKind,
    ReferencePlan,
    plan_references,
)
from tasks.rules.mapping.compile import FieldMappingError
from tasks.rules.quarantine import Attempt, fingerprint, held_words, is_held, is_lasting
from tasks.rules.values import folded
from tasks.shared.action import action_step
from tasks.shared.concurrency import gather_all
from tasks.shared.connections import connectwise_client, current_run_id, open_ledger
from tasks.shared.create_once import create_once
from tasks.shared.events import EventSubject, announce_held
from tasks.shared.journalled import RunJournal, WriteResult
from tasks.shared.next_run import keep_or_note, refused_record
from tasks.shared.progress import run_logger
from tasks.shared.retry import Waiting, retry
from tasks.shared.whole_list import read_to_count, whole_list

EXISTS = "ObjectExists"
"""ConnectWise's code for a name that another record has."""

HELD_REFERENCES = "reference-data"
"""Whose rows of the quarantine are refused reference records; they belong to no company."""


@dataclass
class MadeReferences:
    """``ids``: folded name -> id of each record that is there now; ``refused``: name -> why.

    ``lasting``: the refused names that would be refused again.
    """

    ids: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    lasting: list[str] = field(default_factory=list)


async def resolve(
    actions: ReferenceActions, names: Sequence[str], *, create: bool, waiting: Waiting | None = None
) -> ReferencePlan:
    """Name -> id for what exists; with ``create`` the missing names are created and have ids as well."""
    existing = await actions.existing()
    async with connectwise_client(actions.connection) as client:
        await check_structure_level(client, actions.structure_level_id, existing)
        plan = plan_references(actions.kind, names, existing, create=actions.may_create)
        if create and plan.missing:
            # Nothing else tells here whether a name that the list lacks exists.
            words = ReferenceList(actions.kind, existing).words.lower()
            count = collection_of(client, actions.kind).count
            existing = await whole_list(words, existing, count, actions.existing)
            plan = plan_references(actions.kind, names, existing, create=actions.may_create)
    if create and plan.missing:
        made = await create_missing(actions, plan.missing, waiting or Waiting())
        plan.ids |= made.ids
        plan.refused |= made.refused
        plan.missing = []
    return plan


async def create_missing(actions: ReferenceActions, names: Sequence[str], waiting: Waiting) -> MadeReferences:
    """Create these names, of which none exists, as one task run of the kind's documented action.

    One that the vendor refuses does not stop the others.
    """
    async with open_ledger() as ledger, connectwise_client(actions.connection) as client:
        journal = RunJournal(ledger, current_run_id(), actions.connection, 0, client.settings.tenant_key)
        step = action_step(actions.create, retries=0)(_create_all)
        return await step(NamedReferences(actions, waiting), list(names), journal)


async def _create_all(records: NamedReferences, names: list[str], journal: RunJournal) -> MadeReferences:
    """Create each name once; waits and repeats by itself."""
    made = MadeReferences()
    log, label = run_logger(), records.actions.kind.label
    for number, name in enumerate(names, start=1):
        try:
            created = await create_once(records, name, journal=journal, waiting=records.waiting)
            made.ids[folded(name)] = int(created.record_id or 0)
            log.info("%s created: %s (%d)", label, name, number)
        except RejectedError as error:
            made.refused[name] = _refusal(error, label)
            made.lasting += [name] if is_lasting(error.status) else []
            log.warning("%s not created: %s", label, made.refused[name])
    return made


def _refusal(error: RejectedError, label: str) -> str:
    """The vendor's words; where they say that the name exists, also that the list does not show it."""
    if not any(code == EXISTS for code in (error.code, *(each.code for each in error.details))):
        return str(error)
    return (
        f"ConnectWise has a {label} of this name, but its list does not show it, so it can't be used: run "
        f"again, and see whether the API member may see it. {error}"
    )


class NamedReferences:
    """The reference records of one kind, as ``create_once`` takes them."""

    def __init__(self, actions: ReferenceActions, waiting: Waiting) -> None:
        self.actions = actions
        self.waiting = waiting

    async def find(self, name: str) -> int | None:
        existing = await retry(self.actions.read_again, self.waiting)
        return plan_references(self.actions.kind, [name], existing, create=False).id_of(name)

    async def create(self, name: str) -> int:
        return _id_of(await retry(lambda: self.actions.send(name), self.waiting))

    def entry(self, name: str) -> WriteEntry:
        kind = self.actions.kind.label
        return WriteEntry("create_reference", kind, None, None, name, None, {"name": name})


def _id_of(answer: Any) -> int:
    """The id of the created record; an answer without one leaves open what was done."""
    if isinstance(answer, dict) and str(answer.get("id", "")).isdigit():
        return int(answer["id"])
    raise UnclearOutcomeError("The answer to a creation does not name the record")


_Records = list[dict[str, Any]]


async def look_up_others(run: SyncRun, names: dict[str, list[str]]) -> dict[str, ReferencePlan]:
    """The ids of the wanted names, by target path; a kind that is not mapped costs no request."""
    readers: list[tuple[ReferenceKind, Callable[[SyncRun, list[str]], Awaitable[_Records]]]] = [
        (SITE, lambda run, _: run.client.sites(run.company.id).list(fields="id,name,inactiveFlag")),
        (CONTACT, _contacts),
        (VENDOR, _vendors),
        (DEPARTMENT, lambda run, _: run.client.departments.list(fields="id,name")),
    ]
    found = {}
    for kind, read in readers:
        if wanted := names.get(kind.path):
            found[kind.path] = plan_references(kind, wanted, await read(run, wanted), create=False)
    return found


async def _contacts(run: SyncRun, _: list[str]) -> _Records:
    conditions = equals("company/id", run.company.id)
    return await run.client.contacts.list(conditions=conditions, fields="id,firstName,lastName,inactiveFlag")


async def _vendors(run: SyncRun, names: list[str]) -> _Records:
    """Only the companies of these names: a provider has thousands, and a few of them are vendors."""
    records: _Records = []
    for conditions in split_in("name", names):
        records += await run.client.companies.list(conditions=conditions, fields="id,name")
    return records


async def find_references(
    run: SyncRun, read: Read, known: Mapping[tuple[str, str], KnownAmount]
) -> dict[str, ReferencePlan]:
    """Look up every name that any asset gives, by target path; nothing is created yet.

    ``known``: how long the lists were, as ``reference_amounts`` of an earlier run says.

    Raises:
        FieldMappingError: a value table names a record that does not exist.
        StructureLevelError: a location is missing, and the level that it would be created on, too.
    """
    names = needed_names(read.assets, [], run.mapping)
    lists = await _whole_lists(run, read, names, known)
    if problems := table_problems(run.settings.reference_values.by_target(), lists):
        raise FieldMappingError(" ".join(problems))
    plans = {}
    for path, each in lists.items():
        actions = run.reference_actions[path]
        plans[path] = plan_references(actions.kind, names[path], each.records, create=actions.may_create)
        refuse_hidden(plans[path], each.in_use)
    await hold_back_references(run, plans)
    if LOCATION.path in plans and plans[LOCATION.path].missing:
        level = run.settings.structure_level_id
        await check_structure_level(run.client, level, lists[LOCATION.path].records)
    return plans | await look_up_others(run, names)


async def _whole_lists(
    run: SyncRun,
    read: Read,
    names: Mapping[str, Sequence[str]],
    known: Mapping[tuple[str, str], KnownAmount],
) -> dict[str, ReferenceList]:
    """The lists that were read, by target path; one in doubt is counted, and read again where it is short.

    What is still short is a finding of the run. A list that is not in doubt costs no request.
    """
    lists = {
        path: ReferenceList(
            run.reference_actions[path].kind,
            records,
            names_in_use(read.configurations, run.mapping, path),
            len(names[path]),
            known.get(list_name(path)),
        )
        for path, records in read.references.items()
    }
    counts: dict[str, int] = {}
    for path, each in lists.items():
        if each.in_doubt():
            each.records, counts[path] = await read_to_count(
                each.words,
                each.records,
                partial(retry, collection_of(run.client, each.kind).count, run.settings.waiting),
                run.reference_actions[path].existing,
            )
            read.references[path] = each.records
    total = sum(each.read for each in lists.values())
    for path, count in counts.items():
        found = list_finding(lists[path], count, total, run.accept_once, run.settings.shrink)
        if found is not None:
            lists[path].doubted = True
            run.findings.append(found)
    return lists


def collection_of(client: ConnectWiseClient, kind: ReferenceKind) -> Collection:
    """The collection of a kind that can be created."""
    return {
        LOCATION.path: client.locations,
        MANUFACTURER.path: client.manufacturers,
        STATUS.path: client.configuration_statuses,
        TYPE.path: client.configuration_types,
    }[kind.path]


def reference_amounts(read: Read, created: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], int]:
    """How long each list is now, for the next run; ``created``: names by target path."""
    return {
        list_name(path): len({each["id"] for each in records}) + len(created.get(path, ()))
        for path, records in read.references.items()
    }


async def hold_back_references(run: SyncRun, plans: Mapping[str, ReferencePlan]) -> None:
    """Take names that would be refused again out of what is to be created; one query where any is missing.

    They are held by name, and by what else a creation of their kind needs, until a person asks for them. One
    that a person has created exists, and is not missing.
    """
    if not any(plan.missing for plan in plans.values()) or asks_again(run.settings):
        return
    held = await run.ledger.quarantine.held(run.tenant, HELD_REFERENCES)
    for path, plan in plans.items():
        for name in plan.missing[:]:
            known = held.get(_held_key(plan.kind, name))
            attempt = Attempt(_mark(run.reference_actions[path], name), "", "")
            if known is not None and is_held(known, attempt):
                plan.missing.remove(name)
                plan.refused[name] = held_words(known)
                plan.problems[folded(name)] = f"{plan.kind.label} {name[:30]!r} is {held_words(known)}"


def asks_again(settings: AssetSynchronizationSettings) -> bool:
    """Whether a person asks for what was refused before."""
    return settings.retry_refused or bool(settings.only_failed.strip())


def _held_key(kind: ReferenceKind, name: str) -> str:
    return f"{kind.label} {folded(name)}"


def _mark(actions: ReferenceActions, name: str) -> str:
    return fingerprint([name, *actions.inputs])


async def keep_refused_references(
    run: SyncRun, references: Mapping[str, ReferencePlan], made: Mapping[str, MadeReferences]
) -> None:
    """Hold the names that were refused in this run, and let go of those that exist by now."""
    quarantine = run.ledger.quarantine
    refused = [
        refused_record(
            run.journal,
            "create",
            WriteResult(_held_key(references[path].kind, name), False, message=found.refused[name]),
            name=name,
            payload=_mark(run.reference_actions[path], name),
            rules="",
        )
        for path, found in made.items()
        for name in found.lasting
    ]
    async with keep_or_note("What was refused in this run", run.notes):
        held = await quarantine.held(run.tenant, HELD_REFERENCES)
        there = {
            _held_key(plan.kind, name)
            for plan in references.values()
            for name in {**plan.existing, **plan.ids}
        }
        await quarantine.hold(run.tenant, HELD_REFERENCES, refused)
        announce_held(EventSubject(HELD_REFERENCES), refused)
        await quarantine.release(run.tenant, HELD_REFERENCES, sorted(there & held.keys()))


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
    by_path = dict(zip(plan.reference_creations, made, strict=True))
    for path, found in by_path.items():
        references[path].ids |= found.ids
        references[path].refused |= found.refused
        label = references[path].kind.label
        run.notes += [f"{label} {name!r} could not be created: {why}" for name, why in found.refused.items()]
        created[path] = [name for name in plan.reference_creations[path] if references[path].id_of(name)]
    await keep_refused_references(run, references, by_path)
    return created

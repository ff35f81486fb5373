"""Resolves the names of one kind of reference data, and creates the missing ones so that none is doubled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import RejectedError, UnclearOutcomeError
from connectors.ledger.models import WriteEntry, WriteOutcome
from tasks.connections import current_run_id, open_ledger
from tasks.progress import run_logger
from tasks.rules.references import ReferenceKind, ReferencePlan, folded, plan_references

Record = dict[str, Any]


@dataclass(frozen=True)
class ReferenceActions:
    """The two documented actions of one kind: read every record, create one of that name."""

    kind: ReferenceKind
    list_all: Callable[[], Awaitable[list[Record]]]
    create_one: Callable[[str], Awaitable[Record]]


async def resolve(
    actions: ReferenceActions,
    names: Sequence[str],
    connectwise: str,
    *,
    create: bool,
    read_first: bool,
    may_create: bool = True,
) -> ReferencePlan:
    """Name -> id for what exists; with ``create`` the missing names are created and have ids as well.

    ``may_create``: whether a missing name can be created at all, now or later; else it is just not found.
    """
    existing = await actions.list_all() if read_first else []
    plan = plan_references(actions.kind, names, existing, create=may_create)
    if create and may_create:
        await _create_missing(actions, plan, connectwise)
    return plan


async def _create_missing(actions: ReferenceActions, plan: ReferencePlan, connectwise: str) -> None:
    log = run_logger()
    for number, name in enumerate(list(plan.missing), start=1):
        plan.missing.remove(name)
        try:
            plan.ids[folded(name)] = await _create(actions, name, connectwise)
            log.info("%s created: %s (%d)", actions.kind.label, name, number)
        except RejectedError as error:
            plan.refused[name] = str(error)
            log.warning("%s not created: %s", actions.kind.label, error)


async def _create(actions: ReferenceActions, name: str, connectwise: str) -> int:
    """Create one record; if somebody else did so meanwhile, or no answer came, take the one that is there."""
    async with open_ledger() as ledger:
        entry = WriteEntry("create_reference", actions.kind.label, None, None, name, None, {"name": name})
        (write_id,) = await ledger.begin_writes(current_run_id(), connectwise, 0, [entry])
        try:
            record_id = int((await actions.create_one(name))["id"])
        except (RejectedError, UnclearOutcomeError) as error:
            found = await _find(actions, name)
            made = found is not None and isinstance(error, UnclearOutcomeError)
            outcome = WriteOutcome(write_id, "done" if made else "failed", found, str(error))
            await ledger.settle_writes([outcome])
            if found is None:
                raise
            return found
        await ledger.settle_writes([WriteOutcome(write_id, "done", record_id, None)])
        return record_id


async def _find(actions: ReferenceActions, name: str) -> int | None:
    return plan_references(actions.kind, [name], await actions.list_all(), create=False).id_of(name)

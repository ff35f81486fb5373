"""Finds the records that are referred to by name but never created: sites, contacts, vendors, departments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from connectors.connectwise.conditions import equals, split_in
from tasks.rules.references import (
    CONTACT,
    DEPARTMENT,
    SITE,
    VENDOR,
    ReferenceKind,
    ReferencePlan,
    plan_references,
)
from tasks.synchronization.run import SyncRun

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
    return await run.client.list_sites(run.company.id, fields="id,name,inactiveFlag")


async def _contacts(run: SyncRun, _: list[str]) -> Records:
    conditions = equals("company/id", run.company.id)
    return await run.client.list_contacts(conditions=conditions, fields="id,firstName,lastName,inactiveFlag")


async def _vendors(run: SyncRun, names: list[str]) -> Records:
    """Only the companies of these names: a provider has thousands, and a few of them are vendors."""
    records: Records = []
    for conditions in split_in("name", names):
        records += await run.client.list_companies(conditions=conditions, fields="id,name")
    return records


async def _departments(run: SyncRun, _: list[str]) -> Records:
    return await run.client.list_departments(fields="id,name")

"""Location, manufacturer, status and type flow: read what exists, create only what is missing.

For a person who runs one by hand. asset-synchronization takes the same steps of every kind that is mapped,
with its plan and its safety thresholds between them; as subflows they cost it a second each.
"""

from __future__ import annotations

from typing import Annotated

from prefect import flow

from tasks.asset_sync.references import resolve
from tasks.asset_sync.run import reference_actions
from tasks.rules.asset_sync.references import LOCATION, MANUFACTURER, STATUS, TYPE, ReferencePlan
from tasks.shared.connections import DEFAULT, shared_connections
from tasks.shared.retry import Waiting
from tasks.shared.run_forms import ConnectWiseName, Create, Names, StructureLevel, titled
from tasks.shared.run_names import flow_run_name

WaitingTimes = Annotated[
    Waiting | None, titled("Waiting", "How long a creation without an answer is waited for.")
]


@flow(name="location-flow", flow_run_name=flow_run_name, persist_result=False)
async def location_flow(
    names: Names,
    connectwise: ConnectWiseName = DEFAULT,
    create: Create = False,
    structure_level_id: StructureLevel = None,
    waiting: WaitingTimes = None,
) -> ReferencePlan:
    """Find the ConnectWise locations of these names; create the missing ones on a given structure level."""
    actions = reference_actions(connectwise, structure_level_id)[LOCATION.path]
    async with shared_connections():
        return await resolve(actions, names, create=create, waiting=waiting)


@flow(name="manufacturer-flow", flow_run_name=flow_run_name, persist_result=False)
async def manufacturer_flow(
    names: Names,
    connectwise: ConnectWiseName = DEFAULT,
    create: Create = False,
    waiting: WaitingTimes = None,
) -> ReferencePlan:
    """Find the ConnectWise manufacturers of these names; create the missing ones if asked."""
    actions = reference_actions(connectwise)[MANUFACTURER.path]
    async with shared_connections():
        return await resolve(actions, names, create=create, waiting=waiting)


@flow(name="status-flow", flow_run_name=flow_run_name, persist_result=False)
async def status_flow(
    names: Names,
    connectwise: ConnectWiseName = DEFAULT,
    create: Create = False,
    waiting: WaitingTimes = None,
) -> ReferencePlan:
    """Find the configuration statuses of these descriptions; create the missing ones if asked."""
    actions = reference_actions(connectwise)[STATUS.path]
    async with shared_connections():
        return await resolve(actions, names, create=create, waiting=waiting)


@flow(name="type-flow", flow_run_name=flow_run_name, persist_result=False)
async def type_flow(
    names: Names,
    connectwise: ConnectWiseName = DEFAULT,
    create: Create = False,
    waiting: WaitingTimes = None,
) -> ReferencePlan:
    """Find the configuration types of these names; create the missing ones if asked."""
    actions = reference_actions(connectwise)[TYPE.path]
    async with shared_connections():
        return await resolve(actions, names, create=create, waiting=waiting)

"""Location, manufacturer, status and type flow: read what exists, create only what is missing.

Each is run twice by asset-synchronization: to plan (nothing is created) and, when the plan has passed its
ceilings, to create the missing names. Run by hand each does both at once.
"""

from __future__ import annotations

from typing import Annotated, Any

from prefect import flow

from tasks.connections import DEFAULT, shared_connections
from tasks.connectwise.create_configuration_status import create_configuration_status
from tasks.connectwise.create_configuration_type import create_configuration_type
from tasks.connectwise.create_location import create_location
from tasks.connectwise.create_manufacturer import create_manufacturer
from tasks.connectwise.list_configuration_status import list_configuration_status
from tasks.connectwise.list_configuration_types import list_configuration_types
from tasks.connectwise.list_locations import list_locations
from tasks.connectwise.list_manufacturers import list_manufacturers
from tasks.flow_inputs import ConnectWiseName, Create, Names, ReadFirst, StructureLevel, titled
from tasks.rules.references import LOCATION, MANUFACTURER, STATUS, TYPE, ReferencePlan
from tasks.synchronization.references import ReferenceActions, resolve
from tasks.synchronization.settings import Waiting

WaitingTimes = Annotated[
    Waiting | None, titled("Waiting", "How long a creation without an answer is waited for.")
]


@flow(name="location-flow", persist_result=False)
async def location_flow(
    names: Names,
    connectwise: ConnectWiseName = DEFAULT,
    create: Create = False,
    read_first: ReadFirst = True,
    structure_level_id: StructureLevel = None,
    waiting: WaitingTimes = None,
) -> ReferencePlan:
    """Find the ConnectWise locations of these names; create the missing ones on a structure level.

    Args:
        names: names of the locations.
        connectwise: name of the ConnectWise PSA Connection block.
        create: create what is missing; without a structure level id nothing is created.
        read_first: read what exists; off when the names are already known to be missing.
        structure_level_id: corporate structure level (1 to 5) of the locations that are created.
        waiting: how long a creation without an answer is waited for.
    """

    async def create_one(name: str) -> dict[str, Any]:
        return await create_location(connectwise, name, structure_level_id or 0)

    actions = ReferenceActions(LOCATION, lambda: list_locations(connectwise), create_one)
    async with shared_connections():
        return await resolve(
            actions,
            names,
            connectwise,
            create=create,
            read_first=read_first,
            may_create=structure_level_id is not None,
            waiting=waiting,
        )


@flow(name="manufacturer-flow", persist_result=False)
async def manufacturer_flow(
    names: Names,
    connectwise: ConnectWiseName = DEFAULT,
    create: Create = False,
    read_first: ReadFirst = True,
    waiting: WaitingTimes = None,
) -> ReferencePlan:
    """Find the ConnectWise manufacturers of these names; create the missing ones if asked.

    Args:
        names: names of the manufacturers.
        connectwise: name of the ConnectWise PSA Connection block.
        create: create what is missing.
        read_first: read what exists; off when the names are already known to be missing.
        waiting: how long a creation without an answer is waited for.
    """
    actions = ReferenceActions(
        MANUFACTURER,
        lambda: list_manufacturers(connectwise),
        lambda name: create_manufacturer(connectwise, name),
    )
    async with shared_connections():
        return await resolve(
            actions, names, connectwise, create=create, read_first=read_first, waiting=waiting
        )


@flow(name="status-flow", persist_result=False)
async def status_flow(
    names: Names,
    connectwise: ConnectWiseName = DEFAULT,
    create: Create = False,
    read_first: ReadFirst = True,
    waiting: WaitingTimes = None,
) -> ReferencePlan:
    """Find the configuration statuses of these descriptions; create the missing ones if asked.

    Args:
        names: descriptions of the statuses.
        connectwise: name of the ConnectWise PSA Connection block.
        create: create what is missing.
        read_first: read what exists; off when the names are already known to be missing.
        waiting: how long a creation without an answer is waited for.
    """
    actions = ReferenceActions(
        STATUS,
        lambda: list_configuration_status(connectwise),
        lambda name: create_configuration_status(connectwise, name),
    )
    async with shared_connections():
        return await resolve(
            actions, names, connectwise, create=create, read_first=read_first, waiting=waiting
        )


@flow(name="type-flow", persist_result=False)
async def type_flow(
    names: Names,
    connectwise: ConnectWiseName = DEFAULT,
    create: Create = False,
    read_first: ReadFirst = True,
    waiting: WaitingTimes = None,
) -> ReferencePlan:
    """Find the configuration types of these names; create the missing ones if asked.

    Args:
        names: names of the configuration types.
        connectwise: name of the ConnectWise PSA Connection block.
        create: create what is missing.
        read_first: read what exists; off when the names are already known to be missing.
        waiting: how long a creation without an answer is waited for.
    """
    actions = ReferenceActions(
        TYPE,
        lambda: list_configuration_types(connectwise),
        lambda name: create_configuration_type(connectwise, name),
    )
    async with shared_connections():
        return await resolve(
            actions, names, connectwise, create=create, read_first=read_first, waiting=waiting
        )

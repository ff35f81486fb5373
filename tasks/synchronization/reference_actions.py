"""The documented actions that read and create each kind of reference data."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from prefect import Task

from tasks.connectwise.create_configuration_status import create_configuration_status
from tasks.connectwise.create_configuration_type import create_configuration_type
from tasks.connectwise.create_location import create_location
from tasks.connectwise.create_manufacturer import create_manufacturer
from tasks.connectwise.list_configuration_status import list_configuration_status
from tasks.connectwise.list_configuration_types import list_configuration_types
from tasks.connectwise.list_locations import list_locations
from tasks.connectwise.list_manufacturers import list_manufacturers
from tasks.rules.references import LOCATION, MANUFACTURER, STATUS, TYPE, ReferenceKind

Record = dict[str, Any]


class ReferenceActions:
    """The two actions of one kind, on the connection of that name.

    ``inputs`` are what a creation needs beside the name; ``may_create`` says whether a missing name can be
    created at all, now or later.
    """

    def __init__(
        self,
        kind: ReferenceKind,
        connection: str,
        read: Task[..., Coroutine[Any, Any, list[Record]]],
        create: Task[..., Coroutine[Any, Any, Record]],
        *inputs: Any,
        may_create: bool = True,
    ) -> None:
        self.kind = kind
        self.connection = connection
        self.read = read
        self.create = create
        self.inputs = inputs
        self.may_create = may_create

    async def existing(self) -> list[Record]:
        """Every record of this kind, read by a task run of its own."""
        return await self.read(self.connection)

    async def read_again(self) -> list[Record]:
        """The same within a task run."""
        return await self.read.fn(self.connection)

    async def send(self, name: str) -> Record:
        """Create one record, within a task run: one request."""
        return await self.create.fn(self.connection, name, *self.inputs)


def reference_actions(connection: str, structure_level_id: int | None = None) -> dict[str, ReferenceActions]:
    """The actions of every kind that can be created, by target path.

    Without a structure level no location can be: they are the provider's own business units.
    """
    every = (
        ReferenceActions(
            LOCATION,
            connection,
            list_locations,
            create_location,
            structure_level_id,
            may_create=structure_level_id is not None,
        ),
        ReferenceActions(MANUFACTURER, connection, list_manufacturers, create_manufacturer),
        ReferenceActions(STATUS, connection, list_configuration_status, create_configuration_status),
        ReferenceActions(TYPE, connection, list_configuration_types, create_configuration_type),
    )
    return {actions.kind.path: actions for actions in every}

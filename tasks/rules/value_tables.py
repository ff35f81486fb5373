"""Tables of Lansweeper values and the existing ConnectWise records that they mean, as run forms show them.

A table is a list of rows, since the Prefect UI offers a dropdown in a row but shows a mapping as bare JSON.
A mapping ``{value: name or null}`` is accepted too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

LEAVE_OUT = "(leave it out)"
"""The choice in place of a record's name: assets with this value get no such record."""


class ValueRow(BaseModel):
    """One Lansweeper value and the name of the existing record that it means."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    value: str = Field(min_length=1, title="Lansweeper value", description="As Lansweeper has it.")
    record: str = Field(
        default=LEAVE_OUT, min_length=1, title="ConnectWise record", description="Name of an existing record."
    )


class TypeRow(ValueRow):
    """A row of the table of configuration types."""


class StatusRow(ValueRow):
    """A row of the table of configuration statuses."""


class ManufacturerRow(ValueRow):
    """A row of the table of manufacturers."""


class LocationRow(ValueRow):
    """A row of the table of locations."""


class ReferenceValues(BaseModel):
    """A table for each kind of reference; its rows have a class each, since each offers its own names."""

    model_config = ConfigDict(extra="forbid")

    types: list[TypeRow] = Field(default_factory=list, title="Configuration types")
    statuses: list[StatusRow] = Field(default_factory=list, title="Configuration statuses")
    manufacturers: list[ManufacturerRow] = Field(default_factory=list, title="Manufacturers")
    locations: list[LocationRow] = Field(default_factory=list, title="Locations")

    @field_validator("*", mode="before")
    @classmethod
    def _rows(cls, table: Any) -> Any:
        if not isinstance(table, Mapping):
            return table
        return [
            {"value": value, "record": LEAVE_OUT if name is None else name} for value, name in table.items()
        ]

    @field_validator("*")
    @classmethod
    def _each_value_once(cls, table: list[ValueRow]) -> list[ValueRow]:
        values = [row.value.casefold() for row in table]
        if twice := next((row.value for row in table if values.count(row.value.casefold()) > 1), None):
            raise ValueError(f"{twice!r} stands in the table more than once. Keep one of its rows.")
        return table

    def by_target(self) -> dict[str, dict[str, str | None]]:
        """By ConnectWise path: Lansweeper value -> name, or None to leave the field out."""
        return {
            "type.name": _names(self.types),
            "status.name": _names(self.statuses),
            "manufacturer.name": _names(self.manufacturers),
            "location.name": _names(self.locations),
        }


def _names(table: Sequence[ValueRow]) -> dict[str, str | None]:
    return {row.value: None if row.record == LEAVE_OUT else row.record for row in table}

"""What a person writes to say how a ticket becomes a work order, and what comes back.

A line has a source path, a target path, one of the seven documented actions and a default, which is used when
the source is missing, null or empty. Inbound lines lead from ConnectWise to Field Nation, outbound ones back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_PREFIX = "ACTION_TYPE_"


class MappingAction(StrEnum):
    """The documented actions; their constants (``ACTION_TYPE_ARRAY_MAP``) are read as well."""

    SYNC = "Sync"
    SET_STATIC = "Set Static"
    ARRAY_MAP = "Array Map"
    RANGE_MAP = "Range Map"
    DATE_CONVERT = "Date Convert"
    CONCAT = "Concat"
    CUSTOM = "Custom"


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Comparison(_Line):
    """``value`` for a source that equals ``compare``; case counts, and text "1" is not the number 1."""

    compare: Any = Field(description="Value of the source, exactly.")
    value: Any = Field(description="Value of the target.")


class RangeEntry(_Line):
    """``value`` for a source that is at most ``compare``."""

    compare: float = Field(description="Upper bound; it belongs to the range.")
    value: Any = Field(description="Value of the target.")


class ConcatPart(_Line):
    """One part of a joined text."""

    type: Literal["field", "static"] = Field(description="A source path, or text as it stands.")
    value: str = Field(description="The path or the text.")


class DispatchMapping(_Line):
    """One line of a mapping. Which members it needs depends on its action."""

    target: str = Field(min_length=1, description="Path in the record that is written.")
    source: str = Field(default="", description="Path in the record that is read.")
    action: MappingAction = Field(default=MappingAction.SYNC, description="How the value comes about.")
    default: Any = Field(default=None, description="Value where the source is missing, null or empty.")
    value: Any = Field(default=None, description="Set Static: the value.")
    mappings: tuple[Comparison, ...] = Field(default=(), description="Array Map: the values.")
    ranges: tuple[RangeEntry, ...] = Field(default=(), description="Range Map: the bounds, rising.")
    input_format: str = Field(default="", description="Date Convert: empty for ISO 8601.")
    output_format: str = Field(default="", description="Date Convert: empty for ISO 8601.")
    timezone_in: str = Field(default="", description="Date Convert: where the source names none; UTC.")
    timezone_out: str = Field(default="", description="Date Convert: of the target; UTC.")
    parts: tuple[ConcatPart, ...] = Field(default=(), description="Concat: what is joined.")
    script: str = Field(default="", description="Custom: a JMESPath expression over the whole source.")

    @field_validator("action", mode="before")
    @classmethod
    def _constants_too(cls, value: Any) -> Any:
        if isinstance(value, str) and value.upper().startswith(_PREFIX):
            return value[len(_PREFIX) :].replace("_", " ").title()
        return value

    @field_validator("target", "source")
    @classmethod
    def _without_blanks(cls, value: str) -> str:
        return value.strip()


class DispatchMappings(BaseModel):
    """Both directions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inbound: tuple[DispatchMapping, ...] = Field(
        default=(), description="From the ticket or opportunity to the work order."
    )
    outbound: tuple[DispatchMapping, ...] = Field(
        default=(), description="From the work order back to the ticket or opportunity."
    )

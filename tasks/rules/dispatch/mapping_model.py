"""The mapping between a record and its work order, as a person writes it, and the default one.

A line has a source path, a target path, one of the seven documented actions and a default, which is used when
the source is missing, null or empty. Inbound lines lead from ConnectWise to Field Nation, outbound ones back.

The default mapping follows the connector's documented defaults (docs/vendors.md, Field Nation 7.4) as far as
the real fields exist. Type of work, pay and template are the company's own, so they come from settings.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.rules.dispatch.reference import RecordKind

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


_START = {
    RecordKind.SERVICE_TICKET: "requiredDate || estimatedStartDate",
    RecordKind.PROJECT_TICKET: "scheduleStartDate || estimatedStartDate || requiredDate",
    RecordKind.OPPORTUNITY: "expectedCloseDate",
}
_DESCRIPTION = {
    RecordKind.SERVICE_TICKET: "description || summary",
    RecordKind.PROJECT_TICKET: "description || summary",
    RecordKind.OPPORTUNITY: "notes || name",
}
_ADDRESS = {
    "location.address1": "address.addressLine1",
    "location.address2": "address.addressLine2",
    "location.city": "address.city",
    "location.state": "address.state",
    "location.zip": "address.zip",
    "location.country": "address.country",
    "location.display_name": "address.name",
}
_CONTACT = {
    "contacts[0].name": "contactName || contact.name",
    "contacts[0].phone": "contactPhoneNumber || contact.defaultPhoneNbr",
    # Only with a number of the contact's own: the extension of one telephone is none of another.
    "contacts[0].ext": "!contactPhoneNumber && contact.defaultPhoneExtension || contactPhoneExtension",
    "contacts[0].email": "contactEmailAddress",
}


def default_dispatch_mappings(
    kind: RecordKind,
    *,
    template_id: int | None = None,
    type_of_work_id: int | None = None,
    pay_type: str | None = None,
    pay_amount: float | None = None,
    pay_units: float | None = None,
    reference_field_id: int | None = None,
) -> DispatchMappings:
    """Both lists for one kind of record.

    Args:
        template_id, type_of_work_id, pay_type, pay_amount, pay_units: Field Nation's own; None: no line.
        reference_field_id: Field Nation custom field that shall hold the ticket's reference.
    """
    fixed = {
        "template.id": template_id,
        "types_of_work[0].id": type_of_work_id,
        "pay.type": pay_type,
        "pay.base.amount": pay_amount,
        "pay.base.units": pay_units,
    }
    inbound = [
        _title("name" if kind is RecordKind.OPPORTUNITY else "summary"),
        _sync("incident_id", "reference"),
        _custom("description", _DESCRIPTION[kind]),
        _static("location.mode", "custom"),
        *(_sync(target, source) for target, source in _ADDRESS.items()),
        *(_custom(target, script) for target, script in _CONTACT.items()),
        _static("contacts[0].role", "Location Contact"),
        _static("schedule.service_window.mode", "exact"),
        _custom("schedule.service_window.start", _START[kind]),
        *(_static(target, value) for target, value in fixed.items() if value is not None),
    ]
    if reference_field_id is not None:
        inbound.append(_sync(f"custom_fields.{reference_field_id}", "reference"))
    return DispatchMappings(inbound=tuple(inbound), outbound=default_outbound(kind))


def default_outbound(kind: RecordKind) -> tuple[DispatchMapping, ...]:
    """Approved becomes status Completed, closing notes an internal note; opportunities get the note only."""
    note = _sync("internalNote", "closing_notes")
    if kind is RecordKind.OPPORTUNITY:
        return (note,)
    completed: dict[str, Any] = {
        "target": "status.name",
        "source": "status.name",
        "action": MappingAction.ARRAY_MAP,
        "mappings": [{"compare": "Approved", "value": "Completed"}],
    }
    return (DispatchMapping.model_validate(completed), note)


def _title(source: str) -> DispatchMapping:
    """``[CW-S-101] Replace the access point``: the reference is what a work order is found by again."""
    parts = [("static", "["), ("field", "reference"), ("static", "] "), ("field", source)]
    return DispatchMapping.model_validate(
        {
            "target": "title",
            "action": MappingAction.CONCAT,
            "parts": [{"type": kind, "value": value} for kind, value in parts],
        }
    )


def _sync(target: str, source: str) -> DispatchMapping:
    return DispatchMapping(target=target, source=source)


def _custom(target: str, script: str) -> DispatchMapping:
    return DispatchMapping(target=target, action=MappingAction.CUSTOM, script=script)


def _static(target: str, value: Any) -> DispatchMapping:
    return DispatchMapping(target=target, action=MappingAction.SET_STATIC, value=value)

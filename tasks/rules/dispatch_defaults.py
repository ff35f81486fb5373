"""The mapping that is used where a person gives none, for tickets, project tickets and opportunities.

It follows the connector's documented defaults (reference, section 7.4) as far as the real fields exist. Type
of work, pay and template are the company's own, so they come from settings, not from here.
"""

from __future__ import annotations

from typing import Any

from tasks.rules.dispatch_reference import RecordKind
from tasks.rules.dispatch_words import DispatchMapping, DispatchMappings, MappingAction

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

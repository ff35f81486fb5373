"""The document that inbound mappings read: the fetched record with its related records one level deep.

Beside the vendor's members it has ``reference``, ``kind``, ``description`` (the oldest description note,
since the vendor never gives ``initialDescription`` back), ``address`` (one whole address, never a mix of
several), ``customFields`` by caption, and under company, contact, site, board and member the whole related
records.

A related record that the fetched one does not hold costs a request, so ``related_needed`` tries the mapping
with what is there and notes every member that it asks for in vain: a choice such as
``contactPhoneNumber || contact.defaultPhoneNbr`` costs nothing where the first has a value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from tasks.rules.dispatch.mapping_actions import mapped_value
from tasks.rules.dispatch.mapping_model import DispatchMapping
from tasks.rules.dispatch.paths import is_nothing, members_of, objects_of, read_path
from tasks.rules.dispatch.reference import PREFIX, RecordKind, reference_of
from tasks.rules.dispatch.regions import country_of_state
from tasks.rules.values import Day, folded, is_null_date

FETCHED = ("company", "contact", "site", "board", "member")
DESCRIPTION = "description"
POSTAL_ADDRESS = "address"
Record = Mapping[str, Any]
DAY_FIELDS = frozenset({"expectedCloseDate"})
"""Members that are days: ConnectWise writes them as midnight UTC and shows no time of day. A required date
and an estimated start have one, so that their midnight UTC is a moment (docs/decisions.md, Updates)."""
DAY_TYPE = "Date"
"""The type of custom fields that are days."""
_Document = Mapping[str, Any]
ADDRESS = ("addressLine1", "addressLine2", "city", "state", "zip", "country", "name")
RELATED = {
    "company": "id identifier name addressLine1 addressLine2 city state zip country phoneNumber website "
    "accountNumber customFields",
    "contact": "id name firstName lastName title addressLine1 addressLine2 city state zip country "
    "defaultPhoneNbr defaultPhoneExtension communicationItems customFields",
    "site": "id name addressLine1 addressLine2 city stateReference zip country phoneNumber phoneNumberExt "
    "timeZone primaryAddressFlag customFields",
    "board": "id name location department projectFlag",
    "member": "id identifier name firstName lastName officeEmail officePhone title",
}
OWN = "reference kind description address"
_TICKET = (
    "id summary board status workRole workType company site siteName addressLine1 addressLine2 city "
    "stateIdentifier zip country contact contactName contactPhoneNumber contactPhoneExtension "
    "contactEmailAddress type subType item owner priority serviceLocation source requiredDate budgetHours "
    "opportunity agreement agreementType knowledgeBaseCategoryId closedDate closedBy closedFlag actualHours "
    "approved resources estimatedStartDate duration location department customFields _info poNumber "
    "automaticEmailCc "
)
MEMBERS = {
    RecordKind.SERVICE_TICKET: _TICKET + "recordType team severity impact externalXRef dateResolved "
    "dateResplan dateResponded sla parentTicketId integratorTags",
    RecordKind.PROJECT_TICKET: _TICKET.replace("poNumber ", "") + "project phase wbsCode isIssueFlag "
    "scheduleStartDate scheduleEndDate tasks",
    RecordKind.OPPORTUNITY: "id name expectedCloseDate type stage status priority notes probability source "
    "rating campaign primarySalesRep secondarySalesRep locationId businessUnitId company contact site "
    "customerPO closedDate closedBy shipToCompany shipToContact shipToSite currency technicalContact "
    "customFields _info",
}

WORK_ORDER_MEMBERS = (
    "id work_order_id title href description confidential status location schedule eta pay company manager "
    "client project template assignee contacts custom_fields tasks messages attachments time_logs problems "
    "shipments milestones tags routes closing_notes incident_id type_of_work types_of_work service_types "
    "site_revisit integration integrations require_gps allow_counter_offers"
)
"""What outbound mappings read; ``custom_fields`` by id or name, further ``provider``, the assigned person."""
_WORK_ORDER_PARTS = {
    "status": "id name display code sub_status is_routed delay ncns confirmed",
    "provider": "id name first_name last_name country cell phone phone_ext",
    "manager": "id username first_name last_name name email phone",
    "milestones": "created published routed assigned workdone approved paid canceled",
    "description": "html markdown",
    "time_logs": "hours results metadata",
}


def work_order_members() -> dict[str, frozenset[str] | None]:
    """As ``source_members``, of the work order that outbound mappings read."""
    known: dict[str, frozenset[str] | None] = dict.fromkeys(WORK_ORDER_MEMBERS.split())
    return known | {name: frozenset(parts.split()) for name, parts in _WORK_ORDER_PARTS.items()}


def source_members(kind: RecordKind) -> dict[str, frozenset[str] | None]:
    """The members that a mapping may read, each with those below it; None: what lies below isn't checked."""
    known: dict[str, frozenset[str] | None] = dict.fromkeys(f"{MEMBERS[kind]} {OWN}".split())
    known |= {name: frozenset(members.split()) for name, members in RELATED.items()}
    known["address"] = frozenset(ADDRESS)
    return known


def dispatch_source(
    kind: RecordKind,
    record: Record,
    *,
    description: str = "",
    company: Record | None = None,
    contact: Record | None = None,
    site: Record | None = None,
    board: Record | None = None,
    member: Record | None = None,
    prefix: str = PREFIX,
) -> dict[str, Any]:
    """The document for the mapping actions; a related record that was not fetched stays a reference."""
    record = read_values(record)
    related = {
        name: read_values(each)
        for name, each in (("company", company), ("contact", contact), ("site", site), ("board", board))
    }
    document: dict[str, Any] = {**record}
    for name, whole in related.items():
        inner = document[name] = {**members_of(record.get(name)), **(whole or {})}
        if isinstance(inner.get("customFields"), list):
            inner["customFields"] = custom_fields_by_caption(inner)
    owner = members_of(record.get("owner") or record.get("primarySalesRep"))
    document["member"] = {**owner, **(member or {})}
    document["customFields"] = custom_fields_by_caption(record)
    document["reference"] = reference_of(kind, int(record["id"]), prefix)
    document["kind"] = str(kind)
    document["description"] = description
    document["address"] = chosen_address(record, document["site"], document["company"])
    return document


def read_values(value: Any, name: str = "") -> Any:
    """What a record says: no null dates, and days as such."""
    if isinstance(value, str):
        if is_null_date(value):
            return None
        return Day(value) if name in DAY_FIELDS else value
    if isinstance(value, Mapping):
        return {key: read_values(each, key) for key, each in value.items()}
    return [read_values(each) for each in value] if isinstance(value, list) else value


def _custom_value(entry: Record) -> Any:
    value = entry.get("value")
    return Day(value) if isinstance(value, str) and entry.get("type") == DAY_TYPE else value


def chosen_address(record: Record, site: Record, company: Record) -> dict[str, Any]:
    """The first whole address (street and city): the record's own, its site's, its company's; else empty.

    Parts of two addresses are never put together: a technician would be sent to neither.
    """
    for name, each in (
        (record.get("siteName"), record),
        (site.get("name"), site),
        (company.get("name"), company),
    ):
        if not is_nothing(each.get("addressLine1")) and not is_nothing(each.get("city")):
            return {**_address(each), "name": name or company.get("name") or ""}
    return dict.fromkeys(ADDRESS, "")


class CustomFieldValues(dict[str, Any]):
    """Values by caption; a caption that is written otherwise is found by its folded form."""

    def get(self, key: str, default: Any = None) -> Any:
        if key in self or not isinstance(key, str):
            return super().get(key, default)
        wanted = folded(key)
        return next((value for caption, value in self.items() if folded(caption) == wanted), default)


def custom_fields_by_caption(record: Record) -> CustomFieldValues:
    """``{caption: value}``; a field without a value is None."""
    fields = objects_of(record.get("customFields"))
    return CustomFieldValues(
        {str(each["caption"]): _custom_value(each) for each in fields if each.get("caption")}
    )


def description_of(notes: list[dict[str, Any]]) -> str:
    """The text of the oldest note with ``detailDescriptionFlag``; empty if there is none."""
    found = [note for note in notes if note.get("detailDescriptionFlag") and not is_nothing(note.get("text"))]
    first = min(found, key=lambda note: int(note.get("id") or 0), default={})
    return str(first.get("text") or "").strip()


def _address(record: Record) -> dict[str, Any]:
    """The parts under one set of names; a state or country that is a reference becomes its identifier."""
    state = record.get("stateIdentifier") or record.get("state") or record.get("stateReference")
    return {
        "addressLine1": record.get("addressLine1") or "",
        "addressLine2": record.get("addressLine2") or "",
        "city": record.get("city") or "",
        "state": _name(state),
        "zip": record.get("zip") or "",
        "country": _name(record.get("country")) or country_of_state(_name(state)) or "US",
    }


def _name(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("identifier") or value.get("name")
    return str(value or "")


class _Noting(dict[str, Any]):
    """An object that notes under its own name that a member was asked for in vain."""

    def __init__(self, name: str, members: Mapping[str, Any], noted: set[str]) -> None:
        super().__init__(members)
        self._name = name
        self._noted = noted

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        if is_nothing(found):
            self._noted.add(self._name)
        return found


class _NotingDescription(dict[str, Any]):
    """A document that notes that its description was asked for."""

    def __init__(self, members: Mapping[str, Any], noted: set[str]) -> None:
        super().__init__(members)
        self._noted = noted

    def get(self, key: str, default: Any = None) -> Any:
        if key == DESCRIPTION:
            self._noted.add(DESCRIPTION)
        return super().get(key, default)


def reads_description(lines: Sequence[DispatchMapping], document: _Document) -> bool:
    """Whether some line reads the description, which is a note of its own."""
    return DESCRIPTION in _asked_for(lines, document)


def related_needed(
    lines: Sequence[DispatchMapping], document: _Document, fetched: Collection[str] = ()
) -> list[str]:
    """Names of ``FETCHED``, in that order, whose whole records are to be fetched for this document.

    Ask again once they are laid into it: a site without an address makes the company needed.

    Args:
        document: a ``dispatch_source``.
        fetched: those that are in it already, or could not be had.
    """
    asked = _asked_for(lines, document)
    if POSTAL_ADDRESS in asked:
        asked |= _for_address(document, fetched)
    return [name for name in FETCHED if name in asked and name not in fetched and _has_id(document, name)]


def _asked_for(lines: Sequence[DispatchMapping], document: _Document) -> set[str]:
    noted: set[str] = set()
    objects = {name: _Noting(name, document.get(name) or {}, noted) for name in (*FETCHED, POSTAL_ADDRESS)}
    noting = _NotingDescription({**document, **objects}, noted)
    for line in lines:
        # Often a value is missing yet; what is wrong with it else is told when it is mapped.
        with suppress(Exception):
            mapped_value(line, noting)
    return noted


def _for_address(document: _Document, fetched: Collection[str]) -> set[str]:
    """The site's address, and the company's where the record names no site or that one has none."""
    if not is_nothing(read_path(document, "address.addressLine1")):
        return set()
    names = (name for name in ("site", "company") if _has_id(document, name) and name not in fetched)
    return {name for name in [next(names, "")] if name}


def _has_id(document: _Document, name: str) -> bool:
    return bool(read_path(document, f"{name}.id"))

"""Which fields of a trigger hold names, and where ConnectWise lists them.

A path that the published description lacks (marked below) is asked for all the same: other clients read it,
and of a collection that a server does not have nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.rules.dispatch.paths import steps_of
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import MEMBERS, OWN
from tasks.rules.dispatch.triggers import Operator, Trigger

COMPANIES = "/company/companies"
SITES = "/company/companies/{parentId}/sites"
MEMBERS_PATH = "/system/members"
ON_BOARDS = {"status": "statuses", "type": "types", "subType": "subtypes", "item": "items", "team": "teams"}
"""Fields whose names belong to a board, and the last part of the path that lists them."""


@dataclass(frozen=True, slots=True)
class NameTable:
    """A collection that lists the names of a field, in ``member``; ``firstName lastName``: both, in one.

    ``is_searched``: it is too long to be read, so that it is asked for the wanted names. ``company``: the
    name of the company whose sites they are.
    """

    path: str
    member: str = "name"
    is_searched: bool = False
    company: str = ""


IDENTIFIERS = NameTable(MEMBERS_PATH, "identifier", is_searched=True)
_PERSONS = NameTable(MEMBERS_PATH, "firstName lastName", is_searched=True)
_SHARED = {
    "company": NameTable(COMPANIES, is_searched=True),
    "company.identifier": NameTable(COMPANIES, "identifier", is_searched=True),
}
_TICKETS = {
    **_SHARED,
    "priority": NameTable("/service/priorities"),
    "source": NameTable("/service/sources"),
    "location": NameTable("/system/locations"),
    "department": NameTable("/system/departments"),
    "department.identifier": NameTable("/system/departments", "identifier"),
    "owner": _PERSONS,
    "owner.identifier": IDENTIFIERS,
    "member": _PERSONS,
    "member.identifier": IDENTIFIERS,
    "agreement": NameTable("/finance/agreements", is_searched=True),
    "agreementType": NameTable("/finance/agreements/types"),
    # Not in the description: these four.
    "serviceLocation": NameTable("/service/locations"),
    "workType": NameTable("/time/workTypes"),
    "workRole": NameTable("/time/workRoles"),
    "project": NameTable("/project/projects", is_searched=True),
}
_OPPORTUNITIES = {
    **_SHARED,
    "status": NameTable("/sales/opportunities/statuses"),
    "type": NameTable("/sales/opportunities/types", "description"),
    "rating": NameTable("/sales/opportunities/ratings"),
    # Not in the description.
    "stage": NameTable("/sales/stages"),
    **dict.fromkeys(("member", "primarySalesRep", "secondarySalesRep"), _PERSONS),
    **dict.fromkeys(
        ("member.identifier", "primarySalesRep.identifier", "secondarySalesRep.identifier"), IDENTIFIERS
    ),
}
_BELOW_REFERENCES = frozenset({"id", "identifier", "name"})
_REFERENCES = ("company", "contact", "site", "board", "member")
"""A trigger reads the record alone: of these it has no more than the reference."""
_BOTH_TICKETS = (
    "allowAllClientsPortalView automaticEmailCcFlag automaticEmailContactFlag automaticEmailResourceFlag "
    "billExpenses billProducts billTime contactEmailLookup currency customerUpdatedFlag "
    "knowledgeBaseLinkId knowledgeBaseLinkType knowledgeBaseSubCategoryId lagDays lagNonworkingDaysFlag "
    "mobileGuid predecessorClosedFlag predecessorId predecessorType subBillingAmount subBillingMethod "
    "subDateAccepted closedFlag member "
)
_FURTHER = {
    RecordKind.SERVICE_TICKET: _BOTH_TICKETS + "billingAmount billingMethod escalationLastUpdateMinutes "
    "escalationLevel escalationStartDateUTC estimatedExpenseCost estimatedExpenseRevenue "
    "estimatedProductCost estimatedProductRevenue estimatedTimeCost estimatedTimeRevenue hasChildTicket "
    "hasMergedChildTicketFlag hourlyRate isInSla mergedParentTicket minutesBeforeWaiting minutesWaiting "
    "requestForChangeFlag resPlanMinutes resolutionGoalUTC resolutionHours resolveMinutes resolvedBy "
    "resplanBy resplanGoalUTC resplanHours resplanSkippedMinutes respondByGoalUTC respondMinutes "
    "respondedBy respondedHours respondedSkippedMinutes slaStatus",
    RecordKind.PROJECT_TICKET: _BOTH_TICKETS,
    RecordKind.OPPORTUNITY: "billToCompany billToContact billToSite billingTerms companyLocationId "
    "dateBecameLead pipelineChangeDate taxCode totalSalesTax closedFlag member",
}
"""Members of the vendor's records that no mapping offers, and a trigger may name."""


def name_of(field: str) -> str:
    """``priority`` for ``priority`` and ``priority.name``."""
    return field.removesuffix(".name")


def table_of(trigger: Trigger, field: str) -> NameTable | None:
    """Where the names of a trigger's field are listed; None: nowhere, or on the boards of the trigger."""
    name = name_of(field)
    if name == "site":
        companies = [*_named_companies(trigger)]
        # Sites are listed by company, so those of a trigger that names none, or many, are not looked up.
        return NameTable(SITES, is_searched=True, company=companies[0]) if len(companies) == 1 else None
    return (_OPPORTUNITIES if trigger.kind is RecordKind.OPPORTUNITY else _TICKETS).get(name)


def _named_companies(trigger: Trigger) -> Iterator[str]:
    for condition in trigger.conditions:
        if name_of(condition.field) == "company" and condition.operator is Operator.IS:
            yield from (str(value) for value in condition.values)


def readable_members(kind: RecordKind) -> frozenset[str]:
    """The members of a record that a trigger may read: the description is a note of its own."""
    return frozenset(f"{MEMBERS[kind]} {OWN} {_FURTHER[kind]}".split()) - {"description"}


def unread_below(field: str) -> str:
    """What of a field a trigger never sees, since only the reference stands in the record; "" for none."""
    first, *rest = steps_of(field)
    if first not in _REFERENCES or not rest or rest[0] in _BELOW_REFERENCES:
        return ""
    return str(first)

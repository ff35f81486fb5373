"""Tickets of both kinds, their notes, time entries: members, lengths, what is required, by the spec.

Service and project tickets share one sequence of ids, as in the vendor's database. Project tickets have no
`recordType`, and their notes neither `createdBy` nor `dateCreated`. `allNotes` merges a ticket's notes with
those of its time entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.connectwise.schema.boards import (
    BOARD_ITEMS_NAME,
    BOARD_STATUSES_NAME,
    BOARD_SUBTYPES_NAME,
    BOARD_TEAMS_NAME,
    BOARD_TYPES_NAME,
    BOARDS_NAME,
    PRIORITIES_NAME,
    SOURCES_NAME,
)
from sandbox.connectwise.schema.fields import (
    Field,
    Kind,
    Table,
    choice,
    computed,
    each,
    flag,
    ignored,
    items,
    links_of,
    mirror,
    moment,
    number,
    on_update,
    ref,
    shown,
    text,
    unidentified,
    whole,
)
from sandbox.connectwise.schema.finance import AGREEMENTS_NAME, BILLABLE, SLAS_NAME
from sandbox.connectwise.schema.members import MEMBERS_NAME

SERVICE_TICKETS_NAME = "service/tickets"
PROJECT_TICKETS_NAME = "project/tickets"

BILLING_METHOD = choice("ActualRates", "FixedFee", "NotToExceed", "OverrideRate")
_NONE, _NO_AMOUNT = shown(whole(), 0), shown(number(), 0.0)

Belongs = Callable[[Mapping[str, Any], int], bool]

_TICKET_FIELDS: dict[str, Field] = {
    "summary": text(100, required=True),
    "board": ref(BOARDS_NAME),
    "status": ref(BOARD_STATUSES_NAME, within="board", named_within=True),
    "workRole": ref("time/workRoles"),
    "workType": ref("time/workTypes"),
    "site": ref("company/sites", within="company"),
    "siteName": text(156),
    **each(text(50), "addressLine1 addressLine2 city stateIdentifier"),
    "zip": text(12),
    "country": ref("company/countries"),
    "contact": ref("company/contacts", within="company"),
    "contactName": text(62),
    "contactPhoneNumber": text(20),
    "contactPhoneExtension": text(15),
    "contactEmailAddress": text(250),
    "type": ref(BOARD_TYPES_NAME, within="board", named_within=True),
    "subType": ref(BOARD_SUBTYPES_NAME, within="board", named_within=True),
    "item": ref(BOARD_ITEMS_NAME, within="board", named_within=True),
    "owner": ref("system/members"),
    "priority": ref(PRIORITIES_NAME),
    "serviceLocation": ref("service/locations"),
    "source": ref(SOURCES_NAME),
    "requiredDate": moment(),
    "budgetHours": shown(number(), 0.0),
    "opportunity": ref("sales/opportunities"),
    "agreement": ref(AGREEMENTS_NAME),
    "agreementType": text(),
    **each(whole(), "knowledgeBaseCategoryId knowledgeBaseSubCategoryId"),
    **each(flag(), "allowAllClientsPortalView customerUpdatedFlag automaticEmailContactFlag"),
    **each(flag(), "automaticEmailResourceFlag automaticEmailCcFlag"),
    "automaticEmailCc": text(1000),
    **each(ignored(text()), "initialDescription initialInternalAnalysis initialResolution"),
    "contactEmailLookup": ignored(text()),
    **each(ignored(flag()), "processNotifications skipCallback"),
    **each(computed(text()), "closedDate closedBy"),
    "closedFlag": computed(flag()),
    "actualHours": shown(number(), 0.0),
    "approved": flag(),
    "subBillingMethod": shown(BILLING_METHOD, "ActualRates"),
    "subBillingAmount": number(),
    "subDateAccepted": text(),
    "knowledgeBaseLinkId": whole(),
    "resources": text(),
    "knowledgeBaseLinkType": choice(
        "Activity", "ProjectIssue", "KnowledgeBaseArticle", "ProjectTicket", "ServiceTicket", "Time"
    ),
    **each(BILLABLE, "billTime billExpenses billProducts"),
    "predecessorType": choice("Ticket", "Phase"),
    "predecessorId": whole(),
    "predecessorClosedFlag": flag(),
    "lagDays": whole(),
    "lagNonworkingDaysFlag": flag(),
    "estimatedStartDate": moment(),
    "duration": whole(),
    "location": ref("system/locations"),
    "department": ref("system/departments"),
    "mobileGuid": text(),
    "currency": ref("finance/currencies"),
    "customFields": Field(Kind.CUSTOM),
}

SERVICE_TICKETS = Table(
    name=SERVICE_TICKETS_NAME,
    type_name="Ticket",
    naming=("summary",),
    info=("lastUpdated", "updatedBy", "dateEntered", "enteredBy"),
    hrefs={"configurations_href": "/service/tickets/{id}/configurations"},
    keeps_custom_fields=True,
    searchable=True,
    fields={
        **_TICKET_FIELDS,
        "recordType": computed(choice("ProjectIssue", "ProjectTicket", "ServiceTicket")),
        "company": ref("company/companies", required=True),
        "team": ref(BOARD_TEAMS_NAME, within="board", named_within=True),
        **each(on_update(choice("Low", "Medium", "High", default="Medium")), "severity impact"),
        "externalXRef": text(100),
        "poNumber": text(50),
        "initialDescriptionFrom": ignored(text()),
        **each(_NO_AMOUNT, "estimatedExpenseCost estimatedExpenseRevenue estimatedProductCost"),
        **each(_NO_AMOUNT, "estimatedProductRevenue estimatedTimeCost estimatedTimeRevenue"),
        "billingMethod": shown(BILLING_METHOD, "ActualRates"),
        **each(number(), "billingAmount hourlyRate"),
        **each(text(), "dateResolved dateResplan dateResponded"),
        **each(_NONE, "resolveMinutes resPlanMinutes respondMinutes"),
        **each(moment(), "respondByGoalUTC resplanGoalUTC resolutionGoalUTC"),
        "escalationLastUpdateMinutes": _NONE,
        "isInSla": flag(),
        "parentTicketId": whole(),
        **each(computed(flag()), "hasChildTicket hasMergedChildTicketFlag"),
        "sla": ref(SLAS_NAME),
        "slaStatus": text(),
        "requestForChangeFlag": flag(),
        "mergedParentTicket": ref(SERVICE_TICKETS_NAME),
        "integratorTags": Field(Kind.TEXTS),
        "escalationStartDateUTC": text(),
        **each(_NONE, "escalationLevel minutesBeforeWaiting respondedSkippedMinutes resplanSkippedMinutes"),
        "respondedHours": _NO_AMOUNT,
        "respondedBy": text(),
        "resplanHours": _NO_AMOUNT,
        "resplanBy": text(),
        "resolutionHours": _NO_AMOUNT,
        "resolvedBy": text(),
        "minutesWaiting": _NONE,
    },
)

PROJECT_TICKETS = Table(
    name=PROJECT_TICKETS_NAME,
    type_name="ProjectTicket",
    resource="ticket",
    naming=("summary",),
    info=("lastUpdated", "updatedBy", "dateEntered", "enteredBy"),
    hrefs={"configurations_href": "/project/tickets/{id}/configurations"},
    keeps_custom_fields=True,
    searchable=True,
    sequence=SERVICE_TICKETS_NAME,
    fields={
        **_TICKET_FIELDS,
        "isIssueFlag": flag(),
        "project": ref("project/projects"),
        "phase": ref("project/phases", required=True),
        "wbsCode": text(50),
        "company": ref("company/companies"),
        **each(moment(), "scheduleStartDate scheduleEndDate"),
        "tasks": items(
            id=whole(),
            ticketId=whole(),
            notes=text(),
            closedFlag=flag(),
            priority=whole(),
            resolution=text(),
            summary=text(),
            childTicketId=whole(),
        ),
    },
)

SERVICE_TICKET_CONFIGURATIONS = links_of(SERVICE_TICKETS)
PROJECT_TICKET_CONFIGURATIONS = links_of(PROJECT_TICKETS)


NOTE_TYPES = ("TicketNote", "TimeEntryNote", "MeetingNote")

_NOTE_FIELDS: dict[str, Field] = {
    "text": text(),
    **each(flag(), "detailDescriptionFlag internalAnalysisFlag resolutionFlag issueFlag"),
    "member": ref(MEMBERS_NAME),
    "contact": ref("company/contacts"),
}
_TICKET_NOTE_FIELDS: dict[str, Field] = {
    **_NOTE_FIELDS,
    "ticketId": mirror("ticket"),
    "customerUpdatedFlag": flag(),
    "processNotifications": ignored(flag()),
    **each(computed(flag()), "internalFlag externalFlag"),
}


def _notes(owner: Table, type_name: str, further: Mapping[str, Field]) -> Table:
    return Table(
        name=f"{owner.name}/notes",
        route=f"{owner.route}/{{parentId}}/notes",
        type_name=type_name,
        words="Note",
        parent="ticket",
        owner=owner.name,
        naming=("text",),
        fields={**_TICKET_NOTE_FIELDS, **further},
    )


def _all_notes(owner: Table, type_name: str, further: Mapping[str, Field]) -> Table:
    return Table(
        name=f"{owner.name}/allNotes",
        route=f"{owner.route}/{{parentId}}/allNotes",
        type_name=type_name,
        resource="note",
        parent="ticket",
        gathered=True,
        verbs=frozenset({"list"}),
        info=("lastUpdated", "updatedBy", "dateEntered", "enteredBy"),
        fields={
            "noteType": choice(*NOTE_TYPES),
            "ticket": ref(owner.name),
            **_NOTE_FIELDS,
            **each(moment(), "timeStart timeEnd"),
            **each(flag(), "bundledFlag mergedFlag"),
            "originalAuthor": text(),
            **further,
        },
    )


SERVICE_NOTES = _notes(
    SERVICE_TICKETS,
    "ServiceNote",
    {"dateCreated": computed(text()), "createdBy": computed(text()), "sentimentScore": number()},
)
PROJECT_NOTES = _notes(PROJECT_TICKETS, "TicketNote", {})
ALL_SERVICE_NOTES = _all_notes(
    SERVICE_TICKETS, "ServiceTicketNote", {"isMarkdownFlag": flag(), "createdByParentFlag": flag()}
)
ALL_PROJECT_NOTES = _all_notes(PROJECT_TICKETS, "ProjectTicketNote", {})


def _tasks(owner: Table, type_name: str) -> Table:
    return Table(
        name=f"{owner.name}/tasks",
        route=f"{owner.route}/{{parentId}}/tasks",
        type_name=type_name,
        words="Task",
        parent="ticket",
        owner=owner.name,
        naming=("notes",),
        fields={
            "ticketId": mirror("ticket"),
            **each(text(), "notes resolution summary"),
            "closedFlag": flag(),
            "priority": shown(whole(), 0),
            "schedule": ref("schedule/entries"),
            "code": ref("service/codes"),
            "member": ref(MEMBERS_NAME),
            "childScheduleAction": ignored(choice("Transfer", "Delete", "Done")),
            "childTicketId": whole(),
        },
    )


SERVICE_TASKS = _tasks(SERVICE_TICKETS, "ServiceTask")
PROJECT_TASKS = _tasks(PROJECT_TICKETS, "TicketTask")


def _shown_at(owner: Table, charged: str) -> tuple[Table, ...]:
    """The lists of what was charged to a ticket, planned for it or filed with it: references alone."""

    def made(part: str, type_name: str, of: str, belongs: Belongs, members: str = "") -> Table:
        return Table(
            name=f"{owner.name}/{part}",
            route=f"{owner.route}/{{parentId}}/{part}",
            type_name=type_name,
            verbs=frozenset({"list"}),
            owner=owner.name,
            of=of,
            belongs=belongs,
            fields=each(text(), members),
            derived={"description": lambda record: record.get("name")} if "description" in members else {},
        )

    def is_charged(entry: Mapping[str, Any], ticket: int) -> bool:
        return bool(entry.get("chargeToId") == ticket and entry.get("chargeToType") == charged)

    def is_planned(entry: Mapping[str, Any], ticket: int) -> bool:
        return bool(entry.get("objectId") == ticket)

    def is_filed(record: Mapping[str, Any], ticket: int) -> bool:
        return False

    return (
        made("timeentries", "TimeEntryReference", "time/entries", is_charged),
        made("scheduleentries", "ScheduleEntryReference", "schedule/entries", is_planned, "description"),
        made("activities", "ActivityReference", "sales/activities", is_filed, "name"),
        made("documents", "DocumentReference", "system/documents", is_filed, "name"),
        made("products", "ProductReference", "procurement/products", is_filed, "description"),
    )


TICKET_REFERENCES = (
    *_shown_at(SERVICE_TICKETS, "ServiceTicket"),
    *_shown_at(PROJECT_TICKETS, "ProjectTicket"),
)

_TIME_STATUSES = (
    "Open Rejected PendingApproval ErrorsCorrected PendingProjectApproval ApprovedByTierOne "
    "RejectBySecondTier ApprovedByTierTwo ReadyToBill Billed WrittenOff BilledAgreement"
)
TIME_ENTRIES = Table(
    name="time/entries",
    type_name="TimeEntry",
    words="Time Entry",
    naming=("notes",),
    keeps_custom_fields=True,
    fields={
        "company": ref("company/companies"),
        "companyType": computed(text()),
        "chargeToId": whole(),
        "chargeToType": choice("Company", "ServiceTicket", "ProjectTicket", "ChargeCode", "Activity"),
        "member": ref("system/members"),
        "locationId": mirror("location"),
        "businessUnitId": mirror("department"),
        "businessGroupDesc": computed(text()),
        "location": ref("system/locations"),
        "department": unidentified(ref("system/departments")),
        "workType": ref("time/workTypes"),
        "workRole": ref("time/workRoles"),
        "agreement": ref(AGREEMENTS_NAME),
        "agreementType": text(),
        "activity": ref("sales/activities"),
        "opportunityRecid": whole(),
        **each(text(), "projectActivity territory"),
        "timeStart": moment(required=True),
        "timeEnd": moment(),
        "hoursDeduct": _NO_AMOUNT,
        "actualHours": number(),
        "billableOption": choice(*BILLABLE.choices, default="Billable"),
        **each(text(), "notes internalNotes"),
        **each(flag(), "addToDetailDescriptionFlag addToInternalAnalysisFlag addToResolutionFlag"),
        **each(flag(), "emailResourceFlag emailContactFlag emailCcFlag"),
        "emailCc": text(),
        **each(_NO_AMOUNT, "hoursBilled"),
        "invoiceHours": computed(_NO_AMOUNT),
        **each(computed(text()), "hourlyCost enteredBy"),
        "dateEntered": computed(moment()),
        "invoice": computed(ref("finance/invoices")),
        "mobileGuid": text(),
        **each(_NO_AMOUNT, "hourlyRate overageRate"),
        **each(computed(_NO_AMOUNT), "agreementHours agreementAmount"),
        **each(_NO_AMOUNT, "agreementAdjustment adjustment"),
        "invoiceReady": _NONE,
        "timeSheet": ref("time/sheets"),
        "status": choice(*_TIME_STATUSES.split(), default="Open"),
        "ticket": computed(ref(SERVICE_TICKETS_NAME)),
        "project": computed(ref("project/projects")),
        "phase": computed(ref("project/phases")),
        **each(computed(text()), "ticketBoard ticketStatus ticketType ticketSubType"),
        "invoiceFlag": computed(flag()),
        "extendedInvoiceAmount": computed(_NO_AMOUNT),
        "locationName": computed(text()),
        "taxCode": ref("finance/taxCodes"),
        "customFields": Field(Kind.CUSTOM),
    },
)

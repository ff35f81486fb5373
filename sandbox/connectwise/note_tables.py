"""Notes of tickets, and the list that merges them with those of time entries: members by the spec.

The two kinds of tickets differ: a project ticket's note has neither `createdBy` nor `dateCreated`.
"""

from collections.abc import Mapping

from sandbox.connectwise.fields import (
    Field,
    Table,
    choice,
    computed,
    flag,
    ignored,
    mirror,
    moment,
    number,
    ref,
    text,
)
from sandbox.connectwise.system_tables import MEMBERS
from sandbox.connectwise.ticket_tables import PROJECT_TICKETS, SERVICE_TICKETS

NOTE_TYPES = ("TicketNote", "TimeEntryNote", "MeetingNote")

_COMMON: dict[str, Field] = {
    "text": text(),
    "detailDescriptionFlag": flag(),
    "internalAnalysisFlag": flag(),
    "resolutionFlag": flag(),
    "issueFlag": flag(),
    "member": ref(MEMBERS.name),
    "contact": ref("company/contacts"),
}
_OWN: dict[str, Field] = {
    **_COMMON,
    "ticketId": mirror("ticket"),
    "customerUpdatedFlag": flag(),
    "processNotifications": ignored(flag(None)),
    "internalFlag": computed(flag()),
    "externalFlag": computed(flag()),
}


def _notes(owner: Table, type_name: str, further: Mapping[str, Field]) -> Table:
    return Table(
        name=f"{owner.name}/notes",
        route=f"{owner.route}/{{parentId}}/notes",
        type_name=type_name,
        resource="note",
        parent="ticket",
        owner=owner.name,
        naming=("text",),
        fields={**_OWN, **further},
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
            **_COMMON,
            "timeStart": moment(),
            "timeEnd": moment(),
            "bundledFlag": flag(),
            "mergedFlag": flag(),
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

"""Boards with their statuses, types and teams; priorities and sources: members, lengths, what is required."""

from __future__ import annotations

from sandbox.connectwise.schema.fields import (
    Field,
    Kind,
    Table,
    choice,
    computed,
    each,
    flag,
    ignored,
    mirror,
    moment,
    ref,
    shown,
    text,
    whole,
)
from sandbox.connectwise.schema.finance import BILLABLE

BOARDS_NAME = "service/boards"
BOARD_STATUSES_NAME = "service/boards/statuses"
BOARD_TYPES_NAME = "service/boards/types"
BOARD_TEAMS_NAME = "service/boards/teams"
BOARD_SUBTYPES_NAME = "service/boards/subtypes"
BOARD_ITEMS_NAME = "service/boards/items"
SOURCES_NAME = "service/sources"
PRIORITIES_NAME = "service/priorities"

_ORDER = shown(choice("Ascending", "Descending"), "Ascending")

# What a status, a type and a team of a board were copied from.
_COPIED_FROM = {
    **each(computed(text()), "connectWiseId parentConnectWiseId"),
    **each(whole(), "parentId grandParentId"),
    "grandParentConnectWiseId": computed(text()),
}

BOARDS = Table(
    name=BOARDS_NAME,
    type_name="Board",
    words="Service Board",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "location": ref("system/locations", required=True),
        "department": ref("system/departments", required=True),
        "inactiveFlag": flag(),
        "signOffTemplate": ref("service/serviceSignoffs"),
        "sendToContactFlag": flag(),
        "contactTemplate": ref("service/emailTemplates"),
        "sendToResourceFlag": flag(),
        "resourceTemplate": ref("service/emailTemplates"),
        **each(flag(), "projectFlag showDependenciesFlag showEstimatesFlag"),
        "boardIcon": ref("system/documents"),
        **each(flag(), "billTicketsAfterClosedFlag billTicketSeparatelyFlag billUnapprovedTimeExpenseFlag"),
        "overrideBillingSetupFlag": flag(),
        **each(ref("system/members"), "dispatchMember serviceManagerMember dutyManagerMember oncallMember"),
        "workRole": ref("time/workRoles"),
        "workType": ref("time/workTypes"),
        **each(shown(choice(*BILLABLE.choices), "NoDefault"), "billTime billExpense billProduct"),
        "autoCloseStatus": ref(BOARD_STATUSES_NAME),
        **each(flag(), "autoAssignNewTicketsFlag autoAssignNewECTicketsFlag autoAssignNewPortalTicketsFlag"),
        **each(flag(), "discussionsLockedFlag timeEntryLockedFlag"),
        "notifyEmailFrom": text(50),
        "notifyEmailFromName": text(60),
        **each(flag(), "closedLoopDiscussionsFlag closedLoopResolutionFlag closedLoopInternalAnalysisFlag"),
        **each(flag(), "timeEntryDiscussionFlag timeEntryResolutionFlag timeEntryInternalAnalysisFlag"),
        **each(_ORDER, "problemSort resolutionSort internalAnalysisSort"),
        "emailConnectorAllowReopenClosedFlag": flag(),
        "emailConnectorReopenStatus": ref(BOARD_STATUSES_NAME),
        **each(flag(), "emailConnectorReopenResourcesFlag emailConnectorNewTicketNoMatchFlag"),
        "emailConnectorNeverReopenByDaysFlag": flag(),
        "emailConnectorReopenDaysLimit": whole(),
        "emailConnectorNeverReopenByDaysClosedFlag": flag(),
        "emailConnectorReopenDaysClosedLimit": whole(),
        **each(flag(), "useMemberDisplayNameFlag sendToCCFlag autoAssignTicketOwnerFlag autoAssignLimitFlag"),
        "autoAssignLimitAmount": whole(),
        "closedLoopAllFlag": flag(),
        "percentageCalculation": shown(
            choice("ActualHours", "Manual", "ClosedPhases", "ClosedTickets"), "ActualHours"
        ),
        "allSort": _ORDER,
        **each(flag(), "markFirstNoteIssueFlag restrictBoardByDefaultFlag sendToBundledFlag"),
        "connectWiseId": computed(text()),
    },
)

BOARD_STATUSES = Table(
    name=BOARD_STATUSES_NAME,
    route="/service/boards/{parentId}/statuses",
    type_name="BoardStatus",
    words="Service Status",
    parent="board",
    unique=("name",),
    shown={"sort": "sortOrder"},
    fields={
        "name": text(50, required=True),
        "board": ref(BOARDS_NAME),
        "sortOrder": shown(whole(), 0),
        "displayOnBoard": flag(True),
        **each(flag(), "inactive closedStatus timeEntryNotAllowed roundRobinCatchall defaultFlag"),
        "escalationStatus": shown(
            choice("NotResponded", "Responded", "ResolutionPlan", "Resolved", "NoEscalation"), "NoEscalation"
        ),
        "customerPortalDescription": text(500),
        "customerPortalFlag": flag(),
        "emailTemplate": ref("service/emailTemplates"),
        "statusIndicator": ref("service/statusIndicators"),
        "customStatusIndicatorName": text(30),
        "saveTimeAsNote": flag(),
        **_COPIED_FROM,
    },
)

BOARD_TYPES = Table(
    name=BOARD_TYPES_NAME,
    route="/service/boards/{parentId}/types",
    type_name="BoardType",
    words="Service Type",
    parent="board",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "category": shown(choice("Reactive", "Proactive"), "Reactive"),
        **each(flag(), "defaultFlag inactiveFlag requestForChangeFlag"),
        "integrationXref": text(50),
        "skillCategory": ref("system/skillCategories"),
        "skill": ref("system/skills"),
        "board": ref(BOARDS_NAME),
        "location": ref("system/locations"),
        "department": ref("system/departments"),
        **_COPIED_FROM,
    },
)

BOARD_SUBTYPES = Table(
    name=BOARD_SUBTYPES_NAME,
    route="/service/boards/{parentId}/subtypes",
    type_name="BoardSubType",
    words="Service Subtype",
    parent="board",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "inactiveFlag": flag(),
        "typeAssociationIds": Field(Kind.INTEGERS),
        **each(ignored(flag()), "addAllTypesFlag removeAllTypesFlag"),
        "board": ref(BOARDS_NAME),
        **_COPIED_FROM,
    },
)

BOARD_ITEMS = Table(
    name=BOARD_ITEMS_NAME,
    route="/service/boards/{parentId}/items",
    type_name="BoardItem",
    words="Service Item",
    parent="board",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "inactiveFlag": flag(),
        "board": ref(BOARDS_NAME),
        **_COPIED_FROM,
    },
)

_COLORS = "Black Blue Cyan Gray Green Lime Orange Pink Purple Red White Yellow Custom"
PRIORITIES = Table(
    name=PRIORITIES_NAME,
    type_name="Priority",
    unique=("name",),
    shown={"sort": "sortOrder", "level": "level"},
    fields={
        "name": text(50, required=True),
        "color": choice(*_COLORS.split(), required=True),
        "sortOrder": shown(whole(), 0),
        "defaultFlag": flag(),
        **each(text(), "imageLink urgencySortOrder"),
        "level": shown(choice("Critical", "High", "Medium", "Low"), "Medium"),
        "connectWiseId": computed(text()),
    },
)

SOURCES = Table(
    name=SOURCES_NAME,
    type_name="Source",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "defaultFlag": flag(),
        "enteredBy": computed(text()),
        "dateEntered": computed(moment()),
        "connectWiseId": computed(text()),
    },
)

BOARD_TEAMS = Table(
    name=BOARD_TEAMS_NAME,
    route="/service/boards/{parentId}/teams",
    type_name="BoardTeam",
    words="Service Team",
    parent="board",
    owner=BOARDS_NAME,
    unique=("name",),
    fields={
        "name": text(30, required=True),
        "teamLeader": ref("system/members", required=True),
        "members": Field(Kind.INTEGERS),
        **each(flag(), "defaultFlag notifyOnTicketDelete defaultRoundRobinFlag roundRobinFlag"),
        "boardId": mirror("board"),
        **each(whole(), "locationId businessUnitId"),
        **_COPIED_FROM,
    },
)

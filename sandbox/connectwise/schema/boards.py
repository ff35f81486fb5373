"""Boards, their statuses and types, and priorities: members, lengths, what is required, by the spec."""

from __future__ import annotations

from sandbox.connectwise.schema.fields import Table, choice, computed, each, flag, ref, text, whole

BOARDS_NAME = "service/boards"
BOARD_STATUSES_NAME = "service/boards/statuses"
BOARD_TYPES_NAME = "service/boards/types"
PRIORITIES_NAME = "service/priorities"

ORDER = choice("Ascending", "Descending")

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
        **each(choice("Billable", "DoNotBill", "NoCharge", "NoDefault"), "billTime billExpense billProduct"),
        "autoCloseStatus": ref(BOARD_STATUSES_NAME),
        **each(flag(), "autoAssignNewTicketsFlag autoAssignNewECTicketsFlag autoAssignNewPortalTicketsFlag"),
        **each(flag(), "discussionsLockedFlag timeEntryLockedFlag"),
        "notifyEmailFrom": text(50),
        "notifyEmailFromName": text(60),
        **each(flag(), "closedLoopDiscussionsFlag closedLoopResolutionFlag closedLoopInternalAnalysisFlag"),
        **each(flag(), "timeEntryDiscussionFlag timeEntryResolutionFlag timeEntryInternalAnalysisFlag"),
        **each(ORDER, "problemSort resolutionSort internalAnalysisSort"),
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
        "percentageCalculation": choice("ActualHours", "Manual", "ClosedPhases", "ClosedTickets"),
        "allSort": ORDER,
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
        "sortOrder": whole(),
        "displayOnBoard": flag(True),
        **each(flag(), "inactive closedStatus timeEntryNotAllowed roundRobinCatchall defaultFlag"),
        "escalationStatus": choice("NotResponded", "Responded", "ResolutionPlan", "Resolved", "NoEscalation"),
        "customerPortalDescription": text(500),
        "customerPortalFlag": flag(),
        "emailTemplate": ref("service/emailTemplates"),
        "statusIndicator": ref("service/statusIndicators"),
        "customStatusIndicatorName": text(30),
        "saveTimeAsNote": flag(),
        **each(computed(text()), "connectWiseId parentConnectWiseId"),
        **each(whole(), "parentId grandParentId"),
        "grandParentConnectWiseId": computed(text()),
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
        "category": choice("Reactive", "Proactive"),
        **each(flag(), "defaultFlag inactiveFlag requestForChangeFlag"),
        "integrationXref": text(50),
        "skillCategory": ref("system/skillCategories"),
        "skill": ref("system/skills"),
        "board": ref(BOARDS_NAME),
        "location": ref("system/locations"),
        "department": ref("system/departments"),
        **each(computed(text()), "connectWiseId parentConnectWiseId"),
        **each(whole(), "parentId grandParentId"),
        "grandParentConnectWiseId": computed(text()),
    },
)

PRIORITIES = Table(
    name=PRIORITIES_NAME,
    type_name="Priority",
    unique=("name",),
    shown={"sort": "sortOrder", "level": "level"},
    fields={
        "name": text(50, required=True),
        "color": choice(
            "Black", "Blue", "Cyan", "Gray", "Green", "Lime", "Orange", "Pink", "Purple", "Red", "White",
            "Yellow", "Custom", required=True,
        ),
        "sortOrder": whole(),
        "defaultFlag": flag(),
        **each(text(), "imageLink urgencySortOrder"),
        "level": choice("Critical", "High", "Medium", "Low"),
        "connectWiseId": computed(text()),
    },
)  # fmt: skip

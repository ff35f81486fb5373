"""Collections that clients of others read and write, though the spec at hand has none of their paths.

Their members are those of other clients' models: security roles with the levels of their functions, work
types and roles, the calendar, stages, projects with their phases. A collection of ``EMPTY`` is there, with
nothing set up in it. ``tables`` names them all.
"""

from __future__ import annotations

from sandbox.connectwise.schema.fields import (
    READ_VERBS,
    Field,
    Kind,
    Table,
    choice,
    each,
    flag,
    ignored,
    mirror,
    moment,
    number,
    ref,
    shown,
    text,
    whole,
)

SECURITY_ROLES_NAME = "system/securityRoles"
ROLE_SETTINGS_NAME = "system/securityRoles/settings"
WORK_TYPES_NAME = "time/workTypes"
WORK_ROLES_NAME = "time/workRoles"
CURRENCIES_NAME = "finance/currencies"
SCHEDULE_ENTRIES_NAME = "schedule/entries"
SCHEDULE_TYPES_NAME = "schedule/types"
SCHEDULE_STATUSES_NAME = "schedule/statuses"
SERVICE_LOCATIONS_NAME = "service/locations"
STAGES_NAME = "sales/stages"
SALES_PRIORITIES_NAME = "sales/priorities"
PROJECTS_NAME = "project/projects"
PHASES_NAME = "project/phases"
CATALOG_NAME = "procurement/catalog"

_LEVEL = shown(choice("None", "My", "All"), "None")
_BILL = choice("Billable", "DoNotBill", "NoCharge", "NoDefault", required=True)

SECURITY_ROLES = Table(
    name=SECURITY_ROLES_NAME,
    type_name="SecurityRole",
    unique=("name",),
    fields={"name": text(30, required=True), **each(flag(), "adminFlag inactiveFlag")},
)

ROLE_SETTINGS = Table(
    name=ROLE_SETTINGS_NAME,
    route="/system/securityRoles/{parentId}/settings",
    type_name="SecurityRoleSetting",
    verbs=frozenset({"list", "get", "replace", "patch"}),
    parent="securityRole",
    owner=SECURITY_ROLES_NAME,
    naming=("moduleFunctionName",),
    fields={
        **each(_LEVEL, "addLevel editLevel deleteLevel inquireLevel"),
        **each(text(), "moduleFunctionName moduleFunctionDescription moduleFunctionIdentifier"),
        **each(flag(), "myAllFlag reportFlag restrictFlag customFlag"),
        **each(text(), "moduleDescription moduleIdentifier moduleName"),
        "sortOrder": shown(whole(), 0),
        "securityRoleId": mirror("securityRole"),
    },
)

WORK_TYPES = Table(
    name=WORK_TYPES_NAME,
    type_name="WorkType",
    unique=("name",),
    shown={"utilizationFlag": "utilizationFlag"},
    fields={
        "name": text(50, required=True),
        "billTime": _BILL,
        "rateType": choice("AdjAmount", "Custom", "Multiplier", required=True),
        "rate": number(required=True),
        **each(shown(number(), 0.0), "hoursMin hoursMax roundBillHoursTo"),
        "accrualType": text(),
        **each(flag(), "inactiveFlag overallDefaultFlag activityDefaultFlag utilizationFlag"),
        "costMultiplier": shown(number(), 1.0),
        "integrationXRef": text(50),
        "addAllAgreementExclusions": ignored(flag()),
    },
)

WORK_ROLES = Table(
    name=WORK_ROLES_NAME,
    type_name="WorkRole",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "hourlyRate": shown(number(), 0.0),
        "integrationXref": text(50),
        "inactiveFlag": flag(),
        **each(ignored(flag()), "addAllLocations removeAllLocations addAllAgreementExclusions"),
        "locationIds": Field(Kind.INTEGERS),
    },
)

CURRENCIES = Table(
    name=CURRENCIES_NAME,
    type_name="Currency",
    unique=("name",),
    shown={name: name for name in ("symbol", "currencyCode", "currencyIdentifier")},
    fields={
        "name": text(50, required=True),
        "symbol": text(10, required=True),
        **each(text(), "currencyCode currencyIdentifier decimalSeparator thousandsSeparator"),
        "numberOfDecimals": shown(whole(), 2),
        **each(flag(), "negativeParenthesesFlag displayIdFlag rightAlign defaultFlag"),
        "displaySymbolFlag": flag(True),
    },
)

STATES = Table(
    name="company/states",
    type_name="State",
    unique=("identifier",),
    naming=("identifier", "name"),
    fields={
        "identifier": text(50, required=True),
        "name": text(50, required=True),
        "country": ref("company/countries", required=True),
    },
)

SERVICE_LOCATIONS = Table(
    name=SERVICE_LOCATIONS_NAME,
    type_name="ServiceLocation",
    unique=("name",),
    fields={
        "name": text(30, required=True),
        "where": choice("InHouse", "OnSite", "Remote", required=True),
        "defaultFlag": flag(),
    },
)

SCHEDULE_TYPES = Table(
    name=SCHEDULE_TYPES_NAME,
    type_name="ScheduleType",
    unique=("identifier", "name"),
    naming=("identifier", "name"),
    fields={
        "name": text(50, required=True),
        "identifier": text(1, required=True),
        "where": ref(SERVICE_LOCATIONS_NAME),
        "systemFlag": flag(),
    },
)

SCHEDULE_STATUSES = Table(
    name=SCHEDULE_STATUSES_NAME,
    type_name="ScheduleStatus",
    unique=("name",),
    fields={"name": text(50, required=True), **each(flag(), "defaultFlag showAsTentativeFlag inactiveFlag")},
)

SCHEDULE_ENTRIES = Table(
    name=SCHEDULE_ENTRIES_NAME,
    type_name="ScheduleEntry",
    fields={
        "objectId": whole(),
        "name": text(250),
        "member": ref("system/members"),
        "where": ref(SERVICE_LOCATIONS_NAME),
        **each(moment(), "dateStart dateEnd closeDate"),
        "status": ref(SCHEDULE_STATUSES_NAME),
        "type": ref(SCHEDULE_TYPES_NAME, required=True),
        "hours": shown(number(), 0.0),
        **each(flag(), "doneFlag acknowledgedFlag ownerFlag meetingFlag allowScheduleConflictsFlag"),
        "addMemberToProjectFlag": ignored(flag()),
        "mobileGuid": text(),
    },
)

STAGES = Table(
    name=STAGES_NAME,
    type_name="OpportunityStage",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "probability": ref("sales/probabilities"),
        "color": text(25),
        "sequenceNumber": shown(whole(), 0),
    },
)

PROJECTS = Table(
    name=PROJECTS_NAME,
    type_name="Project",
    verbs=READ_VERBS,
    fields={
        "name": text(100, required=True),
        "company": ref("company/companies", required=True),
        "board": ref("service/boards"),
        "manager": ref("system/members"),
        "description": text(),
        **each(moment(), "estimatedStart estimatedEnd actualStart actualEnd"),
        **each(shown(number(), 0.0), "actualHours budgetHours percentComplete"),
        "closedFlag": flag(),
    },
)

PHASES = Table(
    name=PHASES_NAME,
    route="/project/projects/{parentId}/phases",
    type_name="ProjectPhase",
    verbs=READ_VERBS,
    parent="project",
    owner=PROJECTS_NAME,
    naming=("description",),
    fields={
        "projectId": mirror("project"),
        "description": text(100, required=True),
        "wbsCode": text(),
        **each(moment(), "scheduledStart scheduledEnd actualStart actualEnd"),
        **each(shown(number(), 0.0), "scheduledHours actualHours budgetHours"),
        "markAsMilestoneFlag": flag(),
    },
)

CATALOG = Table(
    name=CATALOG_NAME,
    type_name="CatalogItem",
    unique=("identifier",),
    naming=("identifier",),
    fields={
        "identifier": text(60, required=True),
        "description": text(60, required=True),
        "customerDescription": text(6000),
        **each(flag(), "inactiveFlag serializedFlag taxableFlag"),
        **each(shown(number(), 0.0), "price cost"),
        "manufacturer": ref("procurement/manufacturers"),
        "manufacturerPartNumber": text(50),
    },
)


def _named(name: str, type_name: str) -> Table:
    return Table(name=name, type_name=type_name, unique=("name",), fields={"name": text(50, required=True)})


SALES_PRIORITIES = _named(SALES_PRIORITIES_NAME, "OpportunityPriority")
TIME_ZONES = _named("system/timeZoneSetups", "TimeZoneSetup")

EMPTY = tuple(
    Table(name=name, type_name=type_name, verbs=READ_VERBS, fields={"name": text()})
    for name, type_name in (
        ("company/addressFormats", "AddressFormat"),
        ("company/contacts/departments", "ContactDepartment"),
        ("company/contacts/relationships", "ContactRelationship"),
        ("company/entityTypes", "EntityType"),
        ("company/marketDescriptions", "MarketDescription"),
        ("company/noteTypes", "NoteType"),
        ("company/ownershipTypes", "OwnershipType"),
        ("finance/billingTerms", "BillingTerm"),
        ("finance/invoiceTemplates", "InvoiceTemplate"),
        ("finance/invoices", "Invoice"),
        ("finance/taxCodes", "TaxCode"),
        ("marketing/campaigns", "Campaign"),
        ("procurement/pricingSchedules", "PricingSchedule"),
        ("procurement/warehouses", "Warehouse"),
        ("procurement/warehouseBins", "WarehouseBin"),
        ("project/projectTypes", "ProjectType"),
        ("sales/activities", "Activity"),
        ("sales/probabilities", "SalesProbability"),
        ("schedule/calendars", "Calendar"),
        ("service/codes", "ServiceCode"),
        ("service/emailTemplates", "ServiceEmailTemplate"),
        ("procurement/products", "ProductItem"),
        ("system/documents", "DocumentInfo"),
        ("system/reportCards", "ReportCard"),
        ("system/skillCategories", "SkillCategory"),
        ("system/skills", "Skill"),
        ("time/sheets", "TimeSheet"),
    )
)

FURTHER: tuple[Table, ...] = (
    SECURITY_ROLES, ROLE_SETTINGS, WORK_TYPES, WORK_ROLES, CURRENCIES, STATES, SERVICE_LOCATIONS,
    SCHEDULE_TYPES, SCHEDULE_STATUSES, SCHEDULE_ENTRIES, STAGES, SALES_PRIORITIES, TIME_ZONES,
    PROJECTS, PHASES, CATALOG, *EMPTY,
)  # fmt: skip

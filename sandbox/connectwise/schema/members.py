"""Members of the provider, the people and the integrations: every member of the record, by the spec.

Read only here: nothing that is built writes members. A strict client reads all flags and enums, so each has
a value in answers, also where the record holds none. The write-only members are taken out of answers.
"""

from __future__ import annotations

from sandbox.connectwise.schema.boards import BOARDS_NAME
from sandbox.connectwise.schema.fields import (
    READ_VERBS,
    Field,
    Kind,
    Table,
    choice,
    computed,
    each,
    flag,
    ignored,
    moment,
    number,
    ref,
    shown,
    text,
    whole,
)
from sandbox.connectwise.schema.system import DEPARTMENTS_NAME, LOCATIONS_NAME

MEMBERS_NAME = "system/members"
_AMOUNT = shown(number(), 0.0)
_TAB = shown(choice("SummaryList", "DetailList"), "SummaryList")
_SCREEN = shown(choice("RemainOnInvoicingScreen", "ShowRecentInvoices"), "RemainOnInvoicingScreen")
_SORTS = "None LastUpdatedDesc LastUpdatedAsc CreatedDesc CreatedAsc"

MEMBER_INFO = Table(
    name="system/info/members",
    type_name="MemberInfo",
    verbs=READ_VERBS,
    naming=("identifier", "name"),
    of=MEMBERS_NAME,
    fields={
        **each(text(), "identifier firstName middleInitial lastName fullName defaultEmail"),
        "photo": ref("system/documents"),
        "licenseClass": choice("A", "C", "F", "X"),
        "inactiveFlag": flag(),
    },
    derived={
        "fullName": lambda member: " ".join(
            member[name] for name in ("firstName", "lastName") if member.get(name)
        ),
        "defaultEmail": lambda member: member.get(f"{member['defaultEmail'].lower()}Email"),
    },
)
"""What members without the right to the others' records may read of them."""

MEMBERS = Table(
    name=MEMBERS_NAME,
    type_name="Member",
    verbs=READ_VERBS,
    naming=("identifier", "name"),
    fields={
        "identifier": text(15, required=True),
        "password": ignored(text(60)),
        "disableOnlineFlag": flag(),
        "licenseClass": choice("A", "C", "F", "X", required=True),
        "notes": text(),
        "employeeIdentifer": text(10),
        "vendorNumber": text(),
        "enableMobileGpsFlag": flag(),
        "inactiveDate": moment(),
        "inactiveFlag": flag(),
        **each(text(), "lastLogin clientId token"),
        "firstName": text(30, required=True),
        "middleInitial": text(1),
        "lastName": text(30, required=True),
        "hireDate": moment(required=True),
        "country": ref("company/countries"),
        "photo": ref("system/documents"),
        **each(text(250), "officeEmail mobileEmail homeEmail"),
        "defaultEmail": choice("Office", "Mobile", "Home", required=True),
        "primaryEmail": text(250),
        "officePhone": text(15),
        "officeExtension": text(10),
        "mobilePhone": text(15),
        "mobileExtension": text(10),
        "homePhone": text(15),
        "homeExtension": text(10),
        "defaultPhone": choice("Office", "Mobile", "Home", required=True),
        "securityRole": ref("system/securityRoles", required=True),
        "office365": computed(ref("system/office365")),
        "mapiName": text(),
        "calendarSyncIntegrationFlag": flag(),
        "authenticationServiceType": shown(choice("AuthAnvil", "GoogleAuthenticator", "Email"), "Email"),
        **each(flag(), "timebasedOneTimePasswordActivated enableLdapAuthenticationFlag"),
        "ldapConfiguration": ref("system/ldapConfigurations"),
        "ldapUserName": text(50),
        "directionalSync": ref("system/directionalSyncs"),
        "ssoSettings": computed(ref("system/ssoConfigurations")),
        "signature": text(),
        "phoneIntegrationType": shown(choice("TAPI", "SKYPE", "TEL", "CALLTO", "NONE"), "NONE"),
        "useBrowserLanguageFlag": flag(),
        "title": text(),
        "reportCard": ref("system/reportCards"),
        "enableMobileFlag": flag(),
        "type": ref("system/members/types"),
        "timeZone": ref("system/timeZoneSetups"),
        "partnerPortalFlag": flag(),
        "stsUserAdminUrl": text(),
        "toastNotificationFlag": flag(),
        "memberPersonas": Field(Kind.INTEGERS),
        "adminFlag": flag(),
        "structureLevel": ref("system/myCompany/corporateStructureLevels"),
        **each(ref(LOCATIONS_NAME), "securityLocation defaultLocation"),
        "defaultDepartment": ref(DEPARTMENTS_NAME),
        "reportsTo": ref(MEMBERS_NAME),
        **each(flag(), "restrictLocationFlag restrictDepartmentFlag"),
        "workRole": ref("time/workRoles"),
        "workType": ref("time/workTypes"),
        **each(ref(MEMBERS_NAME), "timeApprover expenseApprover"),
        **each(_AMOUNT, "billableForecast dailyCapacity hourlyCost hourlyRate"),
        **each(flag(), "includeInUtilizationReportingFlag requireExpenseEntryFlag requireTimeSheetEntryFlag"),
        **each(flag(), "requireStartAndEndTimeOnTimeEntryFlag allowInCellEntryOnTimeSheet"),
        **each(flag(), "enterTimeAgainstCompanyFlag allowExpensesEnteredAgainstCompaniesFlag"),
        "timeReminderEmailFlag": flag(),
        "daysTolerance": shown(whole(), 0),
        "minimumHours": _AMOUNT,
        "timeSheetStartDate": text(),
        "serviceDefaultLocation": ref(LOCATIONS_NAME),
        "serviceDefaultDepartment": ref(DEPARTMENTS_NAME),
        "serviceDefaultBoard": ref(BOARDS_NAME),
        **each(flag(), "restrictServiceDefaultLocationFlag restrictServiceDefaultDepartmentFlag"),
        **each(Field(Kind.INTEGERS), "excludedServiceBoardIds teams serviceBoardTeamIds"),
        "projectDefaultLocation": ref(LOCATIONS_NAME),
        "projectDefaultDepartment": ref(DEPARTMENTS_NAME),
        "projectDefaultBoard": ref(BOARDS_NAME),
        **each(flag(), "restrictProjectDefaultLocationFlag restrictProjectDefaultDepartmentFlag"),
        "excludedProjectBoardIds": Field(Kind.INTEGERS),
        "scheduleDefaultLocation": ref(LOCATIONS_NAME),
        "scheduleDefaultDepartment": ref(DEPARTMENTS_NAME),
        "scheduleCapacity": _AMOUNT,
        "serviceLocation": ref("service/locations"),
        **each(flag(), "restrictScheduleFlag hideMemberInDispatchPortalFlag"),
        "calendar": ref("schedule/calendars"),
        "salesDefaultLocation": ref(LOCATIONS_NAME),
        "restrictDefaultSalesTerritoryFlag": flag(),
        "warehouse": ref("procurement/warehouses"),
        "warehouseBin": ref("procurement/warehouseBins"),
        **each(flag(), "restrictDefaultWarehouseFlag restrictDefaultWarehouseBinFlag"),
        **each(_TAB, "companyActivityTabFormat invoiceTimeTabFormat"),
        "invoiceScreenDefaultTabFormat": shown(
            choice("ShowInvoicingTab", "ShowAgreementInvoicingTab"), "ShowInvoicingTab"
        ),
        **each(_SCREEN, "invoicingDisplayOptions agreementInvoicingDisplayOptions"),
        **each(flag(), "autoStartStopwatch autoPopupQuickNotesWithStopwatch"),
        "globalSearchDefaultTicketFilter": shown(
            choice("OpenRecords", "ClosedRecords", "AllRecords"), "OpenRecords"
        ),
        "globalSearchDefaultSort": shown(choice(*_SORTS.split()), "None"),
        "phoneSource": text(),
        **each(ignored(flag()), "copyPodLayouts copySharedDefaultViews copyColumnLayoutsAndFilters"),
        **each(ignored(whole()), "fromMemberRecId fromMemberTemplateRecId"),
        "customFields": Field(Kind.CUSTOM),
    },
)

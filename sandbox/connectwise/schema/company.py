"""Companies, sites, contacts and configurations: members, lengths, what is required, by the spec."""

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
    items,
    mirror,
    moment,
    number,
    ref,
    refs,
    shown,
    text,
    whole,
)

COMPANIES_NAME = "company/companies"
SITES_NAME = "company/sites"
CONTACTS_NAME = "company/contacts"
COMPANY_STATUSES_NAME = "company/companies/statuses"
COMPANY_TYPES_NAME = "company/companies/types"
COMMUNICATION_TYPES_NAME = "company/communicationTypes"

_USER_TEXTS = {f"userDefinedField{n}": text(50) for n in range(1, 11)}

COMPANIES = Table(
    name=COMPANIES_NAME,
    type_name="Company",
    unique=("identifier",),
    naming=("identifier", "name"),
    info=("lastUpdated", "updatedBy", "dateEntered", "enteredBy"),
    keeps_custom_fields=True,
    fields={
        **each(text(156, required=True), "identifier name"),
        "status": ref(COMPANY_STATUSES_NAME),
        **each(text(50), "addressLine1 addressLine2 city state"),
        "zip": text(12),
        "country": ref("company/countries"),
        **each(text(30), "phoneNumber faxNumber"),
        "website": text(255),
        "territory": ref("system/locations"),
        "market": ref("company/marketDescriptions"),
        "accountNumber": text(),
        "defaultContact": ref(CONTACTS_NAME),
        "dateAcquired": moment(),
        "sicCode": ref("company/sicCodes"),
        "parentCompany": ref(COMPANIES_NAME),
        **each(shown(number(), 0.0), "annualRevenue creditLimit additionalDebt"),
        "numberOfEmployees": shown(whole(), 0),
        **each(whole(minimum=1900, maximum=9999), "yearEstablished revenueYear"),
        "ownershipType": ref("company/ownershipTypes"),
        "timeZoneSetup": ref("system/timeZoneSetups"),
        "leadSource": text(50),
        **each(flag(), "leadFlag unsubscribeFlag"),
        "calendar": ref("schedule/calendars"),
        **_USER_TEXTS,
        **each(text(), "vendorIdentifier taxIdentifier"),
        "taxCode": ref("finance/taxCodes"),
        "billingTerms": ref("finance/billingTerms"),
        "invoiceTemplate": ref("finance/invoiceTemplates"),
        "pricingSchedule": ref("procurement/pricingSchedules"),
        "companyEntityType": ref("company/entityTypes"),
        "billToCompany": ref(COMPANIES_NAME),
        "billingSite": ref(SITES_NAME),
        "billingContact": ref(CONTACTS_NAME),
        "invoiceDeliveryMethod": ref("finance/billingDeliveries"),
        "emailTemplate": ref("service/emailTemplates"),
        **each(text(), "invoiceToEmailAddress invoiceCCEmailAddress"),
        "deletedFlag": flag(),
        "dateDeleted": moment(),
        **each(text(), "deletedBy mobileGuid facebookUrl twitterUrl linkedInUrl"),
        "currency": ref("finance/currencies"),
        "territoryManager": ref("system/members"),
        "resellerIdentifier": text(),
        "isVendorFlag": flag(),
        "types": refs(COMPANY_TYPES_NAME),
        "site": ref(SITES_NAME),
        "integratorTags": Field(Kind.TEXTS),
        "customFields": Field(Kind.CUSTOM),
    },
)

SITES = Table(
    name=SITES_NAME,
    route="/company/companies/{parentId}/sites",
    type_name="CompanySite",
    resource="site",
    parent="company",
    unique=("name",),
    keeps_custom_fields=True,
    fields={
        "name": text(156, required=True),
        **each(text(50), "addressLine1 addressLine2 city"),
        "stateReference": ref("company/states"),
        "zip": text(12),
        "country": ref("company/countries"),
        "addressFormat": text(),
        **each(text(30), "phoneNumber phoneNumberExt faxNumber"),
        "taxCode": ref("finance/taxCodes"),
        "entityType": ref("company/entityTypes"),
        "expenseReimbursement": shown(number(), 0.0),
        **each(flag(), "primaryAddressFlag defaultShippingFlag defaultBillingFlag defaultMailingFlag"),
        **each(flag(), "inactiveFlag billSeparateFlag"),
        "mobileGuid": text(),
        "calendar": ref("schedule/calendars"),
        "timeZone": ref("system/timeZoneSetups"),
        "company": ref(COMPANIES_NAME),
        "territory": ref("system/locations"),
        "invoiceTemplate": ref("finance/invoiceTemplates"),
        "customFields": Field(Kind.CUSTOM),
    },
)

CONTACTS = Table(
    name=CONTACTS_NAME,
    type_name="Contact",
    naming=("firstName", "lastName"),
    info=("lastUpdated", "updatedBy", "dateEntered", "enteredBy"),
    keeps_custom_fields=True,
    fields={
        "firstName": text(required=True),
        "lastName": text(),
        "company": ref(COMPANIES_NAME),
        "site": ref(SITES_NAME, within="company"),
        **each(text(), "addressLine1 addressLine2 city state zip"),
        "country": ref("company/countries"),
        "relationship": ref("company/contacts/relationships"),
        "relationshipOverride": text(),
        "department": ref("company/contacts/departments"),
        "inactiveFlag": flag(),
        "defaultMergeContactId": whole(),
        "securityIdentifier": text(),
        **each(ref(CONTACTS_NAME), "managerContact assistantContact"),
        **each(text(), "title school nickName"),
        **each(flag(), "marriedFlag childrenFlag"),
        **each(text(), "children significantOther"),
        "portalPassword": ignored(text()),
        "portalSecurityLevel": shown(whole(), 0),
        **each(flag(), "disablePortalLoginFlag unsubscribeFlag"),
        "gender": choice("Female", "Male"),
        **each(text(), "birthDay anniversary"),
        "presence": shown(choice("NoAgent", "Online", "DoNotDisturb", "Away", "Offline"), "NoAgent"),
        **each(text(), "mobileGuid facebookUrl twitterUrl linkedInUrl defaultPhoneType defaultPhoneNbr"),
        "defaultPhoneExtension": text(),
        **each(flag(), "defaultBillingFlag defaultFlag"),
        **_USER_TEXTS,
        "companyLocation": ref("system/locations"),
        "communicationItems": items(
            id=whole(),
            type=ref(COMMUNICATION_TYPES_NAME),
            value=text(),
            extension=text(),
            defaultFlag=flag(),
            domain=text(),
            communicationType=choice("Email", "Fax", "Phone"),
        ),
        "types": refs("company/contacts/types"),
        "integratorTags": Field(Kind.TEXTS),
        "customFields": Field(Kind.CUSTOM),
        "photo": computed(ref("system/documents")),
        "ignoreDuplicates": ignored(flag()),
        "typeIds": ignored(Field(Kind.INTEGERS)),
    },
)

CONTACT_NOTES = Table(
    name="company/contacts/notes",
    route="/company/contacts/{parentId}/notes",
    type_name="ContactNote",
    words="Note",
    parent="contact",
    owner=CONTACTS_NAME,
    naming=("text",),
    fields={
        "contactId": mirror("contact"),
        "text": text(required=True),
        "type": ref("company/noteTypes"),
        "flagged": flag(),
        "enteredBy": computed(text()),
    },
)

COMPANY_STATUSES = Table(
    name=COMPANY_STATUSES_NAME,
    type_name="CompanyStatus",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        **each(flag(), "defaultFlag inactiveFlag notifyFlag disallowSavingFlag"),
        "notificationMessage": text(500),
        **each(flag(), "customNoteFlag cancelOpenTracksFlag"),
        "track": ref("marketing/tracks"),
        "connectWiseId": computed(text()),
    },
)

COMPANY_TYPES = Table(
    name=COMPANY_TYPES_NAME,
    type_name="CompanyType",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        **each(flag(), "defaultFlag vendorFlag serviceAlertFlag"),
        "serviceAlertMessage": text(150),
        "connectWiseId": computed(text()),
    },
)

COMMUNICATION_TYPES = Table(
    name=COMMUNICATION_TYPES_NAME,
    type_name="CommunicationType",
    unique=("description",),
    naming=("description",),
    fields={
        "description": text(required=True),
        **each(flag(), "phoneFlag faxFlag emailFlag defaultFlag"),
        **each(text(50), "exchangeXref iphoneXref androidXref googleXref"),
    },
)

CONFIGURATIONS_NAME = "company/configurations"
CONFIGURATION_TYPES_NAME = "company/configurations/types"
CONFIGURATION_QUESTIONS_NAME = "company/configurations/types/questions"
CONFIGURATION_STATUSES_NAME = "company/configurations/statuses"

FIELD_TYPES = (
    "TextArea", "Currency", "Date", "Hyperlink", "IPAddress",
    "Checkbox", "Number", "Percent", "Text", "Password",
)  # fmt: skip
ENTRY_TYPES = ("Date", "EntryField", "List", "Option")

CONFIGURATIONS = Table(
    name=CONFIGURATIONS_NAME,
    type_name="Configuration",
    info=("lastUpdated", "updatedBy", "dateEntered", "enteredBy"),
    hrefs={"documents_href": "/system/documents?recordType=Configuration&recordId={id}"},
    fields={
        "name": text(100, required=True),
        "type": ref(CONFIGURATION_TYPES_NAME, required=True),
        "status": ref(CONFIGURATION_STATUSES_NAME),
        "company": ref("company/companies", required=True),
        "contact": ref("company/contacts", within="company"),
        "site": ref("company/sites", within="company"),
        "locationId": mirror("location"),
        "location": ref("system/locations"),
        "businessUnitId": mirror("department"),
        "department": ref("system/departments"),
        "deviceIdentifier": text(100),
        "serialNumber": text(250),
        **each(text(50), "modelNumber tagNumber"),
        **each(moment(), "purchaseDate installationDate"),
        "installedBy": ref("system/members"),
        "warrantyExpirationDate": moment(),
        **each(text(), "vendorNotes notes"),
        "macAddress": text(25),
        "lastLoginName": text(100),
        "billFlag": flag(),
        **each(whole(), "backupSuccesses backupIncomplete backupFailed backupRestores"),
        "lastBackupDate": moment(),
        "backupServerName": text(50),
        "backupBillableSpaceGb": number(),
        "backupProtectedDeviceList": text(),
        **each(whole(), "backupYear backupMonth"),
        **each(text(50), "ipAddress defaultGateway"),
        **each(text(250), "osType osInfo"),
        "cpuSpeed": text(100),
        "ram": text(25),
        "localHardDrives": text(),
        "parentConfigurationId": whole(),
        "vendor": ref("company/companies"),
        "manufacturer": ref("procurement/manufacturers"),
        "questions": Field(Kind.ANSWERS),
        "activeFlag": flag(True),
        **each(text(1000), "managementLink remoteLink"),
        "sla": ref("service/SLAs"),
        "mobileGuid": text(),
        "displayVendorFlag": flag(),
        "companyLocationId": whole(),
        **each(flag(), "showRemoteFlag showAutomateFlag needsRenewalFlag"),
        "manufacturerPartNumber": text(50),
        "customFields": Field(Kind.CUSTOM),
    },
)

CONFIGURATION_TYPES = Table(
    name=CONFIGURATION_TYPES_NAME,
    type_name="ConfigurationType",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        **each(flag(), "inactiveFlag systemFlag"),
        "connectWiseId": computed(text()),
    },
)

CONFIGURATION_QUESTIONS = Table(
    name=CONFIGURATION_QUESTIONS_NAME,
    route="/company/configurations/types/{parentId}/questions",
    type_name="ConfigurationTypeQuestion",
    parent="configurationType",
    naming=(),
    fields={
        "configurationType": ref(CONFIGURATION_TYPES_NAME),
        "fieldType": choice(*FIELD_TYPES, required=True),
        "entryType": choice(*ENTRY_TYPES, required=True),
        "sequenceNumber": number(required=True),
        "question": text(1000, required=True),
        "numberOfDecimals": whole(),
        **each(flag(), "requiredFlag inactiveFlag"),
    },
)

CONFIGURATION_STATUSES = Table(
    name=CONFIGURATION_STATUSES_NAME,
    type_name="ConfigurationStatus",
    unique=("description",),
    naming=("description",),
    fields={
        "description": text(50, required=True),
        **each(flag(), "closedFlag defaultFlag"),
        "connectWiseId": computed(text()),
    },
)

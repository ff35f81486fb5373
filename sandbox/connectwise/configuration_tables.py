"""Configurations, their types, questions and statuses: members, lengths, what is required, by the spec."""

from sandbox.connectwise.fields import (
    Field,
    Kind,
    Table,
    choice,
    computed,
    flag,
    mirror,
    moment,
    number,
    ref,
    text,
    whole,
)

TYPES = "company/configurations/types"
QUESTIONS = "company/configurations/types/questions"
STATUSES = "company/configurations/statuses"

FIELD_TYPES = (
    "TextArea", "Currency", "Date", "Hyperlink", "IPAddress",
    "Checkbox", "Number", "Percent", "Text", "Password",
)  # fmt: skip
ENTRY_TYPES = ("Date", "EntryField", "List", "Option")

CONFIGURATIONS = Table(
    name="company/configurations",
    route="/company/configurations",
    type_name="Configuration",
    resource="configuration",
    info=("lastUpdated", "updatedBy", "dateEntered", "enteredBy"),
    hrefs={"documents_href": "/system/documents?recordType=Configuration&recordId={id}"},
    fields={
        "name": text(100, required=True),
        "type": ref(TYPES, required=True),
        "status": ref(STATUSES),
        "company": ref("company/companies", required=True),
        "contact": ref("company/contacts", within="company"),
        "site": ref("company/sites", within="company"),
        "locationId": mirror("location"),
        "location": ref("system/locations"),
        "businessUnitId": mirror("department"),
        "department": ref("system/departments"),
        "deviceIdentifier": text(100),
        "serialNumber": text(250),
        "modelNumber": text(50),
        "tagNumber": text(50),
        "purchaseDate": moment(),
        "installationDate": moment(),
        "installedBy": ref("system/members"),
        "warrantyExpirationDate": moment(),
        "vendorNotes": text(),
        "notes": text(),
        "macAddress": text(25),
        "lastLoginName": text(100),
        "billFlag": flag(),
        "backupSuccesses": whole(),
        "backupIncomplete": whole(),
        "backupFailed": whole(),
        "backupRestores": whole(),
        "lastBackupDate": moment(),
        "backupServerName": text(50),
        "backupBillableSpaceGb": number(),
        "backupProtectedDeviceList": text(),
        "backupYear": whole(),
        "backupMonth": whole(),
        "ipAddress": text(50),
        "defaultGateway": text(50),
        "osType": text(250),
        "osInfo": text(250),
        "cpuSpeed": text(100),
        "ram": text(25),
        "localHardDrives": text(),
        "parentConfigurationId": whole(),
        "vendor": ref("company/companies"),
        "manufacturer": ref("procurement/manufacturers"),
        "questions": Field(Kind.ANSWERS),
        "activeFlag": flag(True),
        "managementLink": text(1000),
        "remoteLink": text(1000),
        "sla": ref("service/SLAs"),
        "mobileGuid": text(),
        "displayVendorFlag": flag(),
        "companyLocationId": whole(),
        "showRemoteFlag": flag(),
        "showAutomateFlag": flag(),
        "needsRenewalFlag": flag(),
        "manufacturerPartNumber": text(50),
        "customFields": Field(Kind.CUSTOM),
    },
)

CONFIGURATION_TYPES = Table(
    name=TYPES,
    route="/company/configurations/types",
    type_name="ConfigurationType",
    resource="configurationType",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "inactiveFlag": flag(),
        "systemFlag": flag(),
        "connectWiseId": computed(text()),
    },
)

CONFIGURATION_QUESTIONS = Table(
    name=QUESTIONS,
    route="/company/configurations/types/{parentId}/questions",
    type_name="ConfigurationTypeQuestion",
    resource="configurationTypeQuestion",
    parent="configurationType",
    naming=(),
    fields={
        "configurationType": ref(TYPES),
        "fieldType": choice(*FIELD_TYPES, required=True),
        "entryType": choice(*ENTRY_TYPES, required=True),
        "sequenceNumber": number(required=True),
        "question": text(1000, required=True),
        "numberOfDecimals": whole(),
        "requiredFlag": flag(),
        "inactiveFlag": flag(),
    },
)

CONFIGURATION_STATUSES = Table(
    name=STATUSES,
    route="/company/configurations/statuses",
    type_name="ConfigurationStatus",
    resource="configurationStatus",
    unique=("description",),
    naming=("description",),
    fields={
        "description": text(50, required=True),
        "closedFlag": flag(),
        "defaultFlag": flag(),
        "connectWiseId": computed(text()),
    },
)

"""Locations, departments, members, manufacturers, custom field definitions, as the vendor's spec has them."""

from sandbox.connectwise.fields import (
    READ_VERBS,
    Field,
    Kind,
    Table,
    choice,
    computed,
    flag,
    ignored,
    items,
    moment,
    ref,
    text,
    whole,
)

LOCATIONS_NAME = "system/locations"
LEVELS_NAME = "system/myCompany/corporateStructureLevels"
CUSTOM_FIELDS_NAME = "system/userDefinedFields"

DEPARTMENTS = Table(
    name="system/departments",
    route="/system/departments",
    type_name="Department",
    resource="department",
    unique=("identifier", "name"),
    naming=("identifier", "name"),
    fields={"identifier": text(15, required=True), "name": text(50, required=True)},
)

LOCATIONS = Table(
    name=LOCATIONS_NAME,
    route="/system/locations",
    type_name="Location",
    resource="location",
    unique=("name",),
    fields={
        "ownerLevelId": computed(whole()),
        "structureLevel": ref(LEVELS_NAME, required=True),
        "name": text(50, required=True),
        "manager": ref("system/members"),
        "reportsTo": ref(LOCATIONS_NAME),
        "salesRep": text(50),
        "timeZoneSetup": ref("system/timeZoneSetups"),
        "calendar": ref("schedule/calendars"),
        "overrideAddressLine1": text(50),
        "overrideAddressLine2": text(50),
        "overrideCity": text(50),
        "overrideState": text(50),
        "overrideZip": text(12),
        "overrideCountry": ref("company/countries"),
        "overridePhoneNumber": text(15),
        "overrideFaxNumber": text(15),
        "owaUrl": text(100),
        "payrollXref": text(10),
        "locationFlag": flag(True),
        "clientFlag": flag(),
        "workRoleIds": Field(Kind.INTEGERS),
        "departmentIds": Field(Kind.INTEGERS),
    },
)

STRUCTURE_LEVELS = Table(
    name=LEVELS_NAME,
    route="/system/myCompany/corporateStructureLevels",
    type_name="CorporateStructureLevel",
    resource="corporateStructureLevel",
    verbs=READ_VERBS,
    info=None,
    fields={"name": text()},
)

MANUFACTURERS = Table(
    name="procurement/manufacturers",
    route="/procurement/manufacturers",
    type_name="Manufacturer",
    resource="manufacturer",
    unique=("name",),
    fields={
        "name": text(50, required=True),
        "inactiveFlag": flag(),
        "connectWiseId": computed(text()),
    },
)

# Read only here: nothing that is built writes members. So only the members of the record that a reader uses.
MEMBERS = Table(
    name="system/members",
    route="/system/members",
    type_name="Member",
    resource="member",
    verbs=READ_VERBS,
    naming=("identifier", "name"),
    fields={
        "identifier": text(15, required=True),
        "licenseClass": choice("A", "C", "F", "X", required=True),
        "inactiveFlag": flag(),
        "firstName": text(30, required=True),
        "lastName": text(30, required=True),
        "title": text(),
        "hireDate": moment(required=True),
        "officeEmail": text(250),
        "defaultEmail": choice("Office", "Mobile", "Home", required=True),
        "defaultPhone": choice("Office", "Mobile", "Home", required=True),
        "adminFlag": flag(),
        "defaultLocation": ref(LOCATIONS_NAME),
        "defaultDepartment": ref("system/departments"),
        "securityRole": ref("system/securityRoles", required=True),
    },
)

USER_DEFINED_FIELDS = Table(
    name=CUSTOM_FIELDS_NAME,
    route="/system/userDefinedFields",
    type_name="UserDefinedField",
    resource="userDefinedField",
    naming=("caption",),
    info=(),
    fields={
        "podId": whole(required=True),
        "caption": text(25, required=True),
        "sequenceNumber": whole(required=True, minimum=1, maximum=500),
        "screenId": text(25),
        "helpText": text(1000),
        "fieldTypeIdentifier": choice(
            "TextArea", "Button", "Currency", "Date", "Hyperlink", "IPAddress", "Checkbox", "Number",
            "Percent", "PhoneNumber", "Text", "Password", required=True,
        ),
        "numberDecimals": whole(),
        "entryTypeIdentifier": choice("Date", "EntryField", "List", "Option"),
        "requiredFlag": flag(),
        "displayOnScreenFlag": flag(True),
        "readOnlyFlag": flag(),
        "listViewFlag": flag(),
        "buttonUrl": text(1000),
        "options": items(
            id=whole(), optionValue=text(), defaultFlag=flag(), inactiveFlag=flag(), sortOrder=whole()
        ),
        "businessUnitIds": Field(Kind.INTEGERS),
        "locationIds": Field(Kind.INTEGERS),
        "addAllBusinessUnits": ignored(flag(None)),
        "removeAllBusinessUnits": ignored(flag(None)),
        "addAllLocations": ignored(flag(None)),
        "removeAllLocations": ignored(flag(None)),
        "connectWiseID": computed(text()),
        "dateCreated": computed(moment()),
        # Seen on real records, not in the spec: the words for podId and screenId.
        "podDescription": computed(text()),
        "screenDescription": computed(text()),
        "displayScreenInASIO": computed(flag()),
    },
)  # fmt: skip

"""Locations, departments, manufacturers, custom fields, callbacks: members, lengths, by the spec.

The levels of callbacks: those of configurations, agreements, companies and tickets are the vendor's
(docs/vendors.md, ConnectWise 4.4); those of the other types follow the same idea and are assumed.
"""

from __future__ import annotations

from collections.abc import Mapping

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
    items,
    moment,
    ref,
    text,
    whole,
)

LOCATIONS_NAME = "system/locations"
DEPARTMENTS_NAME = "system/departments"
LEVELS_NAME = "system/myCompany/corporateStructureLevels"
CUSTOM_FIELDS_NAME = "system/userDefinedFields"

DEPARTMENTS = Table(
    name=DEPARTMENTS_NAME,
    type_name="Department",
    unique=("identifier", "name"),
    naming=("identifier", "name"),
    fields={"identifier": text(15, required=True), "name": text(50, required=True)},
)

LOCATIONS = Table(
    name=LOCATIONS_NAME,
    type_name="Location",
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
        **each(text(50), "overrideAddressLine1 overrideAddressLine2 overrideCity overrideState"),
        "overrideZip": text(12),
        "overrideCountry": ref("company/countries"),
        **each(text(15), "overridePhoneNumber overrideFaxNumber"),
        "owaUrl": text(100),
        "payrollXref": text(10),
        "locationFlag": flag(True),
        "clientFlag": flag(),
        **each(Field(Kind.INTEGERS), "workRoleIds departmentIds"),
    },
)

LOCATION_INFO = Table(
    name="system/info/locations",
    type_name="LocationInfo",
    verbs=READ_VERBS,
    of=LOCATIONS_NAME,
    fields={"name": text(), "location_flag": flag(), "structureLevel": ref(LEVELS_NAME)},
    derived={"location_flag": lambda location: location.get("locationFlag", True)},
)

DEPARTMENT_INFO = Table(
    name="system/info/departments",
    type_name="DepartmentInfo",
    verbs=READ_VERBS,
    of=DEPARTMENTS_NAME,
    fields={"name": text()},
)

STRUCTURE_LEVELS = Table(
    name=LEVELS_NAME,
    type_name="CorporateStructureLevel",
    verbs=READ_VERBS,
    info=None,
    fields={"name": text()},
)

MANUFACTURERS = Table(
    name="procurement/manufacturers",
    type_name="Manufacturer",
    unique=("name",),
    fields={"name": text(50, required=True), "inactiveFlag": flag(), "connectWiseId": computed(text())},
)

_FIELD_TYPES = (
    "TextArea Button Currency Date Hyperlink IPAddress Checkbox Number Percent PhoneNumber Text Password"
)
USER_DEFINED_FIELDS = Table(
    name=CUSTOM_FIELDS_NAME,
    type_name="UserDefinedField",
    naming=("caption",),
    info=(),
    fields={
        "podId": whole(required=True),
        "caption": text(25, required=True),
        "sequenceNumber": whole(required=True, minimum=1, maximum=500),
        "screenId": text(25),
        "helpText": text(1000),
        "fieldTypeIdentifier": choice(*_FIELD_TYPES.split(), required=True),
        "numberDecimals": whole(),
        "entryTypeIdentifier": choice("Date", "EntryField", "List", "Option"),
        "requiredFlag": flag(),
        "displayOnScreenFlag": flag(True),
        **each(flag(), "readOnlyFlag listViewFlag"),
        "buttonUrl": text(1000),
        "options": items(
            id=whole(), optionValue=text(), defaultFlag=flag(), inactiveFlag=flag(), sortOrder=whole()
        ),
        **each(Field(Kind.INTEGERS), "businessUnitIds locationIds"),
        **each(ignored(flag()), "addAllBusinessUnits removeAllBusinessUnits addAllLocations"),
        "removeAllLocations": ignored(flag()),
        "connectWiseID": computed(text()),
        "dateCreated": computed(moment()),
        # Seen on real records, not in the spec: the words for podId and screenId.
        **each(computed(text()), "podDescription screenDescription"),
        "displayScreenInASIO": computed(flag()),
    },
)


CALLBACKS = Table(
    name="system/callbacks",
    type_name="CallbackEntry",
    words="CallbackEntry",
    naming=("description",),
    fields={
        "description": text(100),
        "url": text(required=True),
        "objectId": whole(required=True),
        **each(text(required=True), "type level"),
        "memberId": computed(whole()),
        "payloadVersion": text(),
        **each(flag(), "inactiveFlag isSoapCallbackFlag isSelfSuppressedFlag"),
        "connectWiseID": computed(text()),
    },
)
PAYLOAD_VERSION = "3.0.0"

EVERY, ITSELF, NEVER = "*", "id", ""

# Type -> level -> the reference whose id is the objectId; EVERY record, the record ITSELF, or NEVER: the
# level is there, but this server has nothing to compare it with.
CALLBACK_LEVELS: Mapping[str, Mapping[str, str]] = {
    "activity": {"owner": EVERY, "status": "status", "type": "type", "activity": ITSELF},
    "agreement": {"owner": EVERY, "type": "type", "company": "company", "agreement": ITSELF},
    "company": {
        "owner": EVERY,
        "status": "status",
        "type": NEVER,
        "territory": "territory",
        "company": ITSELF,
        "integratortag": NEVER,
    },
    "configuration": {"owner": EVERY, "type": "type", "status": "status", "configuration": ITSELF},
    "contact": {"owner": EVERY, "company": "company", "type": NEVER, "contact": ITSELF},
    "expense": {"owner": EVERY, "expense": ITSELF},
    "invoice": {"owner": EVERY, "status": "status", "invoice": ITSELF},
    "member": {"owner": EVERY, "member": ITSELF},
    "opportunity": {
        "owner": EVERY,
        "type": "type",
        "status": "status",
        "stage": "stage",
        "opportunity": ITSELF,
    },
    "productcatalog": {"owner": EVERY, "type": "type", "productcatalog": ITSELF},
    "project": {"owner": EVERY, "status": "status", "type": "type", "project": ITSELF},
    "purchaseorder": {"owner": EVERY, "status": "status", "purchaseorder": ITSELF},
    "schedule": {"owner": EVERY, "schedule": ITSELF},
    "ticket": {
        "owner": EVERY,
        "board": "board",
        "project": "project",
        "phase": "phase",
        "status": "status",
        "ticket": ITSELF,
        "integratortag": NEVER,
    },
    "time": {"owner": EVERY, "time": ITSELF},
}

# The type whose callbacks tell of a collection's records.
CALLBACK_TYPES: Mapping[str, str] = {
    "company/configurations": "configuration",
    "company/companies": "company",
    "company/contacts": "contact",
    "finance/agreements": "agreement",
    "project/projects": "project",
    "project/tickets": "ticket",
    "sales/opportunities": "opportunity",
    "service/tickets": "ticket",
    "system/members": "member",
    "time/entries": "time",
}

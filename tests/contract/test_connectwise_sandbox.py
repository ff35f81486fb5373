"""The sandbox's ConnectWise against the vendor's OpenAPI file: its table of members, and real answers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest

from sandbox.connectwise.body import REFERENCE_MEMBERS
from sandbox.connectwise.schema.fields import READ_VERBS, Field, Kind, Table
from sandbox.connectwise.schema.tables import DESCRIBED
from tests.support.sandbox.connectwise import World, caller, configuration, small_world
from tests.support.sandbox.service_desk import (
    AGREEMENT_TYPE,
    agreement,
    insert_sales_and_time,
    insert_service_desk,
    ticket,
)
from tests.support.vendor_files import vendor_file
from tests.support.vendor_models import Description

pytestmark = pytest.mark.anyio

SPEC = vendor_file("connectwise-psa-openapi.json")

# Where the sandbox knowingly differs from the file, and why. Member names stand behind their schema.
KNOWN_EXCEPTIONS = {
    "ErrorResponseMessage.errors": "null where no field is at fault, as in the developer guide's own samples",
    "UserDefinedField.podDescription": "real records carry it (recorded answers); the file lacks it",
    "UserDefinedField.screenDescription": "real records carry it (recorded answers); the file lacks it",
    "UserDefinedField.displayScreenInASIO": "real records carry it (recorded answers); the file lacks it",
    "UserDefinedField.fieldTypeIdentifier": "PhoneNumber is newer than the rebuilt enum",
    "Contact.firstName": "not marked required in the file, enforced by the server (recorded answer)",
    "BundleResult.entities": "declared by what all records share, the id; a reader wants the record",
    "count of opportunities' notes": "declared as the list itself, unlike every other count",
    "Member verbs": "read only here: nothing that is built writes members",
    "207 of bulk POST and PUT": "declared as one configuration; BulkResult, as of DELETE, is likelier",
}

SCHEMAS = {
    "company/configurations": "Company.Configuration",
    "company/configurations/types": "ConfigurationType",
    "company/configurations/types/questions": "ConfigurationTypeQuestion",
    "company/configurations/statuses": "ConfigurationStatus",
    "company/companies": "Company",
    "company/sites": "CompanySite",
    "company/contacts": "Contact",
    "system/departments": "Department",
    "system/locations": "Location",
    "system/myCompany/corporateStructureLevels": "CorporateStructureLevel",
    "procurement/manufacturers": "Manufacturer",
    "system/userDefinedFields": "UserDefinedField",
    "system/members": "Member",
    "finance/agreements": "Agreement",
    "finance/agreements/types": "AgreementType",
    "finance/agreements/configurations": "ConfigurationReference",
    "service/SLAs": "SLA",
    "service/boards": "Board",
    "service/boards/statuses": "BoardStatus",
    "service/boards/types": "BoardType",
    "service/priorities": "Priority",
    "service/sources": "Source",
    "service/boards/teams": "BoardTeam",
    "company/companies/statuses": "CompanyStatus",
    "company/companies/types": "CompanyType",
    "company/communicationTypes": "CommunicationType",
    "service/tickets": "Ticket",
    "service/tickets/configurations": "ConfigurationReference",
    "service/tickets/notes": "ServiceNote",
    "service/tickets/allNotes": "ServiceTicketNote",
    "project/tickets": "ProjectTicket",
    "project/tickets/configurations": "ConfigurationReference",
    "project/tickets/notes": "TicketNote",
    "project/tickets/allNotes": "ProjectTicketNote",
    "system/callbacks": "CallbackEntry",
    "sales/opportunities": "Opportunity",
    "sales/opportunities/notes": "OpportunityNote",
    "sales/opportunities/statuses": "OpportunityStatus",
    "sales/opportunities/types": "OpportunityType",
    "time/entries": "TimeEntry",
    "service/boards/subtypes": "BoardSubType",
    "service/boards/items": "BoardItem",
    "service/tickets/tasks": "ServiceTask",
    "project/tickets/tasks": "TicketTask",
    "finance/agreements/additions": "Addition",
    "finance/agreements/adjustments": "Agreement.Adjustment",
    "company/contacts/notes": "ContactNote",
    "company/contacts/types": "ContactType",
    "company/countries": "Country",
    "system/members/types": "MemberType",
    "sales/opportunities/ratings": "OpportunityRating",
    "finance/billingCycles": "BillingCycle",
    "service/severities": "Severity",
    "service/impacts": "Impact",
    "system/info/members": "MemberInfo",
    "system/info/locations": "LocationInfo",
    "system/info/departments": "DepartmentInfo",
    **{
        f"{tickets}/{part}": f"{kind}Reference"
        for tickets in ("service/tickets", "project/tickets")
        for part, kind in (
            ("timeentries", "TimeEntry"),
            ("scheduleentries", "ScheduleEntry"),
            ("activities", "Activity"),
            ("documents", "Document"),
            ("products", "Product"),
        )
    },
}

BODIES: dict[str, dict[str, Any]] = {
    "company/configurations": configuration(
        site={"id": 1}, location={"id": 1}, manufacturer={"id": 1}, purchaseDate="2025-10-11T07:35:18Z",
        customFields=[{"id": 1, "value": "key"}], questions=[{"questionId": 1, "answer": "R7"}],
    ),
    "company/configurations/types": {"name": "ls_OT"},
    "company/configurations/types/questions": {
        "question": "Floor?", "fieldType": "Text", "entryType": "EntryField", "sequenceNumber": 9,
    },
    "company/configurations/statuses": {"description": "ls_Active"},
    "company/companies": {"identifier": "Third", "name": "Third Ltd", "city": "Kiel"},
    "company/sites": {"name": "Branch"},
    "company/contacts": {
        "firstName": "Grace", "company": {"id": 1}, "communicationItems": [{"value": "g@x.test"}],
    },
    "system/departments": {"identifier": "OPS", "name": "Operations"},
    "system/locations": {"name": "Depot", "structureLevel": {"id": 1}},
    "procurement/manufacturers": {"name": "Rockwell Automation"},
    "system/userDefinedFields": {
        "podId": 12, "caption": "ls_asset_location", "sequenceNumber": 6, "fieldTypeIdentifier": "Text",
    },
    "finance/agreements": agreement(name="Silver", sla={"id": 1}, startDate="2025-01-01T00:00:00Z"),
    "finance/agreements/types": {**AGREEMENT_TYPE, "name": "Block of hours"},
    "finance/agreements/configurations": {"id": 2},
    "service/SLAs": {"name": "Silver", "basedOn": "Customer"},
    "service/boards": {"name": "Field work", "location": {"id": 1}, "department": {"id": 1}},
    "service/boards/statuses": {"name": "Waiting", "sortOrder": 7},
    "service/boards/types": {"name": "Field work", "category": "Reactive"},
    "service/priorities": {"name": "Priority 4", "color": "Gray", "sortOrder": 4, "level": "Low"},
    "service/sources": {"name": "Walk-in"},
    "service/boards/teams": {"name": "Second line", "teamLeader": {"id": 1}, "members": [1]},
    "company/companies/statuses": {"name": "Prospect", "notifyFlag": True},
    "company/companies/types": {"name": "Partner", "vendorFlag": True},
    "company/communicationTypes": {"description": "Pager", "phoneFlag": True},
    "service/tickets": ticket(status={"id": 2}, board={"id": 1}, initialDescription="Since Monday"),
    "service/tickets/configurations": {"id": 2},
    "project/tickets": {"summary": "Cabling", "phase": {"id": 1}},
    "project/tickets/configurations": {"deviceIdentifier": "dev-2"},
    "sales/opportunities": {
        "name": "New plant", "primarySalesRep": {"id": 1}, "company": {"id": 1}, "contact": {"id": 1},
        "type": {"name": "Project"}, "status": {"name": "Open"}, "expectedCloseDate": "2026-10-11T00:00:00Z",
    },
    "sales/opportunities/notes": {"text": "Called", "flagged": True},
    "sales/opportunities/statuses": {"name": "Won", "wonFlag": True, "closedFlag": True},
    "sales/opportunities/types": {"description": "Renewal"},
    "time/entries": {
        "chargeToId": 1, "chargeToType": "ServiceTicket", "member": {"id": 1}, "actualHours": 9,
        "timeStart": "2026-10-11T07:00:00Z", "timeEnd": "2026-10-11T08:30:00Z", "notes": "Swapped it",
    },
    "system/callbacks": {
        "url": "https://receiver.example/psa?recordId=", "objectId": 1, "type": "ticket", "level": "board",
        "description": "Dispatch", "isSelfSuppressedFlag": True,
    },
    "service/tickets/notes": {"text": "On the way", "internalAnalysisFlag": True, "contact": {"id": 1}},
    "service/boards/subtypes": {"name": "Cabling", "typeAssociationIds": [1]},
    "service/boards/items": {"name": "Measure"},
    "service/tickets/tasks": {"notes": "Call first", "priority": 2, "member": {"id": 1}},
    "project/tickets/tasks": {"notes": "Order", "closedFlag": True},
    "finance/agreements/additions": {"product": {"id": 1}, "billCustomer": "Billable", "quantity": 2.0},
    "finance/agreements/adjustments": {"amount": 10.5, "description": "Good will"},
    "company/contacts/notes": {"text": "Prefers mail", "flagged": True},
    "company/contacts/types": {"description": "Partner"},
    "company/countries": {"name": "Norway", "currency": {"id": 1}, "countryCode": "NO"},
    "system/members/types": {"name": "Apprentice"},
    "sales/opportunities/ratings": {"name": "Lukewarm", "sortOrder": 4},
    "finance/billingCycles": {"identifier": "W", "name": "Weekly", "billingOptions": "Weekly"},
    "service/severities": {"description": "Middling"},
    "service/impacts": {"description": "Middling"},
    "project/tickets/notes": {"text": "Racks came", "detailDescriptionFlag": True, "member": {"id": 1}},
}  # fmt: skip


# One record each of what the small world lacks.
SMALL: dict[str, dict[str, Any]] = {
    "finance/currencies": {"name": "US Dollar", "symbol": "$"},
    "procurement/catalog": {"identifier": "MSP-WS", "description": "Managed workstation"},
    "company/countries": {"name": "Sweden", "currency": {"id": 1}},
    "company/contacts/types": {"description": "Primary"},
    "company/contacts/notes": {"contactId": 1, "text": "Likes tea"},
    "system/members/types": {"name": "Employee"},
    "sales/opportunities/ratings": {"name": "Hot"},
    "finance/billingCycles": {"identifier": "M", "name": "Monthly", "billingOptions": "Monthly"},
    "service/severities": {"name": "High", "description": "High"},
    "service/impacts": {"name": "High", "description": "High"},
    "service/boards/subtypes": {"name": "Hardware", "board": {"id": 1}},
    "service/boards/items": {"name": "Replace", "board": {"id": 1}},
    "service/tickets/tasks": {"ticketId": 1, "notes": "Look"},
    "project/tickets/tasks": {"ticketId": 2, "notes": "Look"},
    "finance/agreements/additions": {
        "agreementId": 1, "product": {"id": 1}, "billCustomer": "Billable",
    },
    "finance/agreements/adjustments": {"agreementId": 1, "amount": 5.0},
}  # fmt: skip


@cache
def description() -> Description:
    """The file, with the known exceptions let in."""
    made = Description(SPEC)
    made.schemas["ErrorResponseMessage"]["properties"]["errors"]["type"] = ["array", "null"]
    assert "BundleResult.entities" in KNOWN_EXCEPTIONS
    made.schemas["IRestIdentifiedItem"]["additionalProperties"] = True
    fields = made.schemas["UserDefinedField"]["properties"]
    for name in ("podDescription", "screenDescription", "displayScreenInASIO"):
        assert f"UserDefinedField.{name}" in KNOWN_EXCEPTIONS
        fields[name] = {}
    return made


def spec() -> dict[str, Any]:
    return description().file


def check(value: Any, schema: dict[str, Any]) -> None:
    description().check(value, schema)


def check_answer(response: httpx.Response, route: str) -> Any:
    return description().check_answer(response, route)


def path_of(table: Table) -> str:
    return table.route.replace("{parentId}", "2" if table.name.startswith("project/tickets/") else "1")


def members(table: Table) -> Iterator[tuple[str, Field, dict[str, Any] | None]]:
    """Each member of a table with what the file says of it."""
    properties = spec()["components"]["schemas"][SCHEMAS[table.name]]["properties"]
    for name, field in table.fields.items():
        yield f"{SCHEMAS[table.name]}.{name}", field, properties.get(name)


def test_every_served_collection_is_held() -> None:
    assert {table.name for table in DESCRIBED} == set(SCHEMAS)


@pytest.mark.parametrize("table", DESCRIBED, ids=lambda table: table.name)
def test_the_table_has_exactly_the_files_members(table: Table) -> None:
    declared = set(spec()["components"]["schemas"][SCHEMAS[table.name]]["properties"]) - {"id", "_info"}
    held = {name for name in table.fields if f"{SCHEMAS[table.name]}.{name}" not in KNOWN_EXCEPTIONS}
    assert held | {"firstName", "fieldTypeIdentifier"} & set(table.fields) == declared


@pytest.mark.parametrize("table", DESCRIBED, ids=lambda table: table.name)
def test_lengths_and_kinds_are_the_files(table: Table) -> None:
    kinds = {
        "integer": {Kind.INTEGER},
        "number": {Kind.NUMBER},
        "boolean": {Kind.FLAG},
        "string": {Kind.TEXT},
    }
    for name, field, declared in members(table):
        if declared is None:
            continue
        assert field.max_length == declared.get("maxLength"), name
        if declared.get("format") == "date-time":
            assert field.kind is Kind.MOMENT, name
        elif "enum" in declared:
            assert name in KNOWN_EXCEPTIONS or set(field.choices) == set(declared["enum"]), name
        elif "$ref" in declared:
            assert field.kind is Kind.REFERENCE, name
        elif declared["type"] != "array":
            assert field.kind in kinds[declared["type"]], name


def test_a_body_may_hold_what_a_reference_shows() -> None:
    models = spec()["components"]["schemas"]
    shown = {
        name.lower()
        for kind, one in models.items()
        if kind.endswith("Reference")
        for name in one["properties"]
    }
    assert shown == REFERENCE_MEMBERS


@pytest.mark.parametrize("table", DESCRIBED, ids=lambda table: table.name)
def test_required_members_are_the_files(table: Table) -> None:
    declared = set(spec()["components"]["schemas"][SCHEMAS[table.name]].get("required") or [])
    held = {name for name, field in table.fields.items() if field.required}
    extra = {name for name in held if f"{SCHEMAS[table.name]}.{name}" in KNOWN_EXCEPTIONS}
    assert held - (extra - declared) == declared


@pytest.mark.parametrize("table", DESCRIBED, ids=lambda table: table.name)
def test_served_paths_and_methods_are_the_files(table: Table) -> None:
    methods = {"list": "get", "create": "post"}
    singles = {"get": "get", "replace": "put", "patch": "patch", "delete": "delete"}
    paths = spec()["paths"]
    if table.gathered:
        assert set(paths[table.route]) - {"parameters"} == {"get"}
        assert not {f"{table.route}/count", f"{table.route}/{{id}}"} & set(paths)
        return
    assert f"{table.route}/count" in paths
    for verb in table.verbs:
        path = table.route if verb in methods else f"{table.route}/{{id}}"
        assert (methods | singles)[verb] in paths[path], (verb, path)
    if f"{SCHEMAS[table.name]} verbs" not in KNOWN_EXCEPTIONS:
        declared = {*paths[table.route], *paths.get(f"{table.route}/{{id}}", {})}
        assert declared == {(methods | singles)[verb] for verb in table.verbs}


@pytest.fixture
def world() -> World:
    """With a configuration that has everything, one that has little, and a service desk beside them."""
    made = small_world()
    made.store.insert("company/configurations", BODIES["company/configurations"])
    made.store.insert("company/configurations", configuration(name="srv-2", deviceIdentifier="dev-2"))
    insert_service_desk(made.store)
    insert_sales_and_time(made.store)
    for name in SMALL:
        made.store.insert(name, SMALL[name])
    callback = {"url": "http://127.0.0.1:9/?recordId=", "objectId": 1, "type": "Ticket", "level": "Owner"}
    made.store.insert("system/callbacks", callback)
    for owners, owner_id in (("finance/agreements", 1), ("service/tickets", 1), ("project/tickets", 2)):
        made.store.links(f"{owners}/configurations").add(owner_id, 1)
    return made


@pytest.mark.parametrize("null_custom", [False, True])
@pytest.mark.parametrize("table", DESCRIBED, ids=lambda table: table.name)
async def test_answers_are_what_the_file_declares(world: World, table: Table, null_custom: bool) -> None:
    world.switches.unset_custom_field = "null" if null_custom else "omit"
    path, one = path_of(table), f"{table.route}/{{id}}"
    with caller(world) as client:
        listed = check_answer(await client.get(path), table.route)
        assert listed or table.belongs
        if table.gathered:
            return
        counted = await client.get(f"{path}/count")
        if table.name == "sales/opportunities/notes":
            assert "count of opportunities' notes" in KNOWN_EXCEPTIONS
            check(counted.json(), {"$ref": "#/components/schemas/Count"})
        else:
            check_answer(counted, f"{table.route}/count")
        if "get" in table.verbs:
            check_answer(await client.get(f"{path}/{listed[0]['id']}"), one)
        if table.verbs <= READ_VERBS:
            return
        body = BODIES[table.name]
        check(body, {"$ref": f"#/components/schemas/{SCHEMAS[table.name]}"})
        adds = "create" in table.verbs
        made = check_answer(await client.post(path, json=body), table.route) if adds else listed[0]
        address = f"{path}/{made['id']}"
        if "replace" in table.verbs:
            check_answer(await client.put(address, json=made), one)
            check_answer(await client.patch(address, json=[]), one)
        if "delete" in table.verbs:
            check_answer(await client.delete(address), one)


@pytest.mark.parametrize("table", DESCRIBED, ids=lambda table: table.name)
async def test_refusals_have_the_files_error_body(world: World, table: Table) -> None:
    error = {"$ref": "#/components/schemas/ErrorResponseMessage"}
    path = path_of(table)
    with caller(world) as client:
        refused = [
            await client.get(f"{path}/999"),
            await client.get(path, params={"conditions": "bogus = 1"}),
            await client.get(path, headers={"Authorization": "Basic x"}),
        ]
        if "create" in table.verbs:
            refused.append(await client.post(path, json={"bogus": 1}))
        if "create" in table.verbs and (table.links or any(one.required for one in table.fields.values())):
            refused.append(await client.post(path, json={}))
        for response in refused:
            assert response.status_code >= 400
            check(response.json(), error)


async def test_reports_and_bundles_are_what_the_file_declares(world: World) -> None:
    report = "/system/reports/ConfigurationAgreement"
    requests = [
        {"sequenceNumber": 1, "resourceType": "ticketconfiguration", "apiRequest": {"parentId": 1}},
        {"sequenceNumber": 2, "resourceType": "company", "apiRequest": {"id": 99}},
    ]
    body = {"requests": requests}
    check(body, {"$ref": "#/components/schemas/BundleRequestsCollection"})
    world.switches.bundle_limit = 2
    with caller(world) as client:
        check_answer(await client.get("/system/reports"), "/system/reports")
        for rest in ("", "/columns", "/count"):
            check_answer(await client.get(report + rest), "/system/reports/{reportName}" + rest)
        for path in ("/system/bundles", "/system/bundles/count"):
            results = check_answer(await client.post(path, json=body), path)["results"]
            assert [one["success"] for one in results] == [True, False]


async def test_searches_are_what_the_file_declares(world: World) -> None:
    body = {"conditions": "id > 0", "orderBy": "id desc", "childconditions": "", "customfieldconditions": ""}
    check(body, {"$ref": "#/components/schemas/FilterValues"})
    with caller(world) as client:
        for path in ("/service/tickets/search", "/project/tickets/search"):
            assert check_answer(await client.post(path, json=body), path)


async def test_other_answers(world: World) -> None:
    with caller(world) as client:
        check_answer(await client.get("/system/info"), "/system/info")
        changed = await client.patch(
            "/company/configurations/1/changeType",
            json=[{"op": "replace", "path": "type", "value": {"id": 2}}],
        )
        check_answer(changed, "/company/configurations/{id}/changeType")


async def test_bulk_answers_are_bulk_results(world: World) -> None:
    path = "/company/configurations/bulk"
    declared = spec()["paths"][path]
    result = {"$ref": "#/components/schemas/BulkResult"}
    assert list(declared["delete"]["responses"]) == ["207"]
    with caller(world) as client:
        made = await client.post(path, json=[configuration(name="a"), {"name": ""}])
        put = await client.put(path, json=[configuration(id=1, name="b"), configuration(id=999)])
        for answer in (made, put):
            assert str(answer.status_code) in declared[answer.request.method.lower()]["responses"]
            check(answer.json(), result)


@pytest.mark.parametrize("shape", ["array", "record"])
async def test_the_other_bulk_shapes_hold_the_files_parts(world: World, shape: str) -> None:
    world.switches.bulk_answer = shape  # type: ignore[assignment]
    part = "ResultInfo" if shape == "array" else "Company.Configuration"
    with caller(world) as client:
        answer = await client.post("/company/configurations/bulk", json=[configuration(), configuration()])
        for item in answer.json():
            check(item, {"$ref": f"#/components/schemas/{part}"})
        alone = await client.post("/company/configurations/bulk", json=[configuration()])
        if shape == "record":
            check_answer(alone, "/company/configurations/bulk")

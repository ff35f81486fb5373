"""Every request that the ConnectWise client can make exists in the vendor's OpenAPI description.

Each public operation is called with every argument it takes; a new operation without a sample fails here.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.connectwise.bulk_reads import BundleItem
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.service import TICKETS, TicketKind
from tests.support.fake_connectwise import INFO, SETTINGS, body_of

pytestmark = pytest.mark.anyio

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared/reference/connectwise-psa-openapi.json"
LOOK_UP = "the look-up of the codebase lies outside the API: developer guide"
NOT_DESCRIBED = {"company_info": LOOK_UP, "newest_version": LOOK_UP}
UNDESCRIBED_PARAMETERS = {
    # Seen on a live server: the body takes no paging and no fields (reference, section 3).
    "/service/tickets/search": {"fields", "pageSize"},
    "/project/tickets/search": {"fields", "pageSize"},
}
NO_REQUEST = {"aclose"}
ANSWERS: dict[str, Any] = {
    "/count": {"count": 0},
    "/columns": [{"AgreementRecId": {"type": "Int32"}}],
    "/system/reports/ConfigurationAgreement": {
        "column_definitions": [{"AgreementRecId": {"type": "Int32"}}],
        "row_values": [],
    },
    "/system/bundles": {"results": []},
}
"""What some paths answer; all others answer a page of no records, or an empty record."""
SEARCH = {"conditions": "id > 0", "child_conditions": "a/b = 1", "custom_field_conditions": 'caption="x"'}
LISTED = (
    "configurations",
    "configuration_types",
    "configuration_statuses",
    "companies",
    "sites",
    "contacts",
    "departments",
    "locations",
    "manufacturers",
    "user_defined_fields",
    "corporate_structure_levels",
    "agreements",
    "tickets",
    "boards",
    "opportunities",
    "time_entries",
    "members",
)
OWNERS: dict[str, list[dict[str, Any]]] = {
    "sites": [{"company_id": 7}],
    "tickets": [{"kind": "service"}, {"kind": "project"}],
}
RECORD = {
    "id": 9,
    "name": "pc-1",
    "type": {"id": 1},
    "status": {"id": 2},
    "company": {"id": 3},
    "manufacturer": {"id": 4},
    "serialNumber": "S1",
    "customFields": [{"id": 5, "value": "key"}],
}
FIELD = {"podId": 1, "caption": "ls_asset_id", "sequenceNumber": 1, "fieldTypeIdentifier": "Text"}
OPERATION = {"op": "replace", "path": "name", "value": "pc-2"}
TICKET: dict[TicketKind, dict[str, Any]] = {
    "service": {"summary": "x", "company": {"id": 3}, "board": {"id": 1}, "initialDescription": "y"},
    "project": {"summary": "x", "phase": {"id": 2}, "initialDescription": "y"},
}
NOTE = {"text": "x", "internalAnalysisFlag": True, "detailDescriptionFlag": False}
TIME_ENTRY = {
    "chargeToId": 5,
    "chargeToType": "ServiceTicket",
    "timeStart": "2026-11-21T09:00:00Z",
    "timeEnd": "2026-11-21T10:00:00Z",
    "notes": "x",
    "member": {"identifier": "fieldnation"},
}
CALLBACK = {
    "url": "https://example.test/connectwise?recordId=",
    "objectId": 1,
    "type": "Ticket",
    "level": "Owner",
    "description": "dispatch",
    "payloadVersion": "3.0.0",
}
WRITES: dict[str, dict[str, Any]] = {
    "create_configuration": {"record": RECORD},
    "create_configurations": {"records": [RECORD]},
    "replace_configurations": {"records": [RECORD]},
    "patch_configuration": {"configuration_id": 9, "operations": [OPERATION]},
    "delete_configuration": {"configuration_id": 9},
    "change_configuration_type": {"configuration_id": 9, "type_id": 1},
    "create_configuration_type": {"name": "ls_OT"},
    "create_configuration_status": {"description": "ls_Active", "closed_flag": True, "default_flag": True},
    "create_manufacturer": {"name": "Lenovo"},
    "create_location": {"name": "Lisbon", "structure_level_id": 1},
    "create_user_defined_field": {"record": FIELD},
    "patch_opportunity": {"opportunity_id": 6, "operations": [OPERATION]},
    "create_opportunity_note": {"opportunity_id": 6, "record": {"text": "x", "type": {"id": 1}}},
    "create_time_entry": {"record": TIME_ENTRY},
    "create_callback": {"record": CALLBACK},
    "delete_callback": {"callback_id": 8},
}


REPORT = {"name": "ConfigurationAgreement", "conditions": "CompanyRecId = 3"}
BUNDLE = [
    BundleItem("ticketconfiguration", parent_id=5),
    BundleItem("ticket", record_id=5, fields="id"),
    BundleItem("ticket", conditions="id > 0", page=2, page_size=5),
]
SINGLES: dict[str, list[dict[str, Any]]] = {
    "company_info": [{}],
    "newest_version": [{}],
    "system_info": [{}],
    "get_configuration": [{"configuration_id": 9, "fields": "id"}],
    "list_agreement_types": [{**SEARCH, "fields": "id"}],
    "agreement_configurations": [{"agreement_id": 4}],
    "get_ticket": [{"kind": kind, "ticket_id": 5, "fields": "id"} for kind in TICKETS],
    "ticket_configurations": [{"kind": kind, "ticket_id": 5} for kind in TICKETS],
    "create_ticket": [{"kind": kind, "record": TICKET[kind]} for kind in TICKETS],
    "patch_ticket": [{"kind": kind, "ticket_id": 5, "operations": [OPERATION]} for kind in TICKETS],
    "create_ticket_note": [{"kind": kind, "ticket_id": 5, "record": NOTE} for kind in TICKETS],
    "list_ticket_notes": [{"kind": kind, "ticket_id": 5, **SEARCH} for kind in TICKETS],
    "list_all_ticket_notes": [{"kind": kind, "ticket_id": 5} for kind in TICKETS],
    "get_company": [{"company_id": 3, "fields": "id"}],
    "get_site": [{"company_id": 3, "site_id": 4, "fields": "id"}],
    "get_contact": [{"contact_id": 5, "fields": "id"}],
    "get_member": [{"member_id": 5, "fields": "id"}],
    "get_board": [{"board_id": 5, "fields": "id"}],
    "list_board_statuses": [{"board_id": 5, **SEARCH, "fields": "id"}],
    "get_opportunity": [{"opportunity_id": 6, "fields": "id"}],
    "list_opportunity_notes": [{"opportunity_id": 6, **SEARCH}],
    "list_opportunity_statuses": [SEARCH],
    "list_opportunity_types": [SEARCH],
    "list_callbacks": [SEARCH],
    "search_tickets": [{"kind": kind, "conditions": "id > 0", "fields": "id"} for kind in TICKETS],
    "list_reports": [{}],
    "report_columns": [{"name": REPORT["name"]}],
    "count_report": [REPORT],
    "report_rows": [{**REPORT, "columns": ["AgreementRecId"], "order_by": "AgreementRecId asc"}],
    "bundle": [{"items": BUNDLE}],
}


def samples() -> dict[str, list[dict[str, Any]]]:
    """Arguments for every operation, by name."""
    found = {**SINGLES, **{name: [arguments] for name, arguments in WRITES.items()}}
    for name in LISTED:
        for owner in OWNERS.get(name, [{}]):
            shaped = {**owner, **SEARCH, "fields": "id"}
            lists = [shaped, {**shaped, "order_by": "id asc", "page": 2, "page_size": 5}]
            found[f"list_{name}"] = found.get(f"list_{name}", []) + lists
            found[f"{name}_pages"] = [*found.get(f"{name}_pages", []), {**shaped, "page_size": 5}]
            found[f"count_{name}"] = [*found.get(f"count_{name}", []), {**owner, **SEARCH}]
    return found


def operations() -> set[str]:
    members = inspect.getmembers(ConnectWiseClient, inspect.isfunction)
    return {name for name, _ in members if not name.startswith("_")} - NO_REQUEST


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    if not DESCRIPTION.exists():
        pytest.skip(f"the vendor's description is not here: {DESCRIPTION.name}")
    return dict(json.loads(DESCRIPTION.read_text(encoding="utf-8")))


class Recorder:
    """Answers everything with something readable and keeps the requests."""

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/login/companyinfo/"):
            return httpx.Response(200, json=INFO)
        self.seen.append(request)
        for ending, body in ANSWERS.items():
            if request.url.path.endswith(ending):
                return httpx.Response(200, json=body)
        pages = "pageSize" in request.url.params
        mark, end = ("page", "2") if "page" in request.url.params else ("pageId", "3")
        last = request.url.params.get(mark) == end
        following = f"<{request.url.copy_set_param(mark, end)}>; rel=next" if pages and not last else ""
        return httpx.Response(200, json=[] if pages else {}, headers={"Link": following})


async def requests_of(name: str, arguments: dict[str, Any]) -> tuple[list[httpx.Request], list[str]]:
    """The requests that one call makes, and the templates that they are counted under."""
    recorder = Recorder()
    async with ConnectWiseClient(SETTINGS, transport=httpx.MockTransport(recorder.handle)) as client:
        answer = getattr(client, name)(**arguments)
        if isinstance(answer, AsyncIterator):
            async for _ in answer:
                pass
        else:
            await answer
        counted = [key for key in client.session.sent if "/login/" not in key]
    return recorder.seen, counted


def resolve(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        *_, group, name = node["$ref"].split("/")
        node = spec["components"][group][name]
    return node


def described(spec: dict[str, Any], template: str, method: str) -> dict[str, Any]:
    path = spec["paths"].get(template)
    assert path is not None, f"{template} is not described"
    assert method.lower() in path, f"{method} {template} is not described"
    return dict(path[method.lower()])


def unknown_members(spec: dict[str, Any], schema: dict[str, Any], value: Any, at: str = "") -> Iterator[str]:
    """Members of a body that its schema does not have, and required ones that it lacks."""
    schema = resolve(spec, schema)
    if isinstance(value, list):
        assert schema.get("type") == "array", f"{at or 'body'} is no array in the description"
        for index, item in enumerate(value):
            yield from unknown_members(spec, schema["items"], item, f"{at}[{index}]")
    elif isinstance(value, dict) and "properties" in schema:
        yield from (f"{at}.{name} missing" for name in schema.get("required", []) if name not in value)
        for name, inner in value.items():
            if name in schema["properties"]:
                yield from unknown_members(spec, schema["properties"][name], inner, f"{at}.{name}")
            else:
                yield f"{at}.{name}"


def test_every_operation_has_a_sample() -> None:
    assert operations() == set(samples())


@pytest.mark.parametrize("name", sorted(set(samples()) - set(NOT_DESCRIBED)))
async def test_every_request_is_described(spec: dict[str, Any], name: str) -> None:
    for arguments in samples()[name]:
        seen, counted = await requests_of(name, arguments)
        assert len(counted) == 1
        method, template = counted[0].split(" ")
        operation = described(spec, template, method)
        parameters = [resolve(spec, parameter) for parameter in operation["parameters"]]
        for request in seen:
            assert_request_fits(spec, request, template, operation, parameters)


def assert_request_fits(
    spec: dict[str, Any],
    request: httpx.Request,
    template: str,
    operation: dict[str, Any],
    parameters: list[dict[str, Any]],
) -> None:
    named = {
        place: {one["name"] for one in parameters if one["in"] == place} for place in ("query", "header")
    }
    path = request.url.path.partition("/apis/3.0")[2].split("/")
    pairs = zip(path, template.split("/"), strict=True)
    assert all(have == want or want.startswith("{") for have, want in pairs)
    assert set(request.url.params) <= named["query"] | UNDESCRIBED_PARAMETERS.get(template, set())
    assert all(name in request.headers for name in named["header"])
    body = operation.get("requestBody")
    assert bool(request.content) == bool(body)
    if body:
        schema = body["content"]["application/json"]["schema"]
        assert list(unknown_members(spec, schema, body_of(request))) == []


def test_the_check_of_bodies_sees_what_is_wrong(spec: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/Location"}
    body = {"name": "x", "nam": "y", "structureLevel": {"id": 1, "nmae": "z"}}
    assert list(unknown_members(spec, schema, body)) == [".nam", ".structureLevel.nmae"]
    assert list(unknown_members(spec, schema, {"name": "x"})) == [".structureLevel missing"]

"""Every request that the ConnectWise client can make exists in the vendor's OpenAPI description.

Each public operation is called with every argument it takes; a new operation without a sample fails here.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from connectors.connectwise.bulk_reads import BundleItem
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.collection import Collection
from connectors.connectwise.models import TICKETS, TicketKind
from tests.support.fake_connectwise import INFO, SETTINGS, body_of
from tests.support.vendor_files import vendor_file

pytestmark = pytest.mark.anyio

PROJECT = Path(__file__).resolve().parents[2]
LOOK_UP = "the look-up of the codebase lies outside the API: developer guide"
ROLE = "clients of others read it; the published description has no such path"
NOT_DESCRIBED = {
    "company_info": LOOK_UP,
    "newest_version": LOOK_UP,
    **dict.fromkeys((f"security_role_settings.{verb}" for verb in ("list", "pages", "count")), ROLE),
}
UNDESCRIBED_PARAMETERS = {
    # Seen on a live server: the body takes no paging and no fields (docs/vendors.md, ConnectWise 3).
    "/service/tickets/search": {"fields", "pageSize"},
    "/project/tickets/search": {"fields", "pageSize"},
}
NO_REQUEST = {"aclose", "send"}
ANSWERS: dict[str, Any] = {
    "/count": {"count": 0},
    "/system/reports/ConfigurationAgreement": {
        "column_definitions": [{"AgreementRecId": {"type": "Int32"}}],
        "row_values": [],
    },
    "/system/bundles": {"results": []},
}
"""What some paths answer; all others answer a page of no records, or an empty record."""
SEARCH = {"conditions": "id > 0", "child_conditions": "a/b = 1", "custom_field_conditions": 'caption="x"'}
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
REPORT = {"name": "ConfigurationAgreement", "conditions": "CompanyRecId = 3"}
BUNDLE = [
    BundleItem("ticketconfiguration", parent_id=5),
    BundleItem("ticket", record_id=5, fields="id"),
    BundleItem("ticket", conditions="id > 0", page=2, page_size=5),
]
METHODS: dict[str, list[dict[str, Any]]] = {
    "company_info": [{}],
    "newest_version": [{}],
    "create_configurations": [{"records": [RECORD]}],
    "replace_configurations": [{"records": [RECORD]}],
    "change_configuration_type": [{"configuration_id": 9, "type_id": 1}],
    "search_tickets": [{"kind": kind, "conditions": "id > 0", "fields": "id"} for kind in TICKETS],
    "count_report": [REPORT],
    "report_rows": [{**REPORT, "columns": ["AgreementRecId"], "order_by": "AgreementRecId asc"}],
    "bundle": [{"items": BUNDLE}],
}
"""Arguments for every operation that is a method of its own, by name."""
LIST = {**SEARCH, "fields": "id"}
VERBS: dict[str, list[dict[str, Any]]] = {
    "list": [LIST, {**LIST, "order_by": "id asc", "page": 2, "page_size": 5}],
    "pages": [{**LIST, "page_size": 5}],
    "count": [SEARCH],
    "get": [{"record_id": 5, "fields": "id"}],
    "patch": [{"record_id": 9, "operations": [OPERATION]}],
    "delete": [{"record_id": 9}],
}
"""Arguments for what a collection can do; ``create`` needs a record of the collection."""
LISTED = {"list", "pages", "count"}
WHOLE = {*LISTED, "get"}
COLLECTIONS: dict[str, tuple[set[str], list[dict[str, Any]], list[Any]]] = {
    "configurations": ({*WHOLE, "patch", "delete"}, [RECORD], [()]),
    "configuration_types": (LISTED, [{"name": "ls_OT"}], [()]),
    "configuration_statuses": (
        LISTED,
        [{"description": "ls_Active", "closedFlag": True, "defaultFlag": True}],
        [()],
    ),
    "manufacturers": (LISTED, [{"name": "Lenovo"}], [()]),
    "companies": (WHOLE, [], [()]),
    "contacts": (WHOLE, [], [()]),
    "locations": (LISTED, [{"name": "Lisbon", "structureLevel": {"id": 1}}], [()]),
    "departments": (LISTED, [], [()]),
    "user_defined_fields": (LISTED, [FIELD], [()]),
    "members": (WHOLE, [], [()]),
    "agreements": (LISTED, [], [()]),
    "boards": (WHOLE, [], [()]),
    "opportunities": ({*WHOLE, "patch"}, [], [()]),
    "opportunity_statuses": (LISTED, [], [()]),
    "time_entries": (LISTED, [TIME_ENTRY], [()]),
    "callbacks": ({*LISTED, "delete"}, [CALLBACK], [()]),
    "sites": (WHOLE, [], [(7,)]),
    "agreement_configurations": (LISTED, [], [(4,)]),
    "board_statuses": (LISTED, [], [(5,)]),
    "board_types": (LISTED, [], [(5,)]),
    "priorities": (LISTED, [], [()]),
    "structure_levels": (LISTED, [], [()]),
    "security_role_settings": (LISTED, [], [(3,)]),
    "tickets": ({*WHOLE, "patch"}, list(TICKET.values()), [(kind,) for kind in TICKETS]),
    "ticket_configurations": (LISTED, [], [(kind, 5) for kind in TICKETS]),
    "ticket_notes": (LISTED, [NOTE], [(kind, 5) for kind in TICKETS]),
    "opportunity_notes": (LISTED, [{"text": "x", "type": {"id": 1}}], [(6,)]),
}
"""What each collection is asked for, the records that are created in it, and whose collection it is."""
USED = re.compile(
    r"\bclient\s*\.(\w+)(?:\((?:[^()]|\([^()]*\))*\))?\s*\.(list|pages|count|get|create|patch|delete)\b"
)
"""An operation of a collection in the source text of the product."""


class Call(NamedTuple):
    """One call: of a method, or of what a collection can do."""

    name: str
    arguments: dict[str, Any]
    owner: tuple[Any, ...] | None = None
    verb: str = ""


def samples() -> dict[str, list[Call]]:
    """Calls of every operation, by its name."""
    found = {name: [Call(name, each) for each in given] for name, given in METHODS.items()}
    for name, (verbs, records, owners) in COLLECTIONS.items():
        # Each kind of ticket is created as the vendor describes it.
        pairs = (
            list(zip(records, owners, strict=True)) if name == "tickets" else list(product(records, owners))
        )
        created = [Call(name, {"record": record}, owner, "create") for record, owner in pairs]
        found |= {f"{name}.create": created} if created else {}
        for verb in verbs:
            calls = product(owners, VERBS[verb])
            found[f"{name}.{verb}"] = [Call(name, each, owner, verb) for owner, each in calls]
    return found


def operations() -> set[str]:
    """The methods of the client, those that name a collection among them, and the collections it holds."""
    members = inspect.getmembers(ConnectWiseClient, inspect.isfunction)
    methods = {name for name, _ in members if not name.startswith("_")} - NO_REQUEST
    held = {
        name for name, value in vars(ConnectWiseClient(SETTINGS)).items() if isinstance(value, Collection)
    }
    return methods | held


def used() -> set[str]:
    """What the product does with collections, as "collection.verb"."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((PROJECT / "tasks").rglob("*.py"))]
    found = {".".join(pair) for text in texts for pair in USED.findall(text)}
    return {each for each in found if each.partition(".")[0] in COLLECTIONS}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return dict(json.loads(vendor_file("connectwise-psa-openapi.json").read_text(encoding="utf-8")))


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
        own = request.url.path.rpartition("/")[2]
        record = {"id": int(own) if own.isdecimal() else 2 if last else 1}
        page = [record] if request.method == "GET" else []
        return httpx.Response(200, json=page if pages else record, headers={"Link": following})


async def requests_of(call: Call) -> tuple[list[httpx.Request], list[str]]:
    """The requests that one call makes, and the templates that they are counted under."""
    recorder = Recorder()
    async with ConnectWiseClient(SETTINGS, transport=httpx.MockTransport(recorder.handle)) as client:
        asked = getattr(client, call.name)
        if call.verb:
            collection = asked(*call.owner) if call.owner else asked
            asked = getattr(collection, call.verb)
        answer = asked(**call.arguments)
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
    assert operations() == {*METHODS, *COLLECTIONS}


def test_everything_that_the_product_asks_of_a_collection_has_a_sample() -> None:
    assert len(used()) > 30
    assert used() <= set(samples())


@pytest.mark.parametrize("name", sorted(set(samples()) - set(NOT_DESCRIBED)))
async def test_every_request_is_described(spec: dict[str, Any], name: str) -> None:
    for call in samples()[name]:
        seen, counted = await requests_of(call)
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

"""The field lists of the dispatch mapping against the vendors' files: what is read, what is written."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tasks.rules.dispatch.mapping import work_order_of
from tasks.rules.dispatch.mapping_model import default_dispatch_mappings
from tasks.rules.dispatch.named_fields import readable_members
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import MEMBERS, OWN, RELATED, work_order_members
from tasks.rules.dispatch.targets import TICKET_TARGETS, WORK_ORDER_TARGETS, TargetValue
from tests.contract.test_field_nation_client import faults
from tests.support.factories.dispatch import source
from tests.support.vendor_files import vendor_file

SCHEMAS = {
    RecordKind.SERVICE_TICKET: "Ticket",
    RecordKind.PROJECT_TICKET: "ProjectTicket",
    RecordKind.OPPORTUNITY: "Opportunity",
}
RELATED_SCHEMAS = {
    "company": ("Company", "CompanyReference"),
    "contact": ("Contact", "ContactReference"),
    "site": ("CompanySite", "SiteReference"),
    "board": ("Board", "BoardReference"),
    "member": ("Member", "MemberReference"),
}
# What lies there although the file does not name it, and why.
KNOWN_EXCEPTIONS = {
    "company.customFields": "real records carry it; the file's Company was cut",
    "internalNote": "becomes a note of its own",
    "discussionNote": "becomes a note of its own",
    "resolutionNote": "becomes a note of its own",
}


@cache
def schemas(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vendor_file(name).read_text(encoding="utf-8"))
    return dict(found["components"]["schemas"])


def properties(*names: str) -> set[str]:
    psa = schemas("connectwise-psa-openapi.json")
    return {member for name in names for member in psa[name]["properties"]}


@pytest.mark.parametrize("kind", list(RecordKind))
def test_what_can_be_read_of_a_record_is_in_the_file(kind: RecordKind) -> None:
    assert set(MEMBERS[kind].split()) <= properties(SCHEMAS[kind])


@pytest.mark.parametrize("kind", list(RecordKind))
def test_what_a_trigger_can_read_is_in_the_file(kind: RecordKind) -> None:
    own = {*OWN.split(), "member", "closedFlag"}
    assert readable_members(kind) - own <= properties(SCHEMAS[kind])


@pytest.mark.parametrize("name", sorted(RELATED))
def test_what_can_be_read_of_related_records_is_in_the_file(name: str) -> None:
    unknown = set(RELATED[name].split()) - properties(*RELATED_SCHEMAS[name])
    assert {f"{name}.{member}" for member in unknown} <= set(KNOWN_EXCEPTIONS)


def test_what_can_be_read_of_a_work_order_is_in_the_file() -> None:
    known = schemas("fieldnation-openapi.json")
    order = known["WorkOrderResponseDto"]["properties"]
    for name, parts in work_order_members().items():
        schema = known["AssigneeUserDto"] if name == "provider" else order[name]
        if parts is not None:
            assert parts - {"name"} <= set(_whole(known, schema)["properties"]), name


def _whole(known: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "properties" not in schema:
        schema = schema.get("allOf", [schema])[0]
        schema = known[schema["$ref"].rpartition("/")[2]]
    return schema


def test_what_can_be_written_back_is_in_the_file() -> None:
    unknown = {target.partition(".")[0] for target in TICKET_TARGETS} - properties("Ticket")
    assert unknown <= set(KNOWN_EXCEPTIONS)


@pytest.mark.parametrize("target", sorted(WORK_ORDER_TARGETS))
def test_what_can_be_written_to_a_work_order_is_in_the_file(target: str) -> None:
    known = schemas("fieldnation-openapi.json")
    schema = known["WorkOrderCreateDto"]
    path = f"{target}.html" if WORK_ORDER_TARGETS[target] is TargetValue.PLAIN_HTML else target
    for name in path.replace("[]", "").split("."):
        schema = _inner(known, schema)["properties"][name]
    assert schema


def _inner(known: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Through references, lists and the envelope of a list."""
    while "properties" not in schema:
        schema = schema.get("items") or (schema.get("allOf") or [schema])[0]
        if "$ref" in schema:
            schema = known[schema["$ref"].rpartition("/")[2]]
    results = schema["properties"].get("results")
    return _inner(known, results) if results and set(schema["properties"]) == {"results"} else schema


@pytest.mark.parametrize("kind", list(RecordKind))
def test_the_default_mapping_makes_what_the_file_describes(kind: RecordKind) -> None:
    spec = {"components": {"schemas": schemas("fieldnation-openapi.json")}}
    given: dict[str, Any] = {"type_of_work_id": 103, "pay_type": "fixed", "pay_amount": 150, "pay_units": 1}
    mappings = default_dispatch_mappings(kind, template_id=601, **given)
    document = source(kind, name="New Wi-Fi", notes="x", expectedCloseDate="2026-12-03T00:00:00Z")
    mapped = work_order_of(mappings.inbound, document)
    assert mapped.message == ""
    assert list(faults(spec, {"$ref": "#/components/schemas/WorkOrderCreateDto"}, mapped.body)) == []

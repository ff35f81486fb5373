"""Every record that the sandbox serves, read as a strict client reads it: the vendor's model, all of it.

A generated client refuses a record that lacks a required member, has a member or a value that the model does
not know, or leaves out a flag or an enumeration that it declares without a null.
"""

from __future__ import annotations

from functools import cache

import pytest

from sandbox.connectwise.schema.fields import Kind, Table
from sandbox.connectwise.schema.further import EMPTY, FURTHER
from sandbox.connectwise.schema.tables import DESCRIBED, SERVED
from sandbox.credentials import mint_credentials
from sandbox.data.generate import SCENARIOS, build_world
from sandbox.world import World, wire_records
from tests.contract.test_connectwise_sandbox import SCHEMAS, description, spec
from tests.support.sandbox.connectwise import caller

pytestmark = pytest.mark.anyio

# Members that hold a value on some records only, also of a real server, though they are enumerations.
SOMETIMES = {
    "Contact.gender": "not known of most people",
    "Country.coreEntityCountryCode": "not every country that somebody has set up is one of the list",
    "Ticket.knowledgeBaseLinkType": "only with a link to the knowledge base",
    "ProjectTicket.knowledgeBaseLinkType": "only with a link to the knowledge base",
    "Ticket.predecessorType": "only with a predecessor",
    "ProjectTicket.predecessorType": "only with a predecessor",
    "Agreement.applicationCycle": "only where hours or amounts are given out",
    "AgreementType.applicationCycle": "only where hours or amounts are given out",
}
# The others are shown through their owner: tests/contract/test_connectwise_sandbox.py.
READ = [table for table in DESCRIBED if not (table.links or table.gathered or table.belongs)]
TICKETS = ("service/tickets", "project/tickets")
# What a mapping needs of a ticket, each with the name that it shows.
MAPPED = "board status company site contact type priority source serviceLocation location department currency"
DETAILS = "siteName addressLine1 city zip contactName contactPhoneNumber contactEmailAddress"


@cache
def world(scenario: str) -> World:
    """A small world of every collection; the desk's own work is added where nothing seeds it."""
    made = build_world(7, 40, mint_credentials(7), scenario=scenario)
    store = made.store
    people = {"primarySalesRep": {"id": 1}, "company": {"id": 6}, "contact": {"id": 1}}
    opportunity = store.insert("sales/opportunities", {"name": "Second site", **people})["id"]
    store.insert("sales/opportunities/notes", {"opportunityId": opportunity, "text": "Called"})
    for collection, kind in (("service/tickets", "ServiceTicket"), ("project/tickets", "ProjectTicket")):
        ticket = next(iter(store.collection(collection)))
        note = {"ticketId": ticket, "text": "x", "internalAnalysisFlag": True}
        store.insert(f"{collection}/notes", note)
        store.insert(f"{collection}/tasks", {"ticketId": ticket, "notes": "x", "member": {"id": 1}})
        store.insert("time/entries", {"chargeToId": ticket, "chargeToType": kind, **TIME})
    store.insert("company/contacts/notes", {"contactId": 1, "text": "x"})
    store.insert("schedule/entries", {"type": {"id": 1}, "objectId": 1, "member": {"id": 1}})
    addition = {"agreementId": 1, "product": {"id": 1}, "billCustomer": "Billable"}
    store.insert("finance/agreements/additions", addition)
    store.insert("finance/agreements/adjustments", {"agreementId": 1, "amount": 1.5})
    callback = {"url": "http://127.0.0.1:9/?recordId=", "objectId": 1, "type": "Ticket", "level": "Owner"}
    store.insert("system/callbacks", callback)
    return made


TIME = {"timeStart": "2026-01-05T08:00:00Z", "timeEnd": "2026-01-05T09:00:00Z", "notes": "Came"}


def values_of(table: Table) -> set[str]:
    """The flags and enumerations of the model that every answer holds."""
    properties = spec()["components"]["schemas"][SCHEMAS[table.name]]["properties"]
    kept = {name for name, field in table.fields.items() if field.kept and field.kind is not Kind.ITEMS}
    declared = {name for name, one in properties.items() if one.get("type") == "boolean" or "enum" in one}
    return {name for name in declared & kept if f"{SCHEMAS[table.name]}.{name}" not in SOMETIMES}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("table", READ, ids=lambda table: table.name)
def test_a_strict_client_reads_every_record(table: Table, scenario: str) -> None:
    records = wire_records(world(scenario), table.name)
    assert records, "an empty table hides every fault that needs it"
    model = {"$ref": f"#/components/schemas/{SCHEMAS[table.name]}"}
    faults_of = description().validator(model)
    for record in records:
        assert not faults_of(record), faults_of(record)[:5]
        assert values_of(table) <= set(record)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_reference_points_to_a_record(scenario: str) -> None:
    store = world(scenario).store
    for table in SERVED:
        known = {
            name: one for name, one in table.fields.items() if one.kind in (Kind.REFERENCE, Kind.REFERENCES)
        }
        for record in store.collection(table.name).values():
            for name, field in known.items():
                found = record.get(name, [])
                for one in found if isinstance(found, list) else [found]:
                    assert one["id"] in store.collection(field.target), (table.name, name, one)


@pytest.mark.parametrize("table", FURTHER, ids=lambda table: table.name)
async def test_what_the_file_lacks_is_served_too(table: Table) -> None:
    """Their members are not in the file; the envelope, the count and one record are as everywhere."""
    made = world("dispatch")
    path = table.route.replace("{parentId}", "1")
    with caller(made) as client:  # type: ignore[arg-type]
        listed = await client.get(path, params={"pageSize": 1000})
        counted = await client.get(f"{path}/count")
        assert (listed.status_code, counted.json()) == (200, {"count": len(listed.json())})
        assert (table in EMPTY) is (listed.json() == [])
        for record in listed.json()[:2]:
            assert (await client.get(f"{path}/{record['id']}")).json() == record
            required = {name for name, field in table.fields.items() if field.required}
            flags = {name for name, one in table.fields.items() if one.kind is Kind.FLAG and one.kept}
            assert required | flags | {"id", "_info"} <= set(record)


@pytest.mark.parametrize("collection", TICKETS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_ticket_has_what_a_mapping_needs(scenario: str, collection: str) -> None:
    for record in wire_records(world(scenario), collection):
        assert all(record[name]["name"] for name in MAPPED.split())
        assert all(record[name] for name in DETAILS.split())
        assert len(record) > (40 if collection == "project/tickets" else 60)
        assert collection == "project/tickets" or record["team"]["name"]
    assert any("owner" in one for one in wire_records(world("provider"), collection))


def test_what_else_is_mapped_has_names() -> None:
    for record in wire_records(world("dispatch"), "sales/opportunities"):
        assert all(record[name]["name"] for name in ("status", "stage", "type", "priority", "rating"))
    for record in wire_records(world("dispatch"), "time/entries"):
        assert all(record[name]["name"] for name in ("member", "workType", "workRole", "location"))
    for record in wire_records(world("provider"), "company/contacts"):
        kinds = {one["communicationType"]: one["type"]["name"] for one in record["communicationItems"]}
        assert kinds == {"Email": "Email", "Phone": "Direct"}


async def test_conditions_see_what_answers_show() -> None:
    made = world("dispatch")
    with caller(made) as client:  # type: ignore[arg-type]
        for conditions in (
            'priority/name = "Priority 3 - Medium"',
            'source/name = "Phone" and closedFlag = false',
            "estimatedTimeCost = 0 and billingMethod = 'ActualRates'",
            'contactEmailAddress like "%@customer.example"',
        ):
            answer = await client.get("/service/tickets", params={"conditions": conditions, "pageSize": 99})
            assert len(answer.json()) >= 20, conditions
        shown = await client.get("/service/tickets", params={"fields": "priority/name,billingMethod"})
        assert {tuple(one) for one in shown.json()} == {("billingMethod", "priority")}

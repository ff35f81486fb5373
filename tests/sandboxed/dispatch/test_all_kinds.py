"""Service tickets, project tickets and opportunities of the scenario for dispatch, with related records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployments.local.sandbox import Sandbox
from tasks.dispatch.reconcile import dispatch_record, preview_record
from tasks.dispatch.records import notes_of
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import (
    DispatchSettings,
    RecordMappings,
    WorkOrderDefaults,
    WriteBack,
    default_triggers,
)
from tasks.dispatch.ticket_writes import list_notes
from tasks.rules.dispatch.mapping_model import DispatchMapping, DispatchMappings
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tasks.rules.dispatch.triggers import Trigger, TriggerCondition
from tests.support.dispatch import QUICK, Board

pytestmark = pytest.mark.anyio
SERVICE, PROJECT, OPPORTUNITY = RecordKind
WON = Trigger(kind=OPPORTUNITY, conditions=(TriggerCondition(field="status", values=("Won",)),))
COLLECTIONS = {SERVICE: "service/tickets", PROJECT: "project/tickets", OPPORTUNITY: "sales/opportunities"}
DEFAULTS = WorkOrderDefaults(
    type_of_work_id=103, pay_type="hourly", pay_amount=55, pay_units=4, reference_field_id=801
)
RULES = DispatchSettings(triggers=[*default_triggers(), WON], work_orders=DEFAULTS, waiting=QUICK)
TICKET_PODS = "service/tickets"


@pytest.fixture
def desk(sandbox: Sandbox, ledger_file: Path) -> Board:
    """The scenario, with a field for the work order's number on service tickets."""
    sandbox.reset(assets=2, tickets=6, scenario="dispatch")
    fields = sandbox.state("system/userDefinedFields")
    like = next(each for each in fields if each["caption"] == "FN check-in")
    copied = {name: like[name] for name in ("podId", "fieldTypeIdentifier", "entryTypeIdentifier")}
    sandbox.add("system/userDefinedFields", {**copied, "caption": "FN Work Order", "sequenceNumber": 9})
    return Board(sandbox, ledger_file)


def enter(desk: Board, kind: RecordKind) -> int:
    """A person brings a record of that kind into its trigger."""
    record = desk.sandbox.state(COLLECTIONS[kind])[-1]
    number = int(record["id"])
    if kind is OPPORTUNITY:
        statuses = desk.sandbox.state("sales/opportunities/statuses")
        changes: dict[str, Any] = {"status": {"id": _id(statuses, "Won")}}
        desk.sandbox.edit(COLLECTIONS[kind], number, changes)
        return number
    board = record["board"]["id"]
    own = [each for each in desk.sandbox.state("service/boards/statuses") if each["board"]["id"] == board]
    types = [each for each in desk.sandbox.state("service/boards/types") if each["board"]["id"] == board]
    wanted = "Dispatch" if kind is SERVICE else "Scheduled"
    changes = {"status": {"id": _id(own, wanted)}, "type": {"id": _id(types, "On-site")}}
    desk.sandbox.edit(COLLECTIONS[kind], number, changes)
    return number


def _id(records: list[dict[str, Any]], name: str) -> int:
    return int(next(each["id"] for each in records if each["name"] == name))


async def created(run: DispatchRun, kind: RecordKind, number: int) -> DispatchResult:
    outcome = await dispatch_record(run, kind, number)
    assert outcome.status is DispatchStatus.CREATED, outcome
    assert outcome.warnings == ()
    return outcome


@pytest.mark.parametrize(
    ("kind", "letter", "most"), [(SERVICE, "S", 3), (PROJECT, "P", 3), (OPPORTUNITY, "O", 4)]
)
async def test_each_kind_becomes_a_work_order(desk: Board, kind: RecordKind, letter: str, most: int) -> None:
    number = enter(desk, kind)
    async with desk.run(RULES) as run:
        await run.client.company_info()
        desk.sandbox.clear_requests()
        outcome = await created(run, kind, number)
        assert sum(desk.sent("connectwise").values()) <= most
        assert sum(desk.sent("field_nation").values()) <= 2
        assert (await dispatch_record(run, kind, number)).status is DispatchStatus.UNCHANGED
    [order] = desk.orders(f"CW-{letter}-{number}")
    assert order["id"] == outcome.work_order_id
    assert order["title"].startswith(f"[CW-{letter}-{number}] ")
    assert order["location"]["state"] in ("TX", "OH", "CO", "FL", "WA")
    assert order["location"]["zip"]
    assert order["contacts"]["results"][0]["name"]
    words = order["description"]["markdown"]
    assert any(each in words for each in ("ladder", "shift lead", "room is locked"))
    assert order["pay"]["base"] == {"amount": 55, "units": 4}
    fields = [each for group in order["custom_fields"]["results"] for each in group["results"]]
    assert {each["id"]: each["value"] for each in fields}[801] == f"CW-{letter}-{number}"


async def test_the_ticket_is_told_its_work_order(desk: Board) -> None:
    number = enter(desk, SERVICE)
    async with desk.run(RULES) as run:
        outcome = await created(run, SERVICE, number)
        ticket = await run.client.tickets("service").get(number)
    values = {each["caption"]: each.get("value") for each in ticket["customFields"]}
    assert values["FN Work Order"] == str(outcome.work_order_id)


async def test_conditions_on_a_custom_field_and_below_a_member_hold(desk: Board) -> None:
    """Against seeded records: each with another value beside it that must not hold."""
    ticket = enter(desk, SERVICE)
    opportunity = enter(desk, OPPORTUNITY)
    record = next(each for each in desk.sandbox.state(COLLECTIONS[SERVICE]) if each["id"] == ticket)
    given = [
        {**each, "value": "Send" if each["caption"] == "FN check-in" else None}
        for each in record["customFields"]
    ]
    desk.sandbox.edit(COLLECTIONS[SERVICE], ticket, {"customFields": given})
    sold = next(each for each in desk.sandbox.state(COLLECTIONS[OPPORTUNITY]) if each["id"] == opportunity)
    for kind, number, field, value in (
        (SERVICE, ticket, "customFields.FN check-in", "send"),
        (OPPORTUNITY, opportunity, "company.name", sold["company"]["name"]),
    ):
        for wanted, step in ((value, "create"), ("Another", "nothing")):
            condition = TriggerCondition(field=field, values=(wanted,))
            settings = RULES.model_copy(update={"triggers": [Trigger(kind=kind, conditions=(condition,))]})
            async with desk.run(settings) as run:
                assert (await preview_record(run, kind, number)).step == step, (field, wanted)


@pytest.mark.parametrize("kind", [PROJECT, OPPORTUNITY])
async def test_where_there_is_no_field_one_note_has_the_number(desk: Board, kind: RecordKind) -> None:
    """Its first answer is lost, and it is written once all the same."""
    path = {"system": "connectwise", "method": "POST", "path": "*/notes", "nth": [1]}
    number = enter(desk, kind)
    desk.sandbox.faults([{**path, "fault": {"kind": "drop_after"}}])
    async with desk.run(RULES) as run:
        outcome = await dispatch_record(run, kind, number)
        await dispatch_record(run, kind, number)
        notes = await notes_of(run.client, run.state.ref(kind, number)).list()
    [note] = [each for each in notes if "[FN-" in str(each["text"])]
    assert note["text"].startswith(f"Field Nation work order {outcome.work_order_id}: https://")
    assert note.get("internalAnalysisFlag", True)
    assert not note.get("detailDescriptionFlag")


async def test_related_records_are_fetched_once_for_many_tickets(desk: Board) -> None:
    lines = (
        DispatchMapping(target="title", source="summary"),
        DispatchMapping(target="description", source="company.city"),
        DispatchMapping(target="confidential", source="board.location.name"),
    )
    mappings = RecordMappings(service=DispatchMappings(inbound=lines))
    settings = RULES.model_copy(
        update={"mappings": mappings, "work_orders": WorkOrderDefaults(incomplete_drafts=True)}
    )
    tickets = desk.sandbox.state("service/tickets")
    field = [each for each in tickets if each["board"]["name"] == "Field Services"]
    statuses = desk.sandbox.state("service/boards/statuses")
    own = [each for each in statuses if each["board"]["id"] == field[0]["board"]["id"]]
    async with desk.run(settings) as run:
        for record in field:
            desk.sandbox.edit("service/tickets", record["id"], {"status": {"id": _id(own, "Dispatch")}})
            await created(run, SERVICE, record["id"])
    sent = desk.sent("connectwise")
    companies = {each["company"]["id"] for each in field}
    assert len(field) == 6
    assert sent["GET /company/companies/{id}"] == len(companies)
    assert sent["GET /service/boards/{id}"] == 1
    assert {each["confidential"]["markdown"] for each in desk.orders()} == {"Main Office"}


async def test_a_preview_shows_the_work_order_and_what_is_missing(desk: Board) -> None:
    number = enter(desk, SERVICE)
    async with desk.run(RULES) as run:
        preview = await preview_record(run, SERVICE, number)
        assert (preview.step, preview.inside, preview.refusal) == ("create", True, "")
        assert (preview.body or {})["incident_id"] == f"CW-S-{number}"
        await created(run, SERVICE, number)
        assert (await preview_record(run, SERVICE, number)).step == "nothing"
        desk.sandbox.edit("service/tickets", number, {"summary": "New words"})
        again = await preview_record(run, SERVICE, number)
        assert (again.step, list(again.changes or {})) == ("update", ["title"])
        gone = await preview_record(run, SERVICE, 999_999)
        assert (gone.step, gone.reason) == ("nothing", "the record does not exist")
    async with desk.run(DispatchSettings(waiting=QUICK)) as run:
        assert "type of work" in (await preview_record(run, SERVICE, number)).refusal


@pytest.mark.parametrize(
    ("kind", "settings", "warned", "noted"),
    [
        (SERVICE, {"custom_field": "No such"}, 1, 0),
        (SERVICE, {"custom_field": " fn work  ORDER "}, 0, 0),
        (SERVICE, {"custom_field": ""}, 0, 0),
        (PROJECT, {}, 0, 1),
        (PROJECT, {"note": False}, 1, 0),
        (PROJECT, {"custom_field": "fn CHECK-in"}, 0, 0),
    ],
)
async def test_a_record_without_a_field_for_the_number_gets_a_note_or_a_warning_once(
    desk: Board, kind: RecordKind, settings: dict[str, Any], warned: int, noted: int
) -> None:
    number = enter(desk, kind)
    async with desk.run(RULES.model_copy(update={"write_back": WriteBack(**settings)})) as run:
        result = await dispatch_record(run, kind, number)
        again = await dispatch_record(run, kind, number)
        notes = await list_notes(run, result.record or run.state.ref(kind, number))
    assert sum("does not bear the number of work order" in each for each in result.warnings) == warned
    assert again.warnings == ()
    assert sum(f"Field Nation work order {result.work_order_id}:" in each["text"] for each in notes) == noted

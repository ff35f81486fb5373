"""What the rules name: near matches, boards and their own statuses, and what is not known says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dispatch.rule_names import naming_rules
from tasks.dispatch.settings import DispatchSettings, WorkOrderDefaults
from tasks.rules.dispatch.events import OutboundAction, OutboundRule, WorkOrderEvent
from tasks.rules.dispatch.mapping_model import DispatchMapping, MappingAction
from tasks.rules.dispatch.named_fields import NameTable, readable_members, table_of
from tasks.rules.dispatch.names import (
    BoardNames,
    KnownNames,
    NamingRules,
    fixed_ids,
    name_problems,
    named_in_tables,
    names_board,
    names_captions,
    near_names,
)
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import Operator, Trigger, TriggerCondition

FIELD = BoardNames(
    "Field Services",
    False,
    {
        "status": ("New", "Dispatch", "Assigned", "Completed"),
        "type": ("On-Site", "Remote"),
        "team": ("Field team", "Service team"),
        "subType": ("Network",),
        "item": (),
    },
)
DESK = BoardNames("Help Desk", False, {"status": ("New", "Waiting"), "type": ("Remote",)})
PROJECTS = BoardNames(
    "Projects", True, {"status": ("Scheduled", "Assigned", "Completed"), "type": ("On-Site",)}
)


def in_tables(kind: RecordKind, **names: tuple[str, ...]) -> dict[NameTable, tuple[str, ...]]:
    """What each field's table has."""
    known = {name.replace("__", "."): found for name, found in names.items()}
    tables = {name: table_of(trigger(kind, company="Acme GmbH"), name) for name in known}
    return {table: known[name] for name, table in tables.items() if table is not None}


KNOWN = KnownNames(
    boards=(FIELD, DESK, PROJECTS),
    captions=("FN check-in", "Send to FN"),
    ids={"types_of_work.id": [101, 103], "template.id": [], "custom_fields": [77]},
)


def trigger(kind: RecordKind = RecordKind.SERVICE_TICKET, **fields: Any) -> Trigger:
    conditions = [
        TriggerCondition(field=name.replace("__", "."), values=(value,)) for name, value in fields.items()
    ]
    return Trigger(kind=kind, conditions=tuple(conditions))


KNOWN = replace(
    KNOWN,
    tables={
        **in_tables(
            RecordKind.SERVICE_TICKET,
            priority=("Priority 1 - Critical", "Priority 3 - Medium"),
            source=("Phone", "Portal"),
            location=("Main Office",),
            department__identifier=("PS", "MS"),
            company=("Acme GmbH", "Acme Holding"),
            site=("Main",),
            owner=("Mia van der Berg",),
            owner__identifier=("jdoe",),
            agreementType=("Managed Services",),
        ),
        **in_tables(
            RecordKind.OPPORTUNITY,
            status=("Open", "Won"),
            stage=("1. Prospect", "2. Quote"),
            type=("Renewal",),
        ),
    },
)


def problems(*triggers: Trigger, known: KnownNames = KNOWN, **more: Any) -> list[str]:
    return name_problems(NamingRules(triggers, **more), known)


def test_the_documented_rules_fit_to_a_desk_that_has_what_they_name() -> None:
    assert name_problems(naming_rules(DispatchSettings()), KNOWN) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"board": "Feild Services"},
            "the board 'Feild Services', which does not exist. Did you mean 'Field S",
        ),
        (
            {"board": "Field Services", "status": "Dispatched"},
            "the board 'Field Services' does not have. Did you",
        ),
        (
            {"board": "Help Desk", "status": "Dispatch"},
            "the board 'Help Desk' does not have. There is 'New', 'W",
        ),
        ({"status": "Scheduled"}, "which none of its boards has"),
        (
            {"board": "Help Desk", "type": "On-Site"},
            "the type 'On-Site', which the board 'Help Desk' does not",
        ),
        (
            {"board.name": "Nowhere"},
            "the board 'Nowhere', which does not exist. There is 'Field Services', 'Help",
        ),
        (
            {"priority": "Priority 1"},
            "Did you mean 'Priority 1 - Critical' or 'Priority 3 - Medium'? Or choose",
        ),
        (
            {"customFields.Send to Fn.": "x"},
            "names the custom field 'Send to Fn.', which does not exist. Did you",
        ),
        ({"source": "Phon"}, "the source 'Phon', which does not exist. Did you mean 'Phone'?"),
        ({"location.name": "Main"}, "the location 'Main', which does not exist. Did you mean 'Main Office'?"),
        ({"department.identifier": "XY"}, "which does not exist. There is 'PS', 'MS'."),
        ({"company": "Acme"}, "Did you mean 'Acme GmbH' or 'Acme Holding'? Or choose 'starts with'."),
        ({"company": "Zeta"}, "the company 'Zeta', which does not exist."),
        ({"company": "Acme GmbH", "site": "Mian"}, "the site 'Mian', which the company 'Acme GmbH' does not"),
        (
            {"owner": "Mia Berg"},
            "the owner 'Mia Berg', which does not exist. Did you mean 'Mia van der Berg'",
        ),
        ({"owner.identifier": "jdo"}, "Did you mean 'jdoe'?"),
        ({"agreementType": "Managed"}, "the agreementType 'Managed', which does not exist. Did you mean"),
        ({"board": "Field Services", "team": "Feild team"}, "the board 'Field Services' does not have. Did"),
        ({"board": "Field Services", "subType": "Netwrk"}, "Did you mean 'Network'?"),
        ({"board": "Field Services", "item": "x"}, "does not have. There is none that can be seen."),
        ({"bord": "x"}, "reads 'bord', which such a record does not have. Did you mean board"),
        ({"company.city": "Tampa"}, "holds no more than company.name, company.id"),
        ({"description": "x"}, "which such a record does not have."),
    ],
)
def test_a_name_that_does_not_exist_is_named_with_near_matches(fields: dict[str, Any], words: str) -> None:
    [problem] = problems(trigger(**fields))
    assert words in problem


@pytest.mark.parametrize(
    "fields",
    [
        {"board": " field  SERVICES ", "status": "dispatch"},
        {"status": "Waiting"},
        {"customFields.Send to FN": True},
        {"contact": "Anybody", "summary": "x", "severity": 3, "contact.id": 5},
        {"source": "phone", "company": "ACME GmbH", "site": "main", "owner.name": "Mia van der Berg"},
        {"board": "Field Services", "team": "Field Team", "customFields.send to fn": True},
        {"mergedParentTicket.id": 5, "sla.name": "Gold", "_info.enteredBy": "jdoe", "billTime": "Billable"},
    ],
)
def test_names_compare_as_triggers_do(fields: dict[str, Any]) -> None:
    assert problems(trigger(**fields)) == []


def test_a_beginning_is_enough_for_starts_with() -> None:
    begins = TriggerCondition(field="priority", operator=Operator.STARTS_WITH, values=("Priority 1",))
    assert problems(Trigger(conditions=(begins,))) == []


def test_project_tickets_and_opportunities_have_names_of_their_own() -> None:
    project, opportunity = RecordKind.PROJECT_TICKET, RecordKind.OPPORTUNITY
    assert (
        problems(trigger(project, type="On-Site", status="Scheduled"), trigger(opportunity, status="Won"))
        == []
    )
    assert len(problems(trigger(project, status="Dispatch"), trigger(opportunity, status="New"))) == 2


def test_outbound_rules_name_statuses_of_the_triggers_boards_and_fields() -> None:
    rules = [
        OutboundRule(event=WorkOrderEvent.ASSIGNED, action=OutboundAction.SET_STATUS, value="Asigned"),
        OutboundRule(event=WorkOrderEvent.PAID, action=OutboundAction.SET_STATUS, value="{{status.name}}"),
        OutboundRule(
            event=WorkOrderEvent.PAID, action=OutboundAction.SET_CUSTOM_FIELD, custom_field="FN paid"
        ),
    ]
    found = problems(
        trigger(board="Field Services"), rules=rules, status="Closed", member="tech", authors=["jdo", "A B"]
    )
    assert [each.split(",")[0] for each in found] == [
        "The rule for assigned sets the status 'Asigned'",
        "The rule for paid names the custom field 'FN paid'",
        "Write back sets the status 'Closed'",
        "Time entries name the member 'tech'",
        "Notes of the author 'jdo' are not copied",
    ]
    assert "Did you mean 'Assigned'?" in found[0]


def test_ids_of_field_nation_that_it_does_not_have() -> None:
    orders = WorkOrderDefaults(type_of_work_id=104, template_id=9, reference_field_id=78)
    settings = DispatchSettings(triggers=[trigger(board="Field Services")], work_orders=orders)
    found = name_problems(naming_rules(settings), KNOWN)
    assert len(found) == 3
    assert (
        "types_of_work[0].id 104, which Field Nation does not have. There is '101', '103'."
        in found[1] + found[0]
    )


def test_what_could_not_be_read_is_not_called_missing() -> None:
    wrong = trigger(board="Nowhere", status="Never", priority="None", type="No", customFields__x="y")
    assert problems(wrong, known=KnownNames(), status="Closed", member="tech") == []
    unread = replace(FIELD, names={})
    assert (
        problems(trigger(board="Field Services", status="x", type="y"), known=KnownNames(boards=[unread]))
        == []
    )


@given(wanted=st.text(), names=st.lists(st.text()))
def test_near_names_are_few_and_exist(wanted: str, names: list[str]) -> None:
    near = near_names(wanted, names)
    assert set(near) <= set(names)
    assert len(near) <= 4


def test_opportunities_have_stages_and_types_of_their_own_and_no_priorities_of_tickets() -> None:
    kind = RecordKind.OPPORTUNITY
    assert problems(trigger(kind, stage="2. Quote", type="Renewal", priority="1. High")) == []
    found = problems(trigger(kind, stage="2 Quote", type="On-Site", board="Field Services"))
    assert [each.partition(",")[0].rpartition(" ")[2] for each in found] == ["Quote'", "'On-Site'", "'board'"]
    rule = OutboundRule(event=WorkOrderEvent.PAID, action=OutboundAction.SET_STATUS, value="Wonn")
    [problem] = problems(trigger(kind, stage="2. Quote"), rules=[rule])
    assert "which opportunities do not have. Did you mean 'Won'?" in problem


@pytest.mark.parametrize(
    ("caption", "captions", "count"),
    [
        ("FN Work Order", ("Rack",), 0),
        ("FN Work Order", ("fn work  order",), 0),
        ("FN Work Order", ("FN Workorder",), 1),
        ("Work order number", ("Rack",), 1),
        ("", ("Rack",), 0),
    ],
)
def test_the_field_for_the_number_is_an_offer_under_its_usual_name(
    caption: str, captions: tuple[str, ...], count: int
) -> None:
    found = name_problems(NamingRules([], number_field=caption), replace(KNOWN, captions=captions))
    assert len(found) == count


def test_mappings_name_fields_statuses_priorities_and_ids() -> None:
    kind = RecordKind.SERVICE_TICKET
    choice = {"action": MappingAction.ARRAY_MAP, "source": "status.name"}
    back = [
        DispatchMapping(
            target="status.name", **choice, mappings=[{"compare": "Paid", "value": "Payd"}], default="New"
        ),
        DispatchMapping(target="priority.name", **choice, mappings=[{"compare": "Paid", "value": "High"}]),
        DispatchMapping(target="customFields.FN chekin", source="id"),
    ]
    ways = [
        {"compare": "x", "value": 101},
        {"compare": "y", "value": 105.0},
    ]
    there = [
        DispatchMapping(target="types_of_work[0].id", **choice, mappings=ways, default="104"),
        DispatchMapping(target="title", source="customFields.Sent to FN"),
    ]
    found = problems(trigger(board="Field Services"), inbound={kind: there}, outbound={kind: back})
    named = [each.partition(", which")[0] for each in found]
    assert named == [
        "The mapping of service tickets names types_of_work[0].id 104",
        "The mapping of service tickets names types_of_work[0].id 105",
        "The mapping of service tickets names the custom field 'Sent to FN'",
        "The mapping back to service tickets sets the status 'Payd'",
        "The mapping back to service tickets sets the priority 'High'",
        "The mapping back to service tickets names the custom field 'FN chekin'",
    ]


def test_only_what_the_rules_name_is_asked_for() -> None:
    plain = NamingRules([trigger(severity="High")])
    assert (named_in_tables(plain), names_board(plain), names_captions(plain)) == ({}, False, False)
    assert fixed_ids(plain) == {}
    begins = TriggerCondition(field="company", operator=Operator.STARTS_WITH, values=("Acme",))
    asked = named_in_tables(NamingRules([Trigger(conditions=(begins,))], member="jdoe", authors=["Mia Holm"]))
    assert {table.path: names for table, names in asked.items()} == {
        "/company/companies": [("Acme", Operator.STARTS_WITH)],
        "/system/members": [("jdoe", Operator.IS)],
    }


def test_a_condition_on_any_reference_compares_its_name() -> None:
    condition = TriggerCondition(field="source", values=("Phone",))
    assert condition.holds({"source": {"id": 1, "name": "phone"}})
    assert not condition.holds({"source": {"id": 1}})
    assert all("." not in each for kind in RecordKind for each in readable_members(kind))

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
from tasks.rules.dispatch.names import BoardNames, KnownNames, NamingRules, name_problems, near_names
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import Operator, Trigger, TriggerCondition

FIELD = BoardNames(
    "Field Services", False, ("New", "Dispatch", "Assigned", "Completed"), ("On-Site", "Remote")
)
DESK = BoardNames("Help Desk", False, ("New", "Waiting"), ("Remote",))
PROJECTS = BoardNames("Projects", True, ("Scheduled", "Assigned", "Completed"), ("On-Site",))
KNOWN = KnownNames(
    boards=(FIELD, DESK, PROJECTS),
    priorities=("Priority 1 - Critical", "Priority 3 - Medium"),
    opportunity_statuses=("Open", "Won"),
    captions=("FN check-in", "Send to FN"),
    members=(),
    ids={"types_of_work.id": [101, 103], "template.id": [], "custom_fields": [77]},
)


def trigger(kind: RecordKind = RecordKind.SERVICE_TICKET, **fields: Any) -> Trigger:
    conditions = [
        TriggerCondition(field=name.replace("__", "."), values=(value,)) for name, value in fields.items()
    ]
    return Trigger(kind=kind, conditions=tuple(conditions))


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
        {"company": "Anybody", "summary": "x", "severity": 3},
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
    found = problems(trigger(board="Field Services"), rules=rules, status="Closed", member="tech")
    assert [each.split(",")[0] for each in found] == [
        "The rule for assigned sets the status 'Asigned'",
        "The rule for paid names the custom field 'FN paid'",
        "Write back sets the status 'Closed'",
        "Time entries name the member 'tech'",
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
    unread = replace(FIELD, statuses=None, types=None)
    assert (
        problems(trigger(board="Field Services", status="x", type="y"), known=KnownNames(boards=[unread]))
        == []
    )


@given(wanted=st.text(), names=st.lists(st.text()))
def test_near_names_are_few_and_exist(wanted: str, names: list[str]) -> None:
    near = near_names(wanted, names)
    assert set(near) <= set(names)
    assert len(near) <= 4

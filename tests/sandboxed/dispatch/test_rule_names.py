"""What rules name against the tables that the sandbox serves: with near matches, in bounded requests."""

from __future__ import annotations

import pytest

from tasks.dispatch.rule_names import rule_name_problems
from tasks.rules.dispatch.mapping_model import default_dispatch_mappings
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import Operator, Trigger, TriggerCondition
from tests.support.dispatch import Board, rules

pytestmark = pytest.mark.anyio


def condition(field: str, value: str, operator: Operator = Operator.IS) -> TriggerCondition:
    return TriggerCondition(field=field, operator=operator, values=(value,))


async def test_every_table_that_is_served_is_held_against_the_rules(board: Board) -> None:
    [company] = [
        each for each in board.sandbox.state("company/companies") if each["id"] == board.sandbox.company_id
    ]
    [site, *_] = [
        each
        for each in board.sandbox.state("company/sites")
        if each["company"]["id"] == board.sandbox.company_id
    ]
    member = board.sandbox.state("system/members")[0]
    person = f"{member['firstName']} {member['lastName']}"
    right = {
        "board": "help desk",
        "team": board.sandbox.state("service/boards/teams")[0]["name"],
        "source": "Portal",
        "location": "Main Office",
        "department.identifier": "PS",
        "priority": "Priority 3 - Medium",
        "company": str(company["name"]).upper(),
        "site": site["name"],
        "owner": person,
        "owner.identifier": member["identifier"],
        "agreementType": board.sandbox.state("finance/agreements/types")[0]["name"],
    }
    deal = {"type": "Renewal", "status": "Open"}
    settings = rules(
        triggers=[
            Trigger(conditions=tuple(condition(*each) for each in right.items())),
            Trigger(conditions=(condition("company", str(company["name"])[:5], Operator.STARTS_WITH),)),
            Trigger(kind=RecordKind.OPPORTUNITY, conditions=tuple(condition(*each) for each in deal.items())),
        ],
        outbound_rules=[],
        notes={"own_authors": [member["identifier"]]},
    )
    async with board.run(settings) as run:
        board.sandbox.clear_requests()
        assert await rule_name_problems(run) == []
        sent = {path: count for path, count in board.sent("connectwise").items() if "login" not in path}
    # Companies three times: the one named, those that begin so, and the one whose site is named.
    assert sum(sent.values()) == len(right) + 5

    wrong = {name: f"{value[:-1]}qx" for name, value in right.items() if name != "board"}
    conditions = (condition("board", "Help Desk"), *(condition(*each) for each in wrong.items()))
    async with board.run(rules(triggers=[Trigger(conditions=conditions)], outbound_rules=[])) as run:
        found = await rule_name_problems(run)
    assert len(found) == len(wrong) - 1, found
    without_near = [each for each in found if "Did you mean" not in each and "There is" not in each]
    assert [each.partition(" names the ")[2].partition(" ")[0] for each in without_near] == ["owner"]


async def test_field_nations_own_tables_are_looked_up_where_a_mapping_fixes_an_id(board: Board) -> None:
    lines = [
        {"target": target, "action": "Set Static", "value": value}
        for target, value in (
            ("types_of_work[0].id", 999),
            ("template.id", 9),
            ("client.id", 301),
            ("project.id", 499),
            ("manager.id", 1),
        )
    ]
    default = default_dispatch_mappings(RecordKind.SERVICE_TICKET, reference_field_id=7777).inbound
    kept = [each.model_dump() for each in default if each.target.startswith(("custom_fields", "title"))]
    async with board.run(rules(mappings={"service": {"inbound": [*kept, *lines]}}, outbound_rules=[])) as run:
        found = await rule_name_problems(run)
    named = [each.partition(" names ")[2].partition(",")[0] for each in found]
    assert named == [
        "custom_fields.7777 7777",
        "types_of_work[0].id 999",
        "template.id 9",
        "project.id 499",
        "manager.id 1",
    ]


async def test_what_may_not_be_read_or_comes_in_part_is_not_called_missing(board: Board) -> None:
    conditions = (condition("source", "Nowhere"), condition("company", "Nobody"), condition("board", "No"))
    forbidden = {"system": "connectwise", "fault": {"kind": "status", "status": 403}}
    half = {"system": "field_nation", "path": "/templates", "fault": {"kind": "status", "status": 404}}
    async with board.run(rules(triggers=[Trigger(conditions=conditions)])) as run:
        await run.client.boards.list(page=1, page_size=1)
        paths = ("/service/sources", "/company/companies", "/service/boards", "/system/userDefinedFields")
        board.sandbox.faults([*({**forbidden, "path": each} for each in paths), half])
        found = await rule_name_problems(run)
        board.sandbox.faults([])
    assert found == []

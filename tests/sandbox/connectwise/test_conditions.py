"""The conditions language of the sandbox's ConnectWise, over one small collection and by property."""

from __future__ import annotations

import contextlib
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.connectwise.condition_paths import condition
from sandbox.connectwise.conditions import ConditionError, Group, Moment, Term, like, parse
from sandbox.connectwise.schema.company import CONFIGURATIONS
from sandbox.connectwise.store import Store
from tests.support.sandbox.connectwise import World, caller, insert_configurations, names, small_world

pytestmark = pytest.mark.anyio


@pytest.fixture
def world() -> World:
    made = small_world()
    insert_configurations(
        made,
        {"name": "alpha", "serialNumber": "SN-1", "backupYear": 2024, "status": {"id": 2}},
        {"name": "Beta", "serialNumber": "sn-2", "activeFlag": False, "site": {"id": 1}},
        {"name": "gamma [1]", "company": {"id": 2}, "purchaseDate": "2025-05-01T00:00:00Z"},
        {"name": "de\"l'ta\\", "manufacturer": {"id": 1}, "contact": {"id": 1}, "location": {"id": 1}},
    )
    return made


ALPHA, BETA, GAMMA, DELTA = "alpha", "Beta", "gamma [1]", "de\"l'ta\\"

CASES = [
    ('name="ALPHA"', [ALPHA]),
    ("name = 'beta'", [BETA]),
    ("name != 'beta'", [ALPHA, GAMMA, DELTA]),
    ('NAME > "b" AND name < "d"', [BETA]),
    ("id <= 2", [ALPHA, BETA]),
    ('id = "3"', [GAMMA]),
    ("id in (1, 3)", [ALPHA, GAMMA]),
    ("id not in (1, 3)", [BETA, DELTA]),
    ("name in ('alpha','BETA')", [ALPHA, BETA]),
    ('name like "%a"', [ALPHA, BETA]),
    ('name like "*A"', [ALPHA, BETA]),
    ('name not like "%a"', [GAMMA, DELTA]),
    ('name contains "am"', [GAMMA]),
    ('name not contains "a"', []),
    ('name like "%[[]1]"', [GAMMA]),
    ('name like "_eta"', [BETA]),
    ('serialNumber = "sn-1" or serialNumber = "SN-2"', [ALPHA, BETA]),
    ("serialNumber = null", [GAMMA, DELTA]),
    ("serialNumber != null", [ALPHA, BETA]),
    ("serialNumber != 'SN-1'", [BETA]),
    ("site = null", [ALPHA, GAMMA, DELTA]),
    ("site/id = 1", [BETA]),
    ("Company/Identifier = 'other'", [GAMMA]),
    ('company/name like "Blue%"', [ALPHA, BETA, DELTA]),
    ('type/name="server" and status/name = "retired"', [ALPHA]),
    ('contact/name = "Ada Blue Light, Co."', [DELTA]),
    ('location/name = "HQ" and locationId = 1', [DELTA]),
    ("activeFlag = FALSE", [BETA]),
    ("activeFlag = True and company/id = 2", [GAMMA]),
    ("backupYear >= 2024", [ALPHA]),
    ("purchaseDate >= [2025-05-01T00:00:00Z]", [GAMMA]),
    ("purchaseDate > [2025-05-01]", []),
    ("purchaseDate < [2025-05-01T00:00:00.5]", [GAMMA]),
    ("lastUpdated > [2020-01-01T00:00:00Z] and id < 3", [ALPHA, BETA]),
    ("_info/lastUpdated < [2020-01-01T00:00:00Z]", []),
    ("id = 1 or id = 2 and activeFlag = false", [ALPHA, BETA]),
    ("(id = 1 or id = 2) and activeFlag = false", [BETA]),
    (r'name = "de\"l' + "'" + r'ta\\"', [DELTA]),
    (r"name = 'de" + '"' + r"l\'ta\\'", [DELTA]),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
async def test_what_a_condition_finds(world: World, text: str, expected: list[str]) -> None:
    with caller(world) as client:
        assert await names(client, conditions=text) == expected
        counted = await client.get("/company/configurations/count", params={"conditions": text})
        assert counted.json() == {"count": len(expected)}


@pytest.mark.parametrize(
    "path",
    ["bogus", "resources/identifier", "company/bogus", "company/identifier/x", "customFields/id", "types/id"],
)
async def test_an_unknown_name_is_echoed_as_typed(world: World, path: str) -> None:
    with caller(world) as client:
        refused = await client.get("/company/configurations", params={"conditions": f"{path} = 1"})
        assert refused.status_code == 400
        assert refused.json()["code"] == "ApiFindCondition"
        assert refused.json()["message"] == f"{path} is not a recognized name."


@pytest.mark.parametrize(
    "text",
    [
        "name =", "= 1", "name", 'name = "x', "name = x", "id in ()", "id in (1", "(id = 1",
        "id = 1)", "id = abc",
        'id = "abc"', "activeFlag = 7", "purchaseDate > [soon]", "purchaseDate > [2025-01-01T00:00:00+02:00]",
        "id = 1 id = 2", "not (id = 1)", "name ~ 'x'", "id = [2025-01-01]", "company = 1", "id < null",
        'name like "[z-a]"', "(" * 50 + "id = 1" + ")" * 50,
    ],
)  # fmt: skip
async def test_what_is_no_condition_is_refused(world: World, text: str) -> None:
    with caller(world) as client:
        refused = await client.get("/company/configurations", params={"conditions": text})
        assert (refused.status_code, refused.json()["code"]) == (400, "ApiFindCondition")


async def test_custom_fields_by_caption_and_value(world: World) -> None:
    values = [{"id": 1, "value": "key-9"}, {"id": 4, "value": 12}, {"id": 5, "value": True}]
    world.store.edit("company/configurations", 2, {"customFields": values})
    with caller(world) as client:
        for text, expected in [
            ('caption="ls_asset_id" AND value = "KEY-9"', [BETA]),
            ('caption="ls_asset_id" AND value != null', [BETA]),
            ('caption="ls_asset_url" AND value != null', []),
            ('caption="rack_units" AND value > 9', [BETA]),
            ('caption="leased" AND value = true', [BETA]),
            ('caption="ls_asset_id" AND value like "key%"', [BETA]),
        ]:
            assert await names(client, customFieldConditions=text) == expected, text
        for text in ("value in (1,2)", "bogus = 1"):
            refused = await client.get("/company/configurations", params={"customFieldConditions": text})
            assert refused.json()["code"] == "ApiFindCondition"


async def test_child_conditions_hold_for_one_item(world: World) -> None:
    answers = [{"questionId": 1, "answer": "R7"}, {"questionId": 2, "answer": "101"}]
    world.store.edit("company/configurations", 1, {"questions": answers})
    world.store.edit("company/contacts", 1, {"communicationItems": [{"value": "a@b.test"}]})
    with caller(world) as client:
        assert await names(client, childConditions='questions/answer="r7"') == [ALPHA]
        both = 'questions/question="Room?" and questions/answer="R7"'
        assert await names(client, childConditions=both) == []
        found = await client.get(
            "/company/contacts", params={"childConditions": 'communicationItems/value like "%@b.test"'}
        )
        assert [one["id"] for one in found.json()] == [1]
        for text in ("questions/answer in ('R7')", "name = 'x'", "questions/bogus = 1"):
            refused = await client.get("/company/configurations", params={"childConditions": text})
            assert refused.json()["code"] == "ApiFindCondition"


async def test_children_of_one_parent_only(world: World) -> None:
    with caller(world) as client:
        sites = await client.get("/company/companies/2/sites", params={"conditions": "name='Main'"})
        assert [one["company"]["id"] for one in sites.json()] == [2]
        asked = await client.get("/company/configurations/types/1/questions", params={"fields": "question"})
        assert asked.json() == [{"question": "Rack?"}, {"question": "Room?"}]
        assert (await client.get("/company/companies/9/sites")).status_code == 404


def test_and_binds_tighter_than_or() -> None:
    one, two, three = (Term("id", "=", (number,)) for number in (1, 2, 3))
    assert parse("id=1 or id=2 and id=3") == Group(False, (one, Group(True, (two, three))))
    assert parse("a/b NOT In (null, [2025-01-01], 1.5)") == Term(
        "a/b", "in", (None, Moment("2025-01-01"), 1.5), negated=True
    )


QUOTED = st.text(max_size=30)


@given(QUOTED, st.sampled_from("\"'"))
def test_an_escaped_text_never_leaves_its_quotes(text: str, mark: str) -> None:
    escaped = text.replace("\\", "\\\\").replace(mark, f"\\{mark}")
    assert parse(f"name = {mark}{escaped}{mark}") == Term("name", "=", (text,))


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    with contextlib.suppress(ConditionError):
        condition(text, CONFIGURATIONS, Store())


@given(st.text(alphabet="ab", max_size=6), st.text(alphabet="ab%", max_size=6))
def test_like_agrees_with_a_plain_search(text: str, pattern: str) -> None:
    assert (like(pattern).fullmatch(text) is not None) is _plain_like(text, pattern)


def _plain_like(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_plain_like(text[start:], pattern[1:]) for start in range(len(text) + 1))
    return text[:1] == pattern[0] and _plain_like(text[1:], pattern[1:])


SIGNS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@given(st.sampled_from(sorted(SIGNS)), st.integers(-5, 5), st.none() | st.integers(-5, 5))
def test_numbers_compare_as_numbers_and_missing_ones_not_at_all(
    sign: str, wanted: int, held: int | None
) -> None:
    record = {"id": 1} if held is None else {"id": 1, "backupYear": held}
    found = condition(f"backupYear {sign} {wanted}", CONFIGURATIONS, Store())(record)
    assert found is (held is not None and SIGNS[sign](held, wanted))

"""Which requests a fault rule disturbs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sandbox.faults import Faults, read_rule
from sandbox.requests import Call

BULK = Call("connectwise", "POST", ("/company/configurations/bulk",), True, [{}] * 10)
READ = Call("connectwise", "GET", ("/company/configurations/17",), False)
ASSETS = Call("lansweeper", "POST", ("assetResources", "customFields"), False)
FAULT = {"kind": "drop_before"}


def turns(rule: dict[str, Any], call: Call = BULK, number: int = 10) -> list[int]:
    faults = Faults()
    faults.set([{"fault": FAULT, **rule}], seed=7)
    return [turn for turn in range(1, number + 1) if faults.take(call)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, list(range(1, 11))),
        ({"nth": [2, 5]}, [2, 5]),
        ({"nth": 3}, [3]),
        ({"every": 4}, [4, 8]),
        ({"limit": 2}, [1, 2]),
        ({"every": 2, "limit": 1}, [2]),
        ({"share": 0.0}, []),
        ({"share": 1.0}, list(range(1, 11))),
    ],
)
def test_turns(rule: dict[str, Any], expected: list[int]) -> None:
    assert turns(rule) == expected


def test_a_share_is_the_same_each_time() -> None:
    assert turns({"share": 0.3}, number=200) == turns({"share": 0.3}, number=200)
    assert 40 < len(turns({"share": 0.3}, number=200)) < 80


@pytest.mark.parametrize(
    ("rule", "call", "matches"),
    [
        ({"system": "connectwise"}, BULK, True),
        ({"system": "lansweeper"}, BULK, False),
        ({"method": "PUT"}, BULK, False),
        ({"path": "/company/configurations/bulk"}, BULK, True),
        ({"path": "/Company/Configurations/BULK"}, BULK, True),
        ({"path": "/company/configurations"}, BULK, False),
        ({"path": "/company/*"}, READ, True),
        ({"path": "/company/configurations/{id}"}, READ, True),
        ({"path": "customFields"}, ASSETS, True),
        ({"path": "editAsset"}, ASSETS, False),
        ({"system": None, "method": None, "path": None}, ASSETS, True),
    ],
)
def test_matching(rule: dict[str, Any], call: Call, matches: bool) -> None:
    assert bool(turns(rule, call, 1)) is matches


def test_only_requests_that_match_are_counted() -> None:
    faults = Faults()
    faults.set([{"path": "*bulk", "nth": [2], "fault": FAULT}], seed=7)
    assert [bool(faults.take(call)) for call in (READ, BULK, READ, BULK, BULK)] == [False] * 3 + [True, False]
    assert faults.as_json() == [{"fault": FAULT, "seen": 3, "fired": 1}]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("drop", "a fault rule is an object with a fault"),
        ({"path": "*"}, "a fault rule is an object with a fault"),
        ({"fault": {"kind": "explode"}}, "no such kind of fault: explode"),
        ({"fault": FAULT, "pth": "*"}, "no member pth"),
        ({"fault": {"kind": "delay"}}, "needs seconds"),
        ({"fault": {"kind": "edit"}}, "needs collection, set or delete"),
    ],
)
def test_a_rule_that_is_none(rule: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_rule(rule, random.Random(1))

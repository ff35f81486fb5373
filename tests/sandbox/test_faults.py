"""Which requests a fault rule disturbs, and over real sockets what a client sees and the server did."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from sandbox.faults import Faults, read_rule
from sandbox.requests import Call
from tests.support.sandbox.calls import BULK, CONFIGURATIONS, connectwise, machines

NEW = "company/configurations"
BULK_PATH = "/company/configurations/bulk"


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with connectwise(sandbox.info) as client:
        yield client


def fault(sandbox: Sandbox, what: dict[str, Any], **rule: Any) -> None:
    sandbox.faults([{"path": BULK_PATH, "fault": what, **rule}])


def created(sandbox: Sandbox) -> list[str]:
    return [record["name"] for record in sandbox.state(NEW) if record["name"].startswith("new-")]


def test_dropped_before_anything_is_done(sandbox: Sandbox, http: httpx.Client) -> None:
    fault(sandbox, {"kind": "drop_before"}, nth=[1])
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(BULK, json=machines(sandbox.company_id, 3))
    assert created(sandbox) == []
    assert http.post(BULK, json=machines(sandbox.company_id, 3)).status_code == 207
    assert sandbox.requests()["connectwise"]["by"] == {"POST /company/configurations/bulk": 2}


def test_dropped_after_the_work(sandbox: Sandbox, http: httpx.Client) -> None:
    fault(sandbox, {"kind": "drop_after"})
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(BULK, json=machines(sandbox.company_id, 3))
    assert created(sandbox) == ["new-0", "new-1", "new-2"]


def test_late_work_commits_item_by_item(sandbox: Sandbox, http: httpx.Client) -> None:
    fault(sandbox, {"kind": "late", "delay": 0.3, "item_interval": 0.15})
    start = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(BULK, json=machines(sandbox.company_id, 4))
    assert time.monotonic() - start < 0.3, "the connection is dropped at once"
    assert created(sandbox) == []
    seen = set()
    while len(created(sandbox)) < 4 and time.monotonic() - start < 5:
        seen.add(len(created(sandbox)))
        time.sleep(0.03)
    assert len(created(sandbox)) == 4
    assert len(seen) >= 3, "some reads saw a part of the batch"


def test_a_reset_ends_late_work(sandbox: Sandbox, http: httpx.Client) -> None:
    fault(sandbox, {"kind": "late", "delay": 0.1})
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(BULK, json=machines(sandbox.company_id, 1))
    sandbox.reset()
    time.sleep(0.2)
    assert created(sandbox) == []


def test_a_share_of_bulk_items_is_refused(sandbox: Sandbox, http: httpx.Client) -> None:
    fault(sandbox, {"kind": "partial", "share": 0.1, "code": "InvalidObject", "message": "no"})
    payload = http.post(BULK, json=machines(sandbox.company_id, 50)).json()["payload"]
    refused = [item for item in payload if not item["success"]]
    assert len(refused) == 5
    assert refused[0]["error"] == {"code": "InvalidObject", "message": "no"}
    assert len(created(sandbox)) == 45


def test_named_bulk_items_are_refused(sandbox: Sandbox, http: httpx.Client) -> None:
    fault(sandbox, {"kind": "partial", "indexes": [0, 2]})
    payload = http.post(BULK, json=machines(sandbox.company_id, 3)).json()["payload"]
    assert [item["success"] for item in payload] == [False, True, False]


def test_a_status_with_headers_and_body(sandbox: Sandbox, http: httpx.Client) -> None:
    body = {"error": "ConnectWiseAPI", "message": "Too many requests. Please try again in 2 seconds."}
    fault(sandbox, {"kind": "status", "status": 429, "headers": {"Retry-After": "2"}, "body": body}, limit=1)
    answer = http.post(BULK, json=machines(sandbox.company_id, 1))
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "2", body)
    assert created(sandbox) == []
    fault(sandbox, {"kind": "status", "status": 502, "body": "<html>Bad Gateway</html>"})
    answer = http.post(BULK, json=[])
    assert (answer.status_code, answer.text) == (502, "<html>Bad Gateway</html>")


def test_a_delay_longer_than_the_client_waits(sandbox: Sandbox, http: httpx.Client) -> None:
    fault(sandbox, {"kind": "delay", "seconds": 0.4})
    with pytest.raises(httpx.ReadTimeout):
        http.post(BULK, json=machines(sandbox.company_id, 1), timeout=0.1)
    time.sleep(0.5)
    assert created(sandbox) == ["new-0"], "the server works on though the client is gone"


def test_a_person_edits_before_and_after_a_request(sandbox: Sandbox, http: httpx.Client) -> None:
    record = http.post(CONFIGURATIONS, json=machines(sandbox.company_id, 1)[0]).json()
    address = f"{CONFIGURATIONS}/{record['id']}"
    edit = {"kind": "edit", "collection": NEW, "ids": [record["id"]]}
    sandbox.faults(
        [
            {"method": "GET", "nth": [1], "fault": {**edit, "when": "before", "set": {"notes": "by hand"}}},
            {"method": "GET", "nth": [1], "fault": {**edit, "when": "after", "set": {"notes": None}}},
        ]
    )
    assert http.get(address).json()["notes"] == "by hand"
    assert "notes" not in http.get(address).json()


def test_a_person_edits_the_records_of_a_batch(sandbox: Sandbox, http: httpx.Client) -> None:
    records = [http.post(CONFIGURATIONS, json=one).json() for one in machines(sandbox.company_id, 2)]
    edit = {
        "kind": "edit",
        "when": "after",
        "collection": NEW,
        "body_ids": True,
        "set": {"vendorNotes": "typed"},
    }
    fault(sandbox, edit)
    assert http.put(BULK, json=records).status_code == 207
    ids = {record["id"] for record in records}
    assert {r.get("vendorNotes") for r in sandbox.state(NEW) if r["id"] in ids} == {"typed"}


def test_a_person_deletes_what_looks_alike(sandbox: Sandbox, http: httpx.Client) -> None:
    for one in machines(sandbox.company_id, 2):
        http.post(CONFIGURATIONS, json=one)
    where = {"name": "new-1", "company": {"id": sandbox.company_id}}
    fault(sandbox, {"kind": "edit", "collection": NEW, "where": where, "delete": True})
    http.post(BULK, json=[])
    assert created(sandbox) == ["new-0"]


def test_lansweeper_is_disturbed_by_root_field(sandbox: Sandbox) -> None:
    from tests.support.sandbox.lansweeper import Caller

    sandbox.faults([{"system": "lansweeper", "path": "customFields", "fault": {"kind": "drop_before"}}])
    assert Caller(sandbox).site("name").status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        Caller(sandbox).site("customFields { key }")


POST = Call("connectwise", "POST", ("/company/configurations/bulk",), True, [{}] * 10)
READ = Call("connectwise", "GET", ("/company/configurations/17",), False)
ASSETS = Call("lansweeper", "POST", ("assetResources", "customFields"), False)
FAULT = {"kind": "drop_before"}


def turns(rule: dict[str, Any], call: Call = POST, number: int = 10) -> list[int]:
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
        ({"system": "connectwise"}, POST, True),
        ({"system": "lansweeper"}, POST, False),
        ({"method": "PUT"}, POST, False),
        ({"path": "/company/configurations/bulk"}, POST, True),
        ({"path": "/Company/Configurations/BULK"}, POST, True),
        ({"path": "/company/configurations"}, POST, False),
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
    assert [bool(faults.take(call)) for call in (READ, POST, READ, POST, POST)] == [False] * 3 + [True, False]
    assert faults.as_json() == [{"fault": FAULT, "seen": 3, "fired": 1}]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("drop", "a fault rule is an object with a fault"),
        ({"path": "*"}, "a fault rule is an object with a fault"),
        ({"fault": {"kind": "explode"}}, "no such kind of fault: explode"),
        ({"fault": FAULT, "pth": "*"}, "no member pth"),
        ({"fault": {"kind": "delay"}}, "needs seconds"),
        ({"fault": {"kind": "edit"}}, "needs collection, set, delete, merge or move"),
    ],
)
def test_a_rule_that_is_none(rule: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_rule(rule, random.Random(1))

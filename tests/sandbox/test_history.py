"""The sandbox's history of records, and persons who meet the very records that a request is about."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from tests.support.sandbox.calls import BULK, CONFIGURATIONS, connectwise, machines

NAME = "company/configurations"
RE_READ = {"system": "connectwise", "method": "GET", "path": f"/{NAME}", "query": "*id in (*"}


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    sandbox.keep_history(NAME, "lansweeper/assets")
    with connectwise(sandbox.info) as client:
        yield client


def re_read(http: httpx.Client, *ids: int, **query: str) -> list[dict[str, Any]]:
    condition = f"id in ({','.join(map(str, ids))})"
    found = http.get(CONFIGURATIONS, params={"conditions": condition, **query}).json()
    return [{name: value for name, value in each.items() if name != "_info"} for each in found]


def told(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    return [(each["id"], each["action"], each["by"], each["name"]) for each in sandbox.history(NAME)]


def test_nothing_is_kept_unless_asked_for(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="not whole"):
        sandbox.history(NAME)
    sandbox.keep_history(NAME)
    assert sandbox.history(NAME) == []
    sandbox.reset()
    with pytest.raises(RuntimeError, match="not whole"):
        sandbox.history(NAME)
    assert "before" not in sandbox.requests()


def test_everything_that_happens_to_a_record_is_told_in_order(sandbox: Sandbox, http: httpx.Client) -> None:
    number = http.post(CONFIGURATIONS, json=machines(6, 1)[0]).json()["id"]
    sandbox.edit(NAME, number, {"notes": "by hand"})
    (record,) = re_read(http, number)
    http.put(BULK, json=[record | {"name": "put"}])
    http.patch(f"{CONFIGURATIONS}/{number}", json=[{"op": "replace", "path": "name", "value": "patched"}])
    http.get(f"{CONFIGURATIONS}/{number}")
    sandbox.delete(NAME, number)
    assert told(sandbox) == [
        (number, "added", "apimember", f"POST /{NAME}"),
        (number, "updated", "a person", ""),
        (number, "read", "apimember", f"GET /{NAME}"),
        (number, "updated", "apimember", f"PUT /{NAME}/bulk"),
        (number, "updated", "apimember", f"PATCH /{NAME}/{{id}}"),
        (number, "read", "apimember", f"GET /{NAME}/{{id}}"),
        (number, "deleted", "a person", ""),
    ]
    names = [each["record"] and each["record"]["name"] for each in sandbox.history(NAME)]
    assert names == ["new-0", "new-0", None, "put", "patched", None, "patched"]


def test_a_record_that_is_not_read_whole_is_not_read(sandbox: Sandbox, http: httpx.Client) -> None:
    re_read(http, 1, 2, fields="id,name")
    assert told(sandbox) == []


def test_a_read_tells_what_was_asked_for(sandbox: Sandbox, http: httpx.Client) -> None:
    re_read(http, 1, 2)
    assert {each["query"] for each in sandbox.history(NAME)} == {"conditions=id in (1,2)"}


def test_an_edit_of_an_asset_is_told_and_a_refused_one_is_not(sandbox: Sandbox) -> None:
    first, second = sandbox.state("lansweeper/assets")[:2]
    sandbox.keep_history("lansweeper/assets")
    sandbox.faults([{"path": "editAsset", "fault": {"kind": "partial", "keys": [second["key"]]}}])
    site = sandbox.info["lansweeper"]
    fields = 'fields: {assetCustom: {comment: "x"}}'
    edits = (
        f'e{at}: editAsset(key: "{each["key"]}", {fields}) {{ assetBasicInfo {{ name }} }}'
        for at, each in enumerate((first, second))
    )
    query = f'mutation {{ site(id: "{site["site_id"]}") {{ {" ".join(edits)} }} }}'
    headers = {"Authorization": f"Token {site['access_token']}"}
    httpx.post(site["endpoint"], json={"query": query}, headers=headers)
    (entry,) = sandbox.history("lansweeper/assets")
    assert (entry["id"], entry["action"], entry["request"]) == (first["key"], "updated", 1)


def test_a_refused_write_has_not_happened(sandbox: Sandbox, http: httpx.Client) -> None:
    assert http.post(CONFIGURATIONS, json={"name": "no type"}).status_code == 400
    assert told(sandbox) == []


def test_late_work_tells_when_its_request_arrived(sandbox: Sandbox, http: httpx.Client) -> None:
    (record,) = re_read(http, 1)
    sandbox.faults([{"method": "PUT", "fault": {"kind": "late", "delay": 0.2}}])
    with pytest.raises(httpx.RemoteProtocolError):
        http.put(BULK, json=[record])
    sandbox.edit(NAME, 1, {"notes": "meanwhile"})
    re_read(http, 1)
    deadline = time.monotonic() + 10
    while len(sandbox.history(NAME)) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    read, edit, again, late = sandbox.history(NAME)
    assert [read["at"], edit["at"], again["at"], late["at"]] == [0, 1, 2, 3]
    assert (late["since"], late["request"], again["request"]) == (1, 2, 3)
    assert "notes" not in late["record"] or late["record"]["notes"] != "meanwhile"


@pytest.mark.parametrize("kind", ["late", "drop_after"])
def test_what_nobody_hears_of_was_not_read(sandbox: Sandbox, http: httpx.Client, kind: str) -> None:
    sandbox.faults(
        [{"method": "GET", "fault": {"kind": kind, "delay": 0.05} if kind == "late" else {"kind": kind}}]
    )
    with pytest.raises(httpx.RemoteProtocolError):
        re_read(http, 1)
    sandbox.faults([])
    time.sleep(0.2)
    assert told(sandbox) == []
    re_read(http, 1)
    assert [each["request"] for each in sandbox.history(NAME)] == [2]


def test_requests_tell_how_many_came_before_them(sandbox: Sandbox, http: httpx.Client) -> None:
    re_read(http, 1)
    assert (sandbox.requests()["before"], sandbox.requests()["total"]) == (0, 1)
    sandbox.clear_requests()
    re_read(http, 1)
    assert (sandbox.requests()["before"], sandbox.requests()["total"]) == (1, 1)
    assert [each["request"] for each in sandbox.history(NAME)] == [1, 2]


def test_assets_that_come_and_go(sandbox: Sandbox, http: httpx.Client) -> None:
    changed = sandbox.churn(0.1, ["add", "retire"])
    found = [(each["id"], each["action"]) for each in sandbox.history("lansweeper/assets")]
    assert found == [
        *((key, "added") for key in changed["add"]),
        *((key, "deleted") for key in changed["retire"]),
    ]


def test_a_person_edits_some_of_the_batch_that_is_read_again(sandbox: Sandbox, http: httpx.Client) -> None:
    fault = {"kind": "edit", "when": "after", "collection": NAME, "of_batch": 2, "set": {"notes": "no. {n}"}}
    sandbox.faults([{**RE_READ, "fault": fault}])
    http.get(CONFIGURATIONS, params={"conditions": "company/id = 6", "fields": "id"})
    assert sandbox.faults_fired() == [0]
    read = re_read(http, 4, 5, 6, 7)
    after = {each["id"]: each.get("notes") for each in sandbox.state(NAME)}
    edited = [each["id"] for each in read if each.get("notes") != after[each["id"]]]
    assert len(edited) == 2
    assert sorted(after[each] or "" for each in edited) == ["no. 1", "no. 2"]
    assert sandbox.faults_fired() == [1]


def test_which_of_the_batch_is_drawn_from_the_seed(sandbox: Sandbox) -> None:
    fault = {"kind": "edit", "collection": NAME, "of_batch": 1, "set": {"notes": "drawn"}}

    def drawn(seed: int) -> int:
        sandbox.reset(seed=seed)
        sandbox.faults([{**RE_READ, "fault": fault}])
        with connectwise(sandbox.info) as http:
            found = [each["id"] for each in re_read(http, *range(4, 20)) if each.get("notes") == "drawn"]
        assert len(found) == 1
        return int(found[0])

    assert drawn(1) == drawn(1)
    assert len({drawn(seed) for seed in range(1, 6)}) > 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_write_names_its_own_batch(sandbox: Sandbox, http: httpx.Client, method: str) -> None:
    fault = {"kind": "edit", "when": "before", "collection": NAME, "of_batch": 5, "delete": True}
    (record,) = re_read(http, 4)
    sandbox.faults([{"method": method, "fault": fault}])
    if method == "PUT":
        http.put(BULK, json=[record])
    else:
        http.patch(f"{CONFIGURATIONS}/4", json=[])
    assert (4, "deleted", "a person") in [each[:3] for each in told(sandbox)]

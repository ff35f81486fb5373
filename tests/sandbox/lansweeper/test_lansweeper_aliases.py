"""Several edits in one mutation of the sandbox: how they count, how many may be, how one alone fails."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from sandbox.lansweeper.documents import number_of_aliases
from tests.support.sandbox.lansweeper import Caller


def keys_of(sandbox: Sandbox, number: int) -> list[str]:
    return [str(one["key"]) for one in sandbox.state("lansweeper/assets")[:number]]


def edit(sandbox: Sandbox, keys: list[str], comment: str = "seen") -> httpx.Response:
    selection = f'fields: {{assetCustom: {{comment: "{comment}"}}}}) {{ assetCustom {{ comment }} }}'
    edits = [f'e{n}: editAsset(key: "{key}", {selection}' for n, key in enumerate(keys)]
    return Caller(sandbox).site(" ".join(edits), "mutation")


def comments(sandbox: Sandbox, keys: list[str]) -> list[Any]:
    found = {one["key"]: one for one in sandbox.state("lansweeper/assets")}
    return [(found[key].get("assetCustom") or {}).get("comment") for key in keys]


@pytest.mark.parametrize(("counting", "remaining"), [("request", "149"), ("each", "145")])
def test_edits_count_as_one_request_or_singly(sandbox: Sandbox, counting: str, remaining: str) -> None:
    sandbox.switch(alias_counting=counting)
    answer = edit(sandbox, keys_of(sandbox, 5))
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-remaining"] == remaining
    assert sandbox.requests()["lansweeper"]["requests"] == 1


def test_counted_singly_a_request_above_the_limit_is_refused_whole(sandbox: Sandbox) -> None:
    sandbox.switch(alias_counting="each")
    keys = keys_of(sandbox, 50)
    assert [edit(sandbox, keys, str(n)).status_code for n in range(4)] == [200, 200, 200, 429]
    assert comments(sandbox, keys) == ["2"] * 50


def test_more_aliases_than_the_limit_are_refused_unread(sandbox: Sandbox) -> None:
    sandbox.switch(alias_limit=3)
    keys = keys_of(sandbox, 4)
    refused = edit(sandbox, keys)
    assert refused.status_code == 400
    assert refused.json() == {
        "errors": [{"message": "Syntax Error: Aliases limit of 3 exceeded, found 4."}],
    }
    assert comments(sandbox, keys[:3]) == [None] * 3
    assert edit(sandbox, keys[:3]).status_code == 200


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("{ a: site(id: 1) { b: name id } }", 2),
        ("query { ...f } fragment f on Query { c: me { id } }", 1),
        ("{ me }", 0),
        ("{", 0),
    ],
)
def test_aliases_are_counted_at_every_depth(query: str, number: int) -> None:
    assert number_of_aliases(query) == number


@pytest.mark.parametrize("paths", [True, False])
def test_an_errors_path_names_its_alias_or_is_left_out(sandbox: Sandbox, paths: bool) -> None:
    sandbox.switch(graphql_error_paths=paths)
    (key,) = keys_of(sandbox, 1)
    answer = edit(sandbox, ["nobody", key])
    path = {"path": ["site", "e0"]} if paths else {}
    assert answer.status_code == 404
    assert answer.json()["errors"] == [{"message": "Asset 'nobody' not found", **path}]
    assert answer.json()["data"]["site"] == {"e0": None, "e1": {"assetCustom": {"comment": "seen"}}}


def test_a_fault_refuses_the_edits_of_some_assets(sandbox: Sandbox) -> None:
    keys = keys_of(sandbox, 4)
    fault = {"kind": "partial", "keys": keys[1:3], "message": "Locked", "status": 500}
    sandbox.faults([{"system": "lansweeper", "path": "editAsset", "fault": fault}])
    answer = edit(sandbox, keys)
    assert answer.status_code == 500
    assert [error["message"] for error in answer.json()["errors"]] == ["Locked", "Locked"]
    assert comments(sandbox, keys) == ["seen", None, None, "seen"]


def test_a_fault_refuses_a_share_of_the_edits(sandbox: Sandbox) -> None:
    keys = keys_of(sandbox, 10)
    sandbox.faults([{"path": "editAsset", "fault": {"kind": "partial", "share": 0.2}}])
    answer = edit(sandbox, keys)
    assert answer.status_code == 400
    assert comments(sandbox, keys) == (["seen"] * 4 + [None]) * 2

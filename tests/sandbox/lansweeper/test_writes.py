"""Writing to the sandbox's Lansweeper: edits, custom fields, deletions, several edits in one mutation."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from sandbox.lansweeper.documents import number_of_aliases
from tests.support.sandbox.lansweeper import Caller


def asset(sandbox: Sandbox, key: str) -> dict[str, Any]:
    return next(one for one in sandbox.state("lansweeper/assets") if one["key"] == key)


def first_key(sandbox: Sandbox) -> str:
    return str(sandbox.state("lansweeper/assets")[0]["key"])


def test_an_edit_changes_what_it_names_and_echoes_it(sandbox: Sandbox) -> None:
    key = first_key(sandbox)
    before = asset(sandbox, key)
    response = Caller(sandbox).site(
        f'editAsset(key: "{key}", fields: {{assetBasicInfo: {{description: {{value: "On loan"}}}}, '
        'assetCustom: {comment: "x", purchaseDate: {value: "2025-01-02"}}}) '
        "{ assetBasicInfo { description } assetCustom { comment purchaseDate } }",
        "mutation",
    )
    echoed = response.json()["data"]["site"]["editAsset"]
    assert echoed["assetBasicInfo"] == {"description": "On loan"}
    assert echoed["assetCustom"] == {"comment": "x", "purchaseDate": "2025-01-02T00:00:00.000Z"}
    after = asset(sandbox, key)
    moved = after["assetBasicInfo"].pop("lastUpdated")
    assert moved > before["assetBasicInfo"].pop("lastUpdated")
    assert after["assetBasicInfo"] == before["assetBasicInfo"] | {"description": "On loan"}


def test_custom_fields_are_made_written_cleared_and_deleted(sandbox: Sandbox) -> None:
    caller, key = Caller(sandbox), first_key(sandbox)
    created = caller.site(
        'createCustomField(field: {name: "cw_sla", type: TEXTAREA}) { key name type }', "mutation"
    )
    field = created.json()["data"]["site"]["createCustomField"]
    assert (field["name"], field["type"]) == ("cw_sla", "TEXTAREA")

    def write(value: str) -> None:
        entry = f'{{fieldKey: "{field["key"]}", value: {value}}}'
        edit = f'editAsset(key: "{key}", fields: {{assetCustom: {{fields: [{entry}]}}}})'
        caller.site(f"{edit} {{ assetCustom {{ fields {{ fieldKey }} }} }}", "mutation").raise_for_status()

    write('"Gold"')
    assert asset(sandbox, key)["assetCustom"]["fields"] == [
        {"fieldKey": field["key"], "name": "cw_sla", "value": "Gold"}
    ]
    write('""')
    assert asset(sandbox, key)["assetCustom"]["fields"] is None
    write('"Gold"')
    assert caller.site(f'deleteCustomField(key: "{field["key"]}")', "mutation").status_code == 200
    assert asset(sandbox, key)["assetCustom"]["fields"] is None


def test_aliased_edits_where_one_fails(sandbox: Sandbox) -> None:
    key = first_key(sandbox)
    edit = 'fields: {assetCustom: {comment: "seen"}}) { assetCustom { comment } }'
    response = Caller(sandbox).site(
        f'good: editAsset(key: "{key}", {edit} bad: editAsset(key: "nobody", {edit}', "mutation"
    )
    assert response.status_code == 404
    site = response.json()["data"]["site"]
    assert site == {"good": {"assetCustom": {"comment": "seen"}}, "bad": None}
    assert sandbox.requests()["lansweeper"]["by"] == {"editAsset": 1}
    assert sandbox.requests()["writes"] == 1


def test_a_refused_edit_changes_nothing(sandbox: Sandbox) -> None:
    key = first_key(sandbox)
    before = asset(sandbox, key)
    for fields in (
        'purchaseDate: {value: "soon"}',
        'comment: "x", fields: [{fieldKey: "nobody", value: "1"}]',
    ):
        edit = (
            f'editAsset(key: "{key}", fields: {{assetCustom: {{{fields}}}}}) {{ assetCustom {{ comment }} }}'
        )
        assert Caller(sandbox).site(edit, "mutation").status_code in (400, 404)
    assert asset(sandbox, key) == before


def test_a_scan_does_not_replace_a_locked_field(sandbox: Sandbox) -> None:
    sandbox.reset(assets=1)
    key = first_key(sandbox)
    edit = f'editAsset(key: "{key}", fields: {{assetBasicInfo: {{name: {{value: "mine"}}}}}})'
    Caller(sandbox).site(f"{edit} {{ assetBasicInfo {{ name }} }}", "mutation")
    assert sandbox.churn(1.0, ["rename"]) == {"rename": [key]}
    assert asset(sandbox, key)["assetBasicInfo"]["name"] == "mine"


def test_deleting_is_all_or_nothing(sandbox: Sandbox) -> None:
    key = first_key(sandbox)
    assert Caller(sandbox).site(f'deleteAssets(keys: ["{key}", "nobody"])', "mutation").status_code == 404
    assert len(sandbox.state("lansweeper/assets")) == 60
    Caller(sandbox).site(f'deleteAssets(keys: ["{key}"])', "mutation").raise_for_status()
    assert len(sandbox.state("lansweeper/assets")) == 59


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

"""Writing to the sandbox's Lansweeper: edits, custom fields, deletions, several in one request."""

from __future__ import annotations

from typing import Any

from deployments.local.sandbox import Sandbox
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

"""Creating, replacing, patching and deleting in the sandbox's ConnectWise, under the vendor's rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox.connectwise import (
    caller,
    configuration,
    insert_configurations,
    insert_custom_field,
    small_world,
)

pytestmark = pytest.mark.anyio
URL = "/company/configurations"


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def faults(body: dict[str, Any]) -> set[tuple[str, str]]:
    """Code and field of each error."""
    return {(one["code"], one["field"]) for one in body["errors"]}


async def test_a_created_configuration_has_the_servers_defaults() -> None:
    with caller(small_world()) as client:
        created = await client.post(URL, json=configuration(site={"id": 1}))
        assert created.status_code == 201
        record = created.json()
        assert record["status"]["name"] == "Active"
        assert record["activeFlag"] is True
        assert record["company"]["identifier"] == "BlueLightCo"
        assert record["_info"]["updatedBy"] == "apimember"
        assert [one["question"] for one in record["questions"]] == ["Rack?", "Room?"]
        assert (await client.get(f"{URL}/{record['id']}")).json() == record


async def test_references_by_identifier_or_unique_name_and_numbers_as_texts() -> None:
    with caller(small_world()) as client:
        body = {
            "NAME": "x",
            "type": {"name": "printer"},
            "company": {"identifier": "other"},
            "backupYear": "2024",
        }
        record = (await client.post(URL, json=body)).json()
        assert (record["type"]["id"], record["company"]["id"], record["backupYear"]) == (2, 2, 2024)
        refused = await client.post(URL, json={**body, "manufacturer": {"name": "Nobody"}})
        assert faults(refused.json()) == {("NotFound", "manufacturer")}


async def test_every_fault_of_a_body_is_named() -> None:
    with caller(small_world()) as client:
        wrong = {
            "name": "x" * 101, "serialNumber": "s" * 250, "modelNumber": "m" * 51, "type": {"id": 99},
            "site": {"id": 2}, "contact": {"id": 1}, "company": {"id": 1},
            "purchaseDate": "2025-01-01T00:00:00.5Z",
        }  # fmt: skip
        refused = await client.post(URL, json=wrong)
        assert refused.status_code == 400
        body = refused.json()
        assert (body["code"], body["message"]) == ("InvalidObject", "configuration object is invalid")
        assert faults(body) == {
            ("MaxLengthField", "name"),
            ("MaxLengthField", "modelNumber"),
            ("NotFound", "type/id"),
            ("NotFound", "site/id"),
            ("InvalidField", "purchaseDate"),
        }
        messages = {one["message"] for one in body["errors"]}
        assert "The field name must be a string with a maximum length of 100." in messages
        assert "Site 2 not found for Company 1" in messages


async def test_required_members() -> None:
    with caller(small_world()) as client:
        for path, body, missing in [
            (URL, {"name": " "}, {"name", "type", "company"}),
            ("/company/configurations/statuses", {}, {"description"}),
            ("/company/contacts", {"lastName": "X"}, {"firstName"}),
            ("/system/locations", {"name": "Depot"}, {"structureLevel"}),
            ("/company/companies", {"identifier": "a", "name": "A"}, {"addressLine1"}),
            ("/system/userDefinedFields", {}, {"podId", "caption", "sequenceNumber", "fieldTypeIdentifier"}),
        ]:
            refused = await client.post(path, json=body)
            assert refused.status_code == 400, path
            assert faults(refused.json()) == {("MissingRequiredField", name) for name in missing}, path


async def test_unknown_members_and_wrong_kinds_are_refused() -> None:
    with caller(small_world()) as client:
        refused = await client.post(URL, json=configuration(bogus=1))
        assert refused.json()["code"] == "ConnectWiseApi"
        assert refused.json()["message"].startswith(
            "Could not find member 'bogus' on object of type 'Configuration'. Path 'bogus', line 1, position "
        )
        for wrong in (
            {"backupYear": "abc"}, {"billFlag": "maybe"}, {"type": 1}, {"type": {"bogus": 1}}, {"name": {}},
            {"customFields": {}}, {"customFields": [1]}, {"questions": [{"bogus": 1}]},
            {"backupBillableSpaceGb": "x"},
        ):  # fmt: skip
            refused = await client.post(URL, json=configuration(**wrong))
            assert (refused.status_code, refused.json()["code"]) == (400, "ConnectWiseApi"), wrong


async def test_duplicates_are_refused_in_any_case() -> None:
    with caller(small_world()) as client:
        level = {"structureLevel": {"id": 1}}
        for path, body, field in [
            ("/company/configurations/types", {"name": "SERVER"}, "name"),
            ("/company/configurations/statuses", {"description": "active "}, "description"),
            ("/procurement/manufacturers", {"name": "dell"}, "name"),
            ("/system/locations", {"name": "hq", **level}, "name"),
            ("/company/companies", {"identifier": "BLUELIGHTCO", "name": "n", "city": "c"}, "identifier"),
            ("/company/companies/1/sites", {"name": "main"}, "name"),
        ]:
            refused = await client.post(path, json=body)
            assert faults(refused.json()) == {("ObjectExists", field)}, path
        assert (await client.post("/company/companies/1/sites", json={"name": "Branch"})).status_code == 201
        assert (await client.post(URL, json=configuration())).status_code == 201
        assert (await client.post(URL, json=configuration())).status_code == 201


async def test_a_new_default_status_takes_the_place_of_the_old() -> None:
    with caller(small_world()) as client:
        made = await client.post(
            "/company/configurations/statuses", json={"description": "New", "defaultFlag": True}
        )
        created = (await client.post(URL, json=configuration())).json()
        assert created["status"]["id"] == made.json()["id"]
        old = await client.get("/company/configurations/statuses/1")
        assert old.json()["defaultFlag"] is False


async def test_a_put_resets_what_is_not_sent() -> None:
    world = small_world()
    full = {
        "serialNumber": "S", "status": {"id": 2}, "billFlag": True, "location": {"id": 1},
        "customFields": [{"id": 1, "value": "key"}], "questions": [{"questionId": 1, "answer": "R7"}],
    }  # fmt: skip
    [record_id] = insert_configurations(world, full)
    with caller(world) as client:
        shown = (await client.get(f"{URL}/{record_id}")).json()
        same = (await client.put(f"{URL}/{record_id}", json=shown)).json()
        for one in (shown, same):
            del one["_info"]
        assert same == shown
        bare = (await client.put(f"{URL}/{record_id}", json=configuration(name="new"))).json()
        assert (bare["name"], bare["billFlag"], bare["status"]["id"]) == ("new", False, 1)
        assert not {"serialNumber", "location", "locationId"} & set(bare)
        assert "value" not in bare["customFields"][0]
        assert "answer" not in bare["questions"][0]
        assert (await client.put(f"{URL}/99", json=configuration())).status_code == 404


async def test_patch_takes_absolute_values_and_keeps_the_rest() -> None:
    world = small_world()
    [record_id] = insert_configurations(world, {"notes": "kept", "customFields": [{"id": 1, "value": "key"}]})
    with caller(world) as client:
        operations = [
            replace("name", "new"),
            replace("/status", {"id": 2}),
            {"op": "add", "path": "site", "value": {"name": "Main"}},
            replace("customFields", [{"id": 2, "value": "http://x"}]),
        ]
        refused = await client.patch(f"{URL}/{record_id}", json=operations)
        assert faults(refused.json()) == {("NotFound", "site")}  # Two companies have a site of that name.
        operations[2] = replace("site/id", 1)
        patched = (await client.patch(f"{URL}/{record_id}", json=operations)).json()
        assert (patched["name"], patched["status"]["id"], patched["notes"]) == ("new", 2, "kept")
        assert patched["site"]["id"] == 1
        assert [one.get("value") for one in patched["customFields"]][:2] == ["key", "http://x"]
        assert patched["_info"]["updatedBy"] == "apimember"


async def test_a_patch_that_names_nothing_changes_nothing() -> None:
    world = small_world()
    [record_id] = insert_configurations(world, {"customFields": [{"id": 1, "value": "key"}]})
    with caller(world) as client:
        before = (await client.get(f"{URL}/{record_id}")).json()
        for path, value in [
            ("Name", "x"),
            ("bogus", 1),
            ("company/identifier", "Other"),
            ("customFields", []),
        ]:
            after = await client.patch(f"{URL}/{record_id}", json=[replace(path, value)])
            assert after.status_code == 200
            assert {**after.json(), "_info": 0} == {**before, "_info": 0}


async def test_patch_removes_and_clears() -> None:
    world = small_world()
    [record_id] = insert_configurations(
        world,
        {"notes": "n", "serialNumber": "s", "billFlag": True, "customFields": [{"id": 1, "value": "key"}]},
    )
    with caller(world) as client:
        operations = [
            {"op": "remove", "path": "notes"},
            replace("serialNumber", None),
            {"op": "remove", "path": "billFlag"},
            replace("customFields", [{"id": 1, "value": None}]),
        ]
        patched = (await client.patch(f"{URL}/{record_id}", json=operations)).json()
        assert not {"notes", "serialNumber"} & set(patched)
        assert patched["billFlag"] is False
        assert "value" not in patched["customFields"][0]
        refused = await client.patch(f"{URL}/{record_id}", json=[replace("name", None)])
        assert faults(refused.json()) == {("MissingRequiredField", "name")}


async def test_a_patch_checks_the_whole_stored_record() -> None:
    world = small_world()
    [record_id] = insert_configurations(world, {"modelNumber": "m" * 300})
    with caller(world) as client:
        refused = await client.patch(f"{URL}/{record_id}", json=[replace("name", "new")])
        assert faults(refused.json()) == {("MaxLengthField", "modelNumber")}
        assert (await client.get(f"{URL}/{record_id}")).json()["name"] == "srv-1"


async def test_patch_documents_that_can_not_be_read() -> None:
    world = small_world()
    [record_id] = insert_configurations(world, {})
    with caller(world) as client:
        for wrong in ({"op": "replace"}, [{"op": "move", "path": "name"}], [{"op": "replace"}], [1], "x"):
            assert (await client.patch(f"{URL}/{record_id}", json=wrong)).status_code == 400
        assert (await client.patch(f"{URL}/99", json=[])).status_code == 404


async def test_custom_fields_must_exist_and_fit() -> None:
    with caller(small_world()) as client:
        for wrong in (
            {"id": 99, "value": "x"},
            {"id": 4, "value": "many"},
            {"id": 5, "value": 7},
            {"id": 1, "value": []},
        ):
            refused = await client.post(URL, json=configuration(customFields=[wrong]))
            assert {field for _, field in faults(refused.json())} == {"customFields"}, wrong
        made = await client.post(
            URL,
            json=configuration(
                customFields=[{"caption": "rack_units", "value": 2}, {"id": 5, "value": True}]
            ),
        )
        assert [one.get("value") for one in made.json()["customFields"]][3:] == [2, True]


async def test_a_switch_asks_every_patch_for_custom_fields() -> None:
    world = small_world()
    world.switches.patch_requires_custom_fields = True
    [record_id] = insert_configurations(world, {})
    with caller(world) as client:
        refused = await client.patch(f"{URL}/{record_id}", json=[replace("name", "x")])
        assert faults(refused.json()) == {("MissingRequiredField", "customFields")}
        taken = await client.patch(
            f"{URL}/{record_id}", json=[replace("name", "x"), replace("customFields", [])]
        )
        assert taken.json()["name"] == "x"


async def test_change_type_drops_the_old_questions_and_brings_the_new() -> None:
    world = small_world()
    [record_id] = insert_configurations(world, {"questions": [{"questionId": 1, "answer": "R7"}]})
    with caller(world) as client:
        for attempt in (
            await client.patch(f"{URL}/{record_id}", json=[replace("type", {"id": 2})]),
            await client.put(f"{URL}/{record_id}", json=configuration(type={"id": 2})),
        ):
            assert faults(attempt.json()) == {("InvalidField", "type/id")}
        for wrong in ({"id": 99}, None):
            refused = await client.patch(f"{URL}/{record_id}/changeType", json=[replace("type", wrong)])
            assert refused.status_code == 400
        changed = await client.patch(f"{URL}/{record_id}/changeType", json=[replace("type", {"id": 2})])
        assert changed.json()["type"]["name"] == "Printer"
        asked = changed.json()["questions"]
        assert [(one["question"], one.get("answer")) for one in asked] == [("Toner?", None)]
        back = await client.patch(f"{URL}/{record_id}/changeType", json=[replace("type/id", 1)])
        assert [one.get("answer") for one in back.json()["questions"]] == [None, None]


async def test_answers_are_sent_back_as_the_whole_array() -> None:
    world = small_world()
    [record_id] = insert_configurations(world, {"questions": [{"questionId": 1, "answer": "R7"}]})
    with caller(world) as client:
        questions = (await client.get(f"{URL}/{record_id}")).json()["questions"]
        questions[1]["answer"] = "101"
        patched = await client.patch(f"{URL}/{record_id}", json=[replace("questions", questions)])
        assert [one["answer"] for one in patched.json()["questions"]] == ["R7", "101"]
        foreign = [replace("questions", [{"questionId": 3, "answer": "x"}])]
        refused = await client.patch(f"{URL}/{record_id}", json=foreign)
        assert faults(refused.json()) == {("NotFound", "questions/questionId")}


async def test_deleting() -> None:
    world = small_world()
    [record_id] = insert_configurations(world, {})
    with caller(world) as client:
        used = await client.delete("/company/configurations/types/1")
        assert used.status_code == 409
        gone = await client.delete(f"{URL}/{record_id}")
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await client.delete(f"{URL}/{record_id}")).status_code == 404
        assert (await client.delete("/company/configurations/types/1")).status_code == 204
        assert [
            one["id"] for one in world.store.collection("company/configurations/types/questions").values()
        ] == [3]
        created = (await client.post(URL, json=configuration(type={"id": 2}))).json()
        assert created["id"] > record_id  # Ids are never given twice.


async def test_custom_fields_of_another_record_type_stay_apart() -> None:
    world = small_world()
    insert_custom_field(world.store, "extra", 6, "Text")
    field = {"podId": 1, "caption": "ls_asset_id", "sequenceNumber": 1, "fieldTypeIdentifier": "Text"}
    with caller(world) as client:
        made = (await client.post("/system/userDefinedFields", json=field)).json()
        assert made["podDescription"] == "Company"
        created = (await client.post(URL, json=configuration())).json()
        assert made["id"] not in [one["id"] for one in created["customFields"]]
        too_long = await client.post("/system/userDefinedFields", json={**field, "caption": "c" * 26})
        assert faults(too_long.json()) == {("MaxLengthField", "caption")}
        out = await client.post("/system/userDefinedFields", json={**field, "sequenceNumber": 501})
        assert faults(out.json()) == {("OutOfRange", "sequenceNumber")}

"""Work orders in the sandbox: what is dropped, what is refused, how a life goes, what lists find."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox.field_nation import WHOLE, Place, place

pytestmark = pytest.mark.anyio


async def create(at: Place, **changes: Any) -> dict[str, Any]:
    answer = await at.rest("POST", "/workorders", {**WHOLE, **changes})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def pointers(at: Place, body: Any) -> list[str]:
    answer = await at.rest("POST", "/workorders", body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["retryable"]) == ("VALIDATION_ERROR", False)
    return [one["pointer"] for one in problem["errors"]]


async def test_unknown_and_misplaced_members_are_dropped_without_a_word() -> None:
    async with place() as at:
        made = await create(
            at,
            priority="high",
            status={"id": 5},
            closing_notes="done",
            external_id="CW-1",
            scheduling={"mode": "exact"},
            types_of_work=[{"id": "103"}, {"id": 101, "isPrimary": True, "name": "x"}],
            description="plain text",
        )
    assert (made["status"]["name"], made["closing_notes"]) == ("Draft", "")
    assert [one["id"] for one in made["types_of_work"]] == [101]
    assert made["description"] == {"html": "", "markdown": ""}
    assert not {"priority", "external_id", "scheduling"} & set(made)


@pytest.mark.parametrize("mode", [None, "site", "location"])
async def test_an_address_without_the_custom_mode_is_dropped(mode: str | None) -> None:
    location = {**WHOLE["location"], "mode": mode}
    async with place() as at:
        made = await create(at, location={name: value for name, value in location.items() if value})
    assert (made["location"]["city"], made["location"]["mode"]) == ("", "")


async def test_what_is_refused_is_named() -> None:
    async with place() as at:
        assert await pointers(at, {}) == ["#/title"]
        assert await pointers(at, {**WHOLE, "title": " "}) == ["#/title"]
        usa = {**WHOLE["location"], "country": "USA"}
        assert await pointers(at, {**WHOLE, "location": usa}) == ["#/location/country"]
        window = {"mode": "exact", "start": "2026-12-01 09:00"}
        [pointer] = await pointers(at, {**WHOLE, "schedule": {"service_window": window}})
        assert pointer == "#/schedule/service_window/start"
        window = {"mode": "between", "start": {"utc": "2026-12-01 09:00:00"}}
        [pointer] = await pointers(at, {**WHOLE, "schedule": {"service_window": window}})
        assert pointer == "#/schedule/service_window/end"


async def test_local_times_become_utc_by_the_state_of_the_place() -> None:
    async with place() as at:
        hawaii = {**WHOLE["location"], "state": "HI", "city": "Hilo"}
        made = await create(at, location=hawaii)
    assert made["schedule"]["service_window"]["start"] == {
        "utc": "2026-12-01 19:00:00",
        "local": {"date": "2026-12-01", "time": "09:00:00"},
    }


async def test_a_template_fills_what_is_missing_unless_told_otherwise() -> None:
    bare = {"title": "x", "template": {"id": 601}}
    async with place() as at:
        filled = (await at.rest("POST", "/workorders", bare)).json()
        empty = (await at.rest("POST", "/workorders", {**bare, "ignore_template": True})).json()
        named = (await at.rest("POST", "/workorders", {**bare, "pay": {"type": "hourly"}})).json()
    assert [one["pay"]["type"] for one in (filled, empty, named)] == ["fixed", "", "hourly"]


async def test_an_update_changes_what_was_sent_and_nothing_else() -> None:
    async with place() as at:
        number = await at.order()
        before = (await at.rest("GET", f"/workorders/{number}")).json()
        changes = {
            "title": "New",
            "status": {"id": 5},
            "custom_fields": {"results": [{"results": [{"id": 802, "value": "4711"}]}]},
        }
        after = (await at.rest("PUT", f"/workorders/{number}", changes)).json()
        listed = (await at.rest("GET", f"/workorders/{number}/custom_fields")).json()
    assert after["title"] == "New"
    for name in ("location", "schedule", "pay", "description", "incident_id"):
        strip = {"correlation_id"}
        same = [
            {k: v for k, v in one[name].items() if k not in strip}
            if isinstance(one[name], dict)
            else one[name]
            for one in (before, after)
        ]
        assert same[0] == same[1]
    assert after["status"]["name"] == "Draft"
    values = {one["id"]: one["value"] for group in listed["results"] for one in group["results"]}
    assert (values[801], values[802]) == ("101", "4711")
    assert listed["internal"]["value"] == "101"


async def test_publishing_wants_what_providers_need() -> None:
    async with place() as at:
        number = (await at.rest("POST", "/workorders", {"title": "Bare"})).json()["id"]
        refused = await at.rest("POST", f"/workorders/{number}/publish")
        assert [one["pointer"] for one in refused.json()["errors"]] == [
            "#/types_of_work",
            "#/location",
            "#/schedule",
            "#/pay",
            "#/description",
        ]
        at.world.switches.field_nation_publish_checks = False
        assert (await at.rest("POST", f"/workorders/{number}/publish")).status_code == 200


STEPS: dict[str, tuple[str, str, Any, dict[str, str]]] = {
    "publish": ("POST", "/publish", None, {}),
    "assign": ("POST", "/assignee", {"user": {"id": 5001}}, {}),
    "complete": ("POST", "/complete", None, {}),
    "reopen": ("DELETE", "/complete", None, {"reason": "x", "reason_id": "1"}),
    "approve": ("POST", "/approve", None, {}),
    "cancel": ("DELETE", "", None, {"cancel_reason": "x"}),
    "draft": ("DELETE", "/draft", None, {}),
    "unassign": ("DELETE", "/assignee", {"user": {"id": 5001}}, {}),
}


async def take(at: Place, number: int, step: str) -> int:
    if step not in STEPS:
        at.app.provider(number, step, {})
        return 200
    method, below, body, query = STEPS[step]
    return (await at.rest(method, f"/workorders/{number}{below}", body, **query)).status_code


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        ("cancel", "Deleted"),
        ("publish cancel", "Cancelled"),
        ("publish draft", "Draft"),
        ("publish assign unassign", "Published"),
        ("assign complete reopen complete approve pay", "Paid"),
        ("publish postpone resume assign", "Assigned"),
        ("publish accept check-in check-out work-done approve", "Approved"),
        ("publish accept provider-cancel", "Published"),
    ],
)
async def test_lives(steps: str, ends: str) -> None:
    async with place() as at:
        number = await at.order()
        for step in steps.split():
            assert await take(at, number, step) == 200, step
        assert (await at.rest("GET", f"/workorders/{number}/status")).json()["name"] == ends


@pytest.mark.parametrize(
    "steps",
    [
        "approve",
        "complete",
        "publish approve",
        "publish publish",
        "assign complete approve cancel",
        "cancel publish",
    ],
)
async def test_a_last_step_that_the_status_does_not_allow_is_refused(steps: str) -> None:
    *before, last = steps.split()
    async with place(field_nation_refused_step=409) as at:
        number = await at.order()
        for step in before:
            assert await take(at, number, step) == 200
        assert await take(at, number, last) == 409


async def test_lists_hold_what_their_names_say() -> None:
    async with place() as at:
        draft, published, done = [await at.order(title=name) for name in ("a", "b", "c")]
        await take(at, published, "publish")
        for step in ("assign", "complete"):
            await take(at, done, step)
        deleted = await at.order()
        await take(at, deleted, "cancel")
        found = {}
        for name in ("all", "draft", "published_routed", "work_done", "in_flight", "approved"):
            answer = await at.rest("GET", "/workorders", list=f"workorders_{name}", sticky="false")
            found[name] = [one["id"] for one in answer.json()["results"]]
    assert found == {
        "all": [draft, published, done],
        "draft": [draft],
        "published_routed": [published],
        "work_done": [done],
        "in_flight": [published, done],
        "approved": [],
    }


async def test_filters_that_are_not_understood_are_neither_applied_nor_echoed() -> None:
    async with place() as at:
        await at.order()
        query = {"f_state": "FL,GA", "f_created": "2020-01-01", "f_bogus": "1", "sticky": "false"}
        answer = (await at.rest("GET", "/workorders", **query)).json()
        assert answer["metadata"]["total"] == 1
        assert {name for name in answer if name.startswith(("f_", "fs_"))} == {"f_state", "fs_state"}
        at.world.switches.field_nation_filter_names = "old"
        assert (await at.rest("GET", "/workorders", **query)).json()["metadata"]["total"] == 0


@pytest.mark.parametrize(
    ("text", "incident", "found"),
    [
        ("[CW-101]", False, 1),
        ("access POINT", False, 1),
        ("tampa networking", False, 1),
        ("SITE-9", False, 0),
        ("SITE-9", True, 1),
        ("ladder & cable", False, 1),
    ],
)
async def test_a_search_looks_into_words_and_only_by_switch_into_the_incident(
    text: str, incident: bool, found: int
) -> None:
    async with place(field_nation_search_incident=incident) as at:
        await at.order(incident_id="SITE-9")
        answer = await at.rest("GET", "/workorders", f_search=text, sticky="false")
    assert answer.json()["metadata"]["total"] == found


async def test_filters_stick_to_the_user_unless_the_call_says_no() -> None:
    async with place() as at:
        await at.order()
        await at.rest("GET", "/workorders", f_city="Nowhere")
        assert (await at.rest("GET", "/workorders")).json()["metadata"]["total"] == 0
        assert (await at.rest("GET", "/workorders", sticky="false")).json()["metadata"]["total"] == 1
        await at.rest("GET", "/workorders", f_="")
        assert (await at.rest("GET", "/workorders")).json()["metadata"]["total"] == 1


async def test_pages_are_capped() -> None:
    async with place(field_nation_rate_limit=None) as at:
        for _ in range(103):
            await at.order()
        first = (await at.rest("GET", "/workorders", per_page=500, columns="status")).json()
        second = (await at.rest("GET", "/workorders", per_page=500, page=2, order="asc")).json()
    assert (first["metadata"]["per_page"], first["metadata"]["pages"]) == (100, 2)
    assert (len(first["results"]), len(second["results"])) == (100, 3)


async def test_the_limit_is_told_in_headers_and_kept() -> None:
    async with place(field_nation_rate_limit=[2, 60.0]) as at:
        answers = [await at.rest("GET", "/types-of-work") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["1", "0", "0"]
    assert 0 < int(answers[2].headers["retry-after"]) <= 60
    assert answers[2].json()["agent"] == {"action": "RETRY", "backoffMs": 60000, "maxAttempts": 3}


async def test_a_section_is_written_by_itself_and_only_that() -> None:
    async with place() as at:
        number = await at.order()
        path = f"/workorders/{number}"
        window = {"mode": "exact", "start": {"utc": "2026-12-02 15:00:00"}}
        shown = (await at.rest("PUT", f"{path}/schedule", {"service_window": window})).json()
        assert shown["service_window"]["start"]["local"] == {"date": "2026-12-02", "time": "10:00:00"}
        shown = (
            await at.rest("PUT", f"{path}/pay", {"type": "fixed", "base": {"amount": 90, "units": 1}})
        ).json()
        assert shown["total"] == 90
        whole = (await at.rest("GET", path)).json()
        assert (whole["title"], whole["location"]["city"]) == (WHOLE["title"], "Tampa")
        for section, body in (("schedule", {}), ("schedule", {"service_window": {}}), ("pay", {"type": "x"})):
            refused = await at.rest("PUT", f"{path}/{section}", body)
            assert refused.status_code == 400
        assert (await at.rest("GET", path)).json()["schedule"] == whole["schedule"]


async def test_a_look_at_the_head_is_a_reading() -> None:
    async with place() as at:
        assert (await at.rest("HEAD", f"/workorders/{await at.order()}")).status_code == 200
        assert (await at.rest("HEAD", "/workorders/9")).status_code == 404

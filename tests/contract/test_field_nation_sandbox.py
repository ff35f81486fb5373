"""The sandbox's Field Nation against the vendor's OpenAPI file: every answer that it can give."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx
import pytest

from sandbox.field_nation.store import EVENTS
from sandbox.field_nation.work_orders import WORK_ORDER
from tests.support.sandbox.field_nation import HOOKS, REST, WHOLE, Place, place
from tests.support.vendor_files import vendor_file
from tests.support.vendor_models import Description

pytestmark = pytest.mark.anyio

SPEC = vendor_file("fieldnation-openapi.json")

# Where the sandbox knowingly differs from the file, and why.
KNOWN_EXCEPTIONS = {
    "WorkOrderAllResponseDto.f_x": "echoed filters are on the 2026 page, not in the file",
    "WorkOrderCreateDto.custom_fields": "the file points at a single field by mistake (its own note)",
    "WorkOrderCreateDto.type_of_work": "still accepted, announced as going away (older pages)",
    "MessageResultsDto.role": "carries the type of the message, as in the 2026 sample",
    "problem+json": "the error catalogue of 2026; a switch gives the file's {status, message}",
    "POST /complete, DELETE /approve": "known from older clients only",
    "DELETE /route": "answers the work order; the file names a shape of its own",
    "401 and 404 of the webhooks API": "the file knows 200 and 400 only",
}


@cache
def description() -> Description:
    """The file, with the known exceptions let in."""
    made = Description(SPEC)
    made.schemas["WorkOrderAllResponseDto"]["patternProperties"] = {"^fs?_": {}}
    return made


def spec() -> dict[str, Any]:
    return description().file


def check(value: Any, schema: dict[str, Any]) -> None:
    description().check(value, schema)


def check_answer(answer: httpx.Response, template: str) -> Any:
    return description().check_answer(answer, template)


ONE = f"{REST}/workorders/{{work_order_id}}"


async def busy_order(at: Place) -> int:
    """A work order with everything that a provider leaves behind."""
    number = await at.order(
        contacts={"results": [{"name": "Ann", "role": "Location Contact", "phone": "555"}]},
        service_types=[{"id": 1, "name": "Break-fix"}],
        client={"id": 301},
        project={"id": 401},
        template={"id": 601},
        manager={"id": 9002},
    )
    await at.rest("POST", f"/workorders/{number}/publish")
    for step, given in (
        ("accept", {"provider": 5002}),
        ("check-in", {"at": "2026-12-01T14:00:00+00:00"}),
        ("check-out", {"hours": 1.5}),
        ("check-in", {}),
        ("message", {"message": "On site"}),
        ("custom-field", {"id": 811, "value": "arrived"}),
        ("upload", {"name": "photo.jpg"}),
    ):
        at.app.provider(number, step, given)
    return number


async def test_reads_of_a_busy_work_order_are_what_the_file_declares() -> None:
    async with place() as at:
        number = await busy_order(at)
        whole = check_answer(await at.rest("GET", f"/workorders/{number}"), ONE)
        assert whole["assignee"]["user"]["id"] == 5002
        assert whole["time_logs"]["hours"] == 1.5
        sections = "status schedule location pay messages custom_fields time_logs attachments"
        sections += " contacts tags milestones"
        for section in sections.split():
            check_answer(await at.rest("GET", f"/workorders/{number}/{section}"), f"{ONE}/{section}")
        one = f"{ONE}/custom_fields/{{custom_field_id}}"
        field = check_answer(await at.rest("GET", f"/workorders/{number}/custom_fields/811"), one)
        assert field["value"] == "arrived"
        lists = check_answer(await at.rest("GET", "/workorders/lists"), f"{REST}/workorders/lists")
        assert {each["id"]: each["count"] for each in lists}["workorders_assigned"] == 1
        listed = check_answer(
            await at.rest("GET", "/workorders", list="workorders_all", sticky="false", f_search="CW-101"),
            f"{REST}/workorders",
        )
        assert [one["id"] for one in listed["results"]] == [number]


async def test_reads_of_an_empty_draft_are_what_the_file_declares() -> None:
    async with place() as at:
        made = check_answer(await at.rest("POST", "/workorders", {"title": "Bare"}), f"{REST}/workorders")
        check_answer(await at.rest("GET", f"/workorders/{made['id']}"), ONE)
        read = check_answer(await at.rest("GET", f"/workorders/{made['id']}", columns="status,pay"), ONE)
        assert set(read) == {"id", "work_order_id", "title", "href", "status", "pay"}


async def test_writes_are_answered_as_the_file_declares() -> None:
    async with place() as at:
        number = await at.order()
        calls: list[tuple[str, str, str, Any]] = [
            ("PUT", "", "", {"title": "New"}),
            ("PUT", "/schedule", "/schedule", WHOLE["schedule"]),
            ("PUT", "/location", "/location", {**WHOLE["location"], "saved_location": {}}),
            ("PUT", "/pay", "/pay", {"type": "hourly", "base": {"amount": 80, "units": 2}}),
            ("PUT", "/custom_fields/802", "/custom_fields/{custom_field_id}", {"value": "4711"}),
            ("POST", "/messages", "/messages", {"message": "Hello", "type": "INTERNAL"}),
            ("POST", "/publish", "/publish", None),
            ("DELETE", "/publish", "/publish", None),
            ("POST", "/route", "/route", {"technician": {"id": 5001}}),
            ("DELETE", "/draft", "/draft", None),
            ("POST", "/assignee", "/assignee", {"user": {"id": 5001}}),
            ("DELETE", "/assignee", "/assignee", {"user": {"id": 5001}}),
            ("POST", "/assignee", "/assignee", {"user": {"id": 5003}}),
        ]
        for method, path, template, body in calls:
            answer = await at.rest(method, f"/workorders/{number}{path}", body)
            assert answer.status_code == 200, (method, path, answer.text)
            check_answer(answer, ONE + template)
        assert (await at.rest("POST", f"/workorders/{number}/complete")).status_code == 200
        query = {"reason": "paper", "reason_id": 2}
        check_answer(await at.rest("DELETE", f"/workorders/{number}/complete", **query), f"{ONE}/complete")
        await at.rest("POST", f"/workorders/{number}/complete")
        check_answer(await at.rest("POST", f"/workorders/{number}/approve"), f"{ONE}/approve")
        other = await at.order()
        gone = await at.rest("DELETE", f"/workorders/{other}", cancel_reason="closed")
        assert check_answer(gone, ONE)["status"]["name"] == "Deleted"


@pytest.mark.parametrize(
    "path",
    [
        "types-of-work",
        "custom-fields",
        "templates",
        "clients",
        "projects",
        "company/managers",
        "company/incomplete-reasons",
    ],
)
async def test_look_ups_are_what_the_file_declares(path: str) -> None:
    async with place() as at:
        check_answer(await at.rest("GET", f"/{path}"), f"{REST}/{path}")


async def test_a_token_and_its_refusal_are_what_the_file_declares() -> None:
    template = "/authentication/api/oauth/token"
    async with place() as at:
        check(at.grant(), {"$ref": "#/components/schemas/AuthTokenPayloadDto"})
        check_answer(await at.http.post(template, json=at.grant()), template)
        refused = await at.http.post(template, json=at.grant(password="no"))
        assert refused.status_code == 401
        check(refused.json(), {"$ref": "#/components/schemas/AuthErrorDto"})


async def test_refusals_have_the_files_body_when_switched() -> None:
    async with place(field_nation_errors="message") as at:
        refused = [
            await at.rest("GET", "/workorders/9"),
            await at.rest("POST", "/workorders", {}),
            await at.rest("POST", f"/workorders/{await at.order()}/approve"),
        ]
        assert [one.status_code for one in refused] == [404, 400, 400]
        for one in refused:
            check(one.json(), {"$ref": "#/components/schemas/DefaultResponseErrorDto"})


async def test_webhook_calls_are_what_the_file_declares() -> None:
    body = {"events": ["workorder.created"], "url": "https://x.test/in", "method": "post", "status": "active"}
    one = f"{HOOKS}/{{webhookId}}"
    async with place() as at:
        check(body, {"$ref": "#/components/schemas/Webhooks_CreateWebhook"})
        made = check_answer(await at.hooks("POST", "", body), HOOKS)["result"]
        path = f"/{made['webhookId']}"
        check_answer(await at.hooks("GET"), HOOKS)
        check_answer(await at.hooks("GET", path), one)
        check_answer(await at.hooks("PUT", path, {"status": "inactive"}), one)
        events = check_answer(await at.hooks("GET", "/events", model="WorkOrder"), f"{HOOKS}/events")
        assert [each["name"] for each in events["result"]] == list(EVENTS)
        check_answer(await at.hooks("GET", "/delivery-logs"), f"{HOOKS}/delivery-logs")
        check_answer(await at.hooks("POST", "", {"url": "ftp://x"}), HOOKS)
        check_answer(await at.hooks("DELETE", path), one)
        check_answer(await at.hooks("GET", path), one)


def test_the_events_are_the_files() -> None:
    items = spec()["components"]["schemas"]["Webhooks_CreateWebhook"]["properties"]["events"]["items"]
    assert sorted(EVENTS) == sorted(items["enum"])


def test_what_a_create_keeps_is_in_the_file() -> None:
    declared = set(spec()["components"]["schemas"]["WorkOrderCreateDto"]["properties"])
    assert set(WORK_ORDER) - {"type_of_work"} <= declared
    assert "WorkOrderCreateDto.type_of_work" in KNOWN_EXCEPTIONS
    without = {name: value for name, value in WHOLE.items() if name != "custom_fields"}
    check(without, {"$ref": "#/components/schemas/WorkOrderCreateDto"})

"""A person reviews a plan in the Prefect UI: one kind of change is left out, exactly the rest is written."""

from __future__ import annotations

import time
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.browser import forms
from tests.browser.reading import shoot
from tests.browser.stack import Stack
from tests.browser.test_journeys import COMPANY, open_form

WRITTEN, LEFT_OUT = "osType", "osInfo"
PATIENCE_SECONDS = 120


def test_a_plan_is_approved_without_one_kind_of_change(page: Page, stack: Stack) -> None:
    finished(stack, {"company": COMPANY, "mode": "apply", "ceilings": {"go_on": True}})
    before = dict(list(configurations(stack).items())[:3])
    for number in before:
        change = {WRITTEN: "edited", LEFT_OUT: "edited"}
        stack.sandbox("POST", "edit", {"collection": "company/configurations", "id": number, "set": change})
    edited = configurations(stack)

    open_form(page, stack, "asset-synchronization")
    forms.pick(page, "Company", COMPANY)
    forms.pick(page, "Mode", "review")
    run_id = forms.submit(page)
    wait_until_paused(stack, run_id)
    assert configurations(stack) == edited
    page.goto(f"{stack.ui}/runs/flow-run/{run_id}")
    page.get_by_role("button", name="Resume").first.click()
    forms.pick(page, "Answer", "approve everything")
    forms.pick_all(page, "Kinds of change to leave out", LEFT_OUT)
    shoot(page, "13-review")
    page.get_by_role("button", name="Submit").click()

    run = stack.wait_for_run(run_id)
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    after = configurations(stack)
    for number, record in before.items():
        assert after[number][WRITTEN] == record[WRITTEN]
        assert after[number][LEFT_OUT] == "edited"
    assert {number: each for number, each in after.items() if number not in before} == {
        number: each for number, each in edited.items() if number not in before
    }
    report = stack.artifact(run_id, "asset-synchronization-report")["data"]
    assert f"Left out in the review: {LEFT_OUT}" in report
    expect(page.get_by_text("Completed").first).to_be_visible()


def configurations(stack: Stack) -> dict[int, dict[str, Any]]:
    """The fields of the operating system of the company's linked configurations, by id."""
    found = stack.sandbox("GET", "state/company/configurations")
    return {
        each["id"]: {name: each.get(name) for name in (WRITTEN, LEFT_OUT)}
        for each in found
        if each["company"]["identifier"] == COMPANY
        and each.get(WRITTEN)
        and each.get(LEFT_OUT)
        and any(field["caption"] == "ls_asset_id" and field.get("value") for field in each["customFields"])
    }


def finished(stack: Stack, settings: dict[str, Any]) -> None:
    """Run asset-synchronization with these settings to its end."""
    body = {"parameters": {"settings": settings}}
    path = f"/deployments/{stack.deployment_id('asset-synchronization')}/create_flow_run"
    run = stack.wait_for_run(stack.post(path, body)["id"])
    assert run["state_type"] == "COMPLETED", run["state"]["message"]


def wait_until_paused(stack: Stack, run_id: str) -> None:
    """Wait until the run asks, and its form is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if httpx.get(f"{stack.api}/flow_runs/{run_id}/input/paused-review-schema", timeout=60).is_success:
            return
        time.sleep(1)
    raise TimeoutError(f"{run_id} does not wait for anybody")

"""What an operations engineer does in the Prefect UI, in a real browser against ``make up``.

The tests build on each other, in the order of this file: the plan is read before the real run.
"""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser import forms
from tests.browser.conftest import HEIGHT
from tests.browser.reading import bottom_of, counts, cut_texts, open_artifact, shoot, unlinked
from tests.browser.stack import Stack

COMPANY = "BlueLightCo"
TYPED_KEY = "typed-by-hand-PRIVATE-KEY-4711"
"""The private key of the block that is made here: it must never be seen again, see test_what_is_kept."""
NAMES_NO_RECORD = {"Notes", "Kinds of change", "Reference records to create", "Reference records created"}


def test_block_form_refuses_an_empty_company_id(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.ui}/blocks/catalog/connectwise-psa-connection/create")
    # A home that was used before has the block of that time still.
    name = f"made-in-the-browser-{uuid.uuid4().hex[:8]}"
    forms.block_input(page, "Block Name").fill(name)
    for label in ("ConnectWise PSA Site", "ConnectWise Public Key", "Client ID"):
        forms.block_input(page, label).fill("na.myconnectwise.net")
    forms.block_input(page, "ConnectWise Private Key").fill(TYPED_KEY)
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("ConnectWise Company ID is required")).to_be_visible()
    page.get_by_text("ConnectWise Company ID is required").scroll_into_view_if_needed()
    shoot(page, "01-block-without-company")
    forms.block_input(page, "ConnectWise Company ID").fill("bluelight")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile(r"/blocks/block/"))
    expect(page.get_by_text(name).first).to_be_visible()
    shoot(page, "02-block-created")
    assert TYPED_KEY not in page.content()


def test_list_locations_shows_two_rows(page: Page, stack: Stack) -> None:
    open_form(page, stack, "list-locations")
    forms.pick(page, "Connection", "default")
    forms.type_into(page, "Conditions", 'name like "%o%"', kind="str")
    forms.type_into(page, "Page Size", "2", kind="int")
    shoot(page, "03-list-locations-form")
    run_id = forms.submit(page)
    assert stack.wait_for_run(run_id)["state_type"] == "COMPLETED"
    open_artifact(page, stack, run_id, "list-locations")
    expect(page.locator("tbody tr, .p-table-body tr").filter(has=page.locator("td"))).to_have_count(2)
    shoot(page, "04-list-locations-answer")
    assert cut_texts(page) == []


def test_check_connections_is_read_without_scrolling_sideways(page: Page, stack: Stack) -> None:
    open_form(page, stack, "check-connections")
    run_id = forms.submit(page)
    # The block that was made in the browser leads nowhere.
    assert stack.wait_for_run(run_id)["state_name"] == "1 check failed"
    open_artifact(page, stack, run_id, "check-connections")
    # Its address in the sandbox: neither a link nor full of signs that keep it from being one.
    expect(page.get_by_text("http://127.0.0.1:")).to_be_visible()
    shoot(page, "04-check-connections")
    assert cut_texts(page) == []


def test_value_tables_offer_existing_records(page: Page, stack: Stack) -> None:
    open_form(page, stack, "asset-synchronization")
    forms.parameter(page, "Configuration types").get_by_role("button", name="Add item").click()
    forms.type_into(page, "Lansweeper value", "Windows")
    forms.pick(page, "ConnectWise record", "Managed Workstation", look=lambda: shoot(page, "05-value-table"))


@pytest.fixture(scope="module")
def runs() -> dict[str, str]:
    """Ids of the flow runs that these tests start, by name."""
    return {}


def test_company_is_found_in_the_dropdown_and_the_plan_is_read(
    page: Page, stack: Stack, runs: dict[str, str]
) -> None:
    runs["dry"] = synchronize(page, stack, "05-synchronization", dry_run=True)
    open_artifact(page, stack, runs["dry"], "asset-synchronization-plan")
    shoot(page, "06-plan")
    found = counts(page)
    assert found["Read"] == sum(found.values()) - found["Read"] == 400
    assert_readable(page, found)


def test_real_run_over_the_ceiling_reports_what_the_plan_said(
    page: Page, stack: Stack, runs: dict[str, str]
) -> None:
    open_artifact(page, stack, runs["dry"], "asset-synchronization-plan")
    planned = counts(page)
    runs["real"] = synchronize(page, stack, "07-synchronization-for-real", dry_run=False)
    open_artifact(page, stack, runs["real"], "asset-synchronization-report")
    shoot(page, "08-report")
    found = counts(page)
    assert (found["Created"], found["Modified"], found["Failed"]) == (
        planned["To create"],
        planned["To modify"],
        0,
    )
    assert_readable(page, found)
    page.set_viewport_size({"width": 1280, "height": 3000})
    shoot(page, "09-report-whole")


def test_run_page_tells_its_state_and_artifacts(page: Page, stack: Stack, runs: dict[str, str]) -> None:
    page.goto(f"{stack.ui}/runs/flow-run/{runs['real']}")
    expect(page.get_by_text("Completed").first).to_be_visible()
    # The picture of the tasks moves into place for a while.
    page.wait_for_timeout(4000)
    shoot(page, "10-run")
    page.get_by_role("tab", name="Artifacts").or_(page.get_by_text("Artifacts", exact=True)).last.click()
    expect(page.get_by_text("asset-synchronization-report", exact=False).first).to_be_visible()
    shoot(page, "11-run-artifacts")
    page.get_by_text("Parameters", exact=True).last.click()
    shoot(page, "12-run-parameters")


def synchronize(page: Page, stack: Stack, picture: str, *, dry_run: bool) -> str:
    """Run asset-synchronization from its form; returns the flow run's id once it has completed."""
    open_form(page, stack, "asset-synchronization")
    forms.pick(page, "Company", COMPANY, look=lambda: shoot(page, f"{picture}-dropdown"))
    forms.pick(page, "Mode", "plan" if dry_run else "apply")
    forms.switch(page, "Go on over a ceiling", not dry_run)
    forms.parameter(page, "Company").scroll_into_view_if_needed()
    shoot(page, picture)
    run_id = forms.submit(page)
    run = stack.wait_for_run(run_id)
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    return run_id


def open_form(page: Page, stack: Stack, deployment: str) -> None:
    page.goto(f"{stack.ui}/deployments/deployment/{stack.deployment_id(deployment)}/run")
    page.locator(".schema-form-property").first.wait_for()


def assert_readable(page: Page, found: dict[str, int]) -> None:
    """No cut text, every record linked, the counts in the first screen."""
    assert cut_texts(page) == []
    first_heading = page.locator("article h1").first.inner_text()
    assert unlinked(page, NAMES_NO_RECORD | {first_heading}) == []
    assert bottom_of(page, f"{found['Read']:,}") <= HEIGHT

"""Fills the Prefect UI's forms as a person does: finds an input by its label, types, picks, submits."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

PROPERTY = "xpath=ancestor::div[contains(concat(' ', @class, ' '), ' schema-form-property ')][1]"


def block_input(page: Page, label: str) -> Locator:
    """The input of the block form under exactly that label."""
    own = page.locator(".p-label__label", has_text=re.compile(f"^{re.escape(label)}$"))
    return own.locator("xpath=ancestor::div[contains(@class, 'p-label')][2]").locator("input, textarea").first


def parameter(page: Page, label: str) -> Locator:
    """The part of the run form under exactly that label, optional or not."""
    text = re.compile(rf"^{re.escape(label)}( \(Optional\))?$")
    return page.locator(".schema-form-property__label", has_text=text).first.locator(PROPERTY)


def type_into(page: Page, label: str, value: str, kind: str | None = None) -> None:
    """Type a value; ``kind`` picks the side of an input that is, say, ``str`` or ``None``."""
    part = parameter(page, label)
    if kind:
        part.get_by_role("button", name=kind, exact=True).click()
    part.locator("input, textarea").first.fill(value)


def pick(page: Page, label: str, option: str, look: Callable[[], object] = lambda: None) -> None:
    """Open a dropdown, type into its search, look at what it offers then, choose the option."""
    # A click opens it only if it has the focus already.
    parameter(page, label).locator(".p-select-button__control").first.focus()
    page.keyboard.press("ArrowDown")
    page.locator(".p-combobox__text-input input:visible").fill(option)
    page.get_by_role("option", name=option).first.wait_for()
    look()
    page.get_by_role("option", name=option).first.click()


def pick_all(page: Page, label: str, text: str) -> None:
    """Choose in a dropdown of several choices each that contains that text, and close it."""
    parameter(page, label).locator(".p-select-button__control").first.focus()
    page.keyboard.press("ArrowDown")
    options = page.get_by_role("option").filter(has_text=text)
    options.first.wait_for()
    for number in range(options.count()):
        options.nth(number).click()
    page.keyboard.press("Escape")


def switch(page: Page, label: str, on: bool) -> None:
    """Set a switch, by the keyboard."""
    toggle = parameter(page, label).get_by_role("switch").first
    if (toggle.get_attribute("aria-checked") == "true") != on:
        toggle.focus()
        page.keyboard.press("Space")
    expect(toggle).to_have_attribute("aria-checked", str(on).lower())


def submit(page: Page) -> str:
    """Submit the run form; returns the id of the flow run that the page then lists."""
    with page.expect_response(lambda answer: answer.url.endswith("/create_flow_run")) as created:
        page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**?tab=Runs")
    return str(created.value.json()["id"])

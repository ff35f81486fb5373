"""Reads the Prefect UI's pages as a person does: artifacts, what is cut, what is linked, what is on top."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.browser.stack import OUTPUT, Stack

PAGES = OUTPUT / "pages"

CUT_TEXTS = """
() => [...document.querySelectorAll('.artifact-page *, .artifact *, .app-router-view *, main *')]
  .filter(each => each.innerText && each.innerText.trim() && each.getClientRects().length)
  .filter(each => {
    const box = each.getBoundingClientRect();
    const hides = getComputedStyle(each).overflowX !== 'visible';
    return (hides && each.scrollWidth > each.clientWidth + 1) || box.right > window.innerWidth + 1;
  })
  .map(each => `${each.tagName.toLowerCase()}.${each.className}: ${each.innerText.trim().slice(0, 120)}`)
"""
"""Elements whose text is wider than they are and hidden for it, or that reach over the window's edge."""

ENTRIES = """
() => {
  const found = [];
  let heading = '';
  for (const each of document.querySelectorAll('article :is(h1, h2, h3, li, tr)')) {
    if (/^H/.test(each.tagName)) heading = each.innerText.trim();
    else if (!each.querySelector('th') && !each.parentElement.closest('li'))
      found.push([heading, each.innerText.trim().slice(0, 120), each.querySelector('a[href]') !== null]);
  }
  return found;
}
"""
"""Every entry of a Markdown artifact: the heading above it, its text, and whether it holds a link."""


def shoot(page: Page, name: str) -> Path:
    """Keep a screenshot under ``build/browser``, and the page itself under ``build/browser/pages``."""
    path = OUTPUT / f"{name}.png"
    page.screenshot(path=path)
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / f"{name}.html").write_text(page.content(), encoding="utf-8")
    return path


def open_artifact(page: Page, stack: Stack, run_id: str, key: str) -> None:
    """Open the page of the run's artifact of that key, and wait until it shows what it holds."""
    page.goto(f"{stack.ui}/artifacts/artifact/{stack.artifact(run_id, key)['id']}")
    page.locator("table").first.wait_for()


def cut_texts(page: Page) -> list[str]:
    """What a person can't read without scrolling sideways, or not at all."""
    texts: list[str] = page.evaluate(CUT_TEXTS)
    return texts


def unlinked(page: Page, without_records: set[str]) -> list[str]:
    """Entries without a link, but for those under headings that name no record and "… and n more"."""
    entries: list[tuple[str, str, bool]] = page.evaluate(ENTRIES)
    assert entries, "the page shows no entries"
    return [
        f"{heading}: {text}"
        for heading, text, link in entries
        if not link and heading not in without_records and not text.startswith("… and ")
    ]


def bottom_of(page: Page, text: str) -> float:
    """How far below the window's top the first element with that text ends, in pixels."""
    box = page.get_by_text(text, exact=True).first.bounding_box()
    assert box, f"{text!r} is not shown"
    return box["y"] + box["height"]


def counts(page: Page) -> dict[str, int]:
    """The first table of an artifact: heads and numbers."""
    first = page.locator("article table").first
    heads = first.locator("th").all_inner_texts()
    numbers = first.locator("td").all_inner_texts()
    return {head: int(number.replace(",", "")) for head, number in zip(heads, numbers, strict=True)}

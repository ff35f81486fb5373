"""What the code cites by number stands in the docs: laws and decisions, and facts about the vendors."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, page

FOLDERS = ("connectors", "tasks", "flows", "deployments", "sandbox", "benchmarks", "tests")
SOURCES = [
    path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "docs" not in path.relative_to(ROOT).parts
]
NUMBERED = re.compile(r"\b(law|design)s?,? (\d(?:\.\d)?(?:(?:, | and | to )\d(?:\.\d)?)*)(?! of\b)", re.I)
VENDOR = re.compile(r"docs/vendors\.md,\s+((?:ConnectWise|Lansweeper|Field Nation) \d(?:\.\d)?)")
HEADING = re.compile(r"^### (.+)$", re.M)


def cited(text: str) -> set[str]:
    """What a text cites of docs/spec.md, as the headings there have it; a range by its two ends."""
    return {
        f"{kind.capitalize()} {number}"
        for kind, numbers in NUMBERED.findall(text)
        for number in re.findall(r"\d(?:\.\d)?", numbers)
    }


def test_every_number_that_the_code_cites_has_a_heading() -> None:
    laws, facts = set(HEADING.findall(page("spec"))), set(HEADING.findall(page("vendors")))
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    unknown = {path.relative_to(ROOT): cited(text) - laws for path, text in texts.items()}
    assert {path: numbers for path, numbers in unknown.items() if numbers} == {}
    unknown = {path.relative_to(ROOT): set(VENDOR.findall(text)) - facts for path, text in texts.items()}
    assert {path: numbers for path, numbers in unknown.items() if numbers} == {}


def test_citations_are_found() -> None:
    text = "true (laws 1, 2 and 5), see law 7; by hand after design 4.2 to 4.5; docs/spec.md, design 8"
    assert cited(text) == {"Law 1", "Law 2", "Law 5", "Law 7", "Design 4.2", "Design 4.5", "Design 8"}
    assert VENDOR.findall("(docs/vendors.md, Field Nation 8.2)") == ["Field Nation 8.2"]


def test_the_laws_are_numbered_without_a_gap() -> None:
    laws = [each for each in HEADING.findall(page("spec")) if each.startswith("Law ")]
    assert laws == [f"Law {number}" for number in range(1, 10)]

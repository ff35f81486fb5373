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
VENDOR = re.compile(
    r"docs/vendors\.md,[\s#:]+(ConnectWise|Lansweeper|Field Nation) (\d(?:\.\d)?(?:(?:, | and )\d(?:\.\d)?)*)"
)
HEADING = re.compile(r"^### (.+)$", re.M)


def cited(text: str) -> set[str]:
    """What a text cites of docs/spec.md, as the headings there have it; a range by its two ends."""
    return {
        f"{kind.capitalize()} {number}"
        for kind, numbers in NUMBERED.findall(text)
        for number in re.findall(r"\d(?:\.\d)?", numbers)
    }


def facts_cited(text: str) -> set[str]:
    """What a text cites of docs/vendors.md, as the headings there have it."""
    found = VENDOR.findall(text)
    return {f"{vendor} {each}" for vendor, all_of in found for each in re.findall(r"\d(?:\.\d)?", all_of)}


def test_every_number_that_the_code_cites_has_a_heading() -> None:
    laws, facts = set(HEADING.findall(page("spec"))), set(HEADING.findall(page("vendors")))
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    unknown = {path.relative_to(ROOT): cited(text) - laws for path, text in texts.items()}
    assert {path: numbers for path, numbers in unknown.items() if numbers} == {}
    unknown = {path.relative_to(ROOT): facts_cited(text) - facts for path, text in texts.items()}
    assert {path: numbers for path, numbers in unknown.items() if numbers} == {}


def test_citations_are_found() -> None:
    text = "true (laws 1, 2 and 5), see law 7; by hand after design 4.2 to 4.5; docs/spec.md, design 8"
    assert cited(text) == {"Law 1", "Law 2", "Law 5", "Law 7", "Design 4.2", "Design 4.5", "Design 8"}
    assert facts_cited("(docs/vendors.md, ConnectWise 4.2 and 4.5)") == {"ConnectWise 4.2", "ConnectWise 4.5"}


def test_no_citation_points_outside_of_the_repository() -> None:
    outside = re.compile(
        r"\breference(?:/[a-z-]+\.md)?, (?:section )?\d|\bdesign, section|the reference's section"
    )
    found = [path.relative_to(ROOT) for path in SOURCES if outside.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_the_laws_are_numbered_without_a_gap() -> None:
    laws = [each for each in HEADING.findall(page("spec")) if each.startswith("Law ")]
    assert laws == [f"Law {number}" for number in range(1, 10)]

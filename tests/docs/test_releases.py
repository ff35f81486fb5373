"""What make outdated lists and make release refuses, and what the workflows call."""

from __future__ import annotations

import re

import pytest
import yaml  # type: ignore[import-untyped]

from tests.support.releases import ROOT, notes_of, outdated_lines, pins

PROJECT = '[project]\nversion = "1.2.0"\n'
CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2030-01-15\n\n- new\n\n## 1.1.0\n\n- old\n"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_pins_with_newer_versions_and_those_not_seen_are_listed() -> None:
    pinned = pins("some_name==1.0\nOther[extra]==2.0\nnewest==3.0\nelsewhere==1\n")
    latest = {"Some.Name": "1.1", "unpinned": "9", "newest": "3.0"}
    listed = [{"name": name, "latest_version": version} for name, version in latest.items()]
    assert outdated_lines(pinned, listed, ["some-name", "other", "newest", "unpinned"]) == [
        "some-name 1.0 -> 1.1",
        "Not in this environment, so not asked about: elsewhere",
    ]
    assert outdated_lines({"newest": "3.0"}, listed, ["newest"]) == []


def test_a_release_has_the_section_of_its_version() -> None:
    assert notes_of("v1.2.0", PROJECT, CHANGELOG) == "- new\n"


@pytest.mark.parametrize("tag", ["", "1.2.0", "v1.1.0", "v1.2.0.post1"])
def test_a_tag_that_is_not_the_version_is_refused(tag: str) -> None:
    with pytest.raises(SystemExit, match=r"is not v1\.2\.0"):
        notes_of(tag, PROJECT, CHANGELOG)


@pytest.mark.parametrize(
    "changelog", ["## Unreleased\n\n- new\n", "## 1.2.0\n\n## 1.1.0\n", "## 1.2.01\n\n- x\n"]
)
def test_a_version_without_a_section_is_refused(changelog: str) -> None:
    with pytest.raises(SystemExit, match="nothing under"):
        notes_of("v1.2.0", PROJECT, changelog)


def test_the_version_of_now_has_a_section() -> None:
    project, changelog = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "CHANGELOG.md")
    )
    version = pins(re.sub(r'.*^version = "([^"]+)".*', r"v==\1", project, flags=re.MULTILINE | re.DOTALL))[
        "v"
    ]
    assert notes_of(f"v{version}", project, changelog)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_targets_of_make_that_exist_and_address_no_index(path: object) -> None:
    text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
    targets = {step["run"].split()[1] for step in steps if step.get("run", "").startswith("make ")}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert targets
    assert targets - set(phony[1].split()) == set()
    assert "://" not in text

"""Pins that have newer versions, and the files of a release: ``make outdated``, ``make release TAG=vX.Y.Z``.

``outdated`` asks the index that pip is set up with about the packages of this environment. ``release`` asks
nobody: the tag must be the version in ``pyproject.toml``, with a section of its own in the changelog.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
FOLDER = ROOT / "build" / "release"


def pins(text: str) -> dict[str, str]:
    """The pinned versions by the normal form of the name; extras and case say nothing."""
    lines = (line.partition("==") for line in text.split())
    return {normal(name): version for name, _, version in lines}


def normal(name: str) -> str:
    """The form of a distribution's name in which names compare."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def outdated_lines(
    pinned: Mapping[str, str], listed: Iterable[Mapping[str, str]], installed: Iterable[str]
) -> list[str]:
    """A line for each pin with a newer version, and one for the pins that this environment does not hold."""
    newer = {normal(each["name"]): each["latest_version"] for each in listed}
    lines = [
        f"{name} {version} -> {newer[name]}"
        for name, version in sorted(pinned.items())
        if newer.get(name, version) != version
    ]
    unseen = sorted(pinned.keys() - {normal(name) for name in installed})
    return [
        *lines,
        *([f"Not in this environment, so not asked about: {', '.join(unseen)}"] if unseen else []),
    ]


def outdated() -> None:
    """Print what ``outdated_lines`` tells, or that all pins are the newest."""
    listed = json.loads(_output([*PIP, "list", "--outdated", "--format", "json"]))
    installed = [each["name"] for each in json.loads(_output([*PIP, "list", "--format", "json"]))]
    pinned = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    print("\n".join(outdated_lines(pinned, listed, installed) or ["Every pin is the newest version."]))


def notes_of(tag: str, project: str, changelog: str) -> str:
    """The changelog's section for a tag; SystemExit where the tag, the version and it do not agree."""
    version = tomllib.loads(project)["project"]["version"]
    if tag != f"v{version}":
        raise SystemExit(f"The tag {tag or '(none)'} is not v{version}, the version in pyproject.toml.")
    found = re.search(
        rf"^## {re.escape(version)}(?: [^\n]*)?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    if found is None or not found[1].strip():
        raise SystemExit(f"CHANGELOG.md has nothing under ## {version}: give Unreleased that name.")
    return found[1].strip() + "\n"


def release(tag: str) -> None:
    """Write notes.md and the wheel under build/release/."""
    project, changelog = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "CHANGELOG.md")
    )
    notes = notes_of(tag, project, changelog)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    (FOLDER / "notes.md").write_text(notes, encoding="utf-8")
    subprocess.run([*PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(FOLDER), str(ROOT)], check=True)
    print("\n".join(str(path.relative_to(ROOT)) for path in sorted(FOLDER.iterdir())))


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["outdated"]:
            outdated()
        case ["release", tag]:
            release(tag)
        case _:
            raise SystemExit("outdated, or release TAG")

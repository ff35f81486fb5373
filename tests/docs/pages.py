"""Reads the documentation: its pages, their sections, tables and code, and the project's own messages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PATHS}
"""Text of every page by its path in the repository."""
EVERYTHING = "\n".join(PAGES.values())
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
VALUE = "\0"
"""Stands in a message for what is filled in; ``...`` stands for it in the documents."""


def page(name: str) -> str:
    """The text of a page in docs/."""
    return PAGES[f"docs/{name}.md"]


def section(heading: str, text: str) -> str:
    """What stands under a heading, up to the next one of the same or a higher level."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found is not None, f"no heading {heading}"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables, without head and rule."""
    lines = [line.strip() for line in text.splitlines()]
    table = [line for line in lines if line.startswith("|")]
    heads = {index - 1 for index, line in enumerate(table) if line.startswith("| ---")}
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for index, line in enumerate(table)
        if index not in heads and not line.startswith("| ---")
    ]


def named(text: str) -> list[str]:
    """Everything in backticks, blocks of code left out."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))


def commands(text: str) -> list[str]:
    """Every command: inline code and lines of blocks, lines that go on joined, ``&&`` taken apart."""
    blocks = re.findall(r"^ *```\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found = [part for line in [*lines, *named(text)] for part in line.split("&&")]
    return [" ".join(each.split()) for each in found]


@cache
def messages() -> list[str]:
    """Every text in the source, the values in it replaced by one letter that no text has."""
    folders = ("connectors", "tasks", "flows", "deployments", "sandbox")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    shell = (ROOT / "deployments" / "from_files.sh").read_text(encoding="utf-8")
    found = [text for path in files for text in _texts(ast.parse(path.read_text(encoding="utf-8")))]
    return [*found, re.sub(r"\$(\{\w+\}|\w+)", VALUE, shell)]


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (str(each.value) if isinstance(each, ast.Constant) else VALUE for each in node.values)
            yield "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def is_said(quoted: str) -> bool:
    """Whether some text of the source has these words, with a value wherever ``...`` stands."""
    parts = [re.escape(part) for part in quoted.removesuffix("...").removeprefix("...").split("...")]
    # Several values may stand beside each other.
    pattern = re.compile(f"{VALUE}([ ,]*{VALUE})*".join(parts))
    return any(pattern.search(text) for text in messages())

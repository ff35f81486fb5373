"""The README names what exists, and names all of it: commands, flows, actions, blocks, troubleshooting."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
import yaml
from prefect import Task

import tasks.connectwise
import tasks.lansweeper

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def documented_actions() -> dict[str, Task[..., object]]:
    """Every documented action by the dotted name of its module."""
    found = {}
    for package in (tasks.connectwise, tasks.lansweeper):
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            action = getattr(module, info.name.rsplit(".", 1)[1], None)
            if isinstance(action, Task):
                found[info.name] = action
    return found


ACTIONS = documented_actions()


@pytest.mark.parametrize("module", ACTIONS)
def test_every_action_stands_in_the_table_with_its_key(module: str) -> None:
    action = ACTIONS[module]
    (key,) = action.tags
    assert re.search(rf"^\| {action.name} \| `[a-z-]+` \| `{key}` \| `{module}` \|$", README, re.MULTILINE)


def test_no_other_action_stands_in_the_table() -> None:
    named = re.findall(r"\| `(tasks\.[a-z_.]+)` \|", README)
    assert sorted(named) == sorted(ACTIONS)


def test_every_make_target_is_named_and_every_named_one_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)) == set(phony[1].split())


def test_every_deployed_flow_is_named() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    missing = [each["name"] for each in deployments if f"`{each['name']}`" not in README]
    assert missing == []


@pytest.mark.parametrize(
    "block", ["ConnectWise PSA Connection", "Lansweeper Connection", "Integration Ledger"]
)
def test_every_block_is_named(block: str) -> None:
    assert block in README


def test_constraints_are_plain_pins() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z]+\])?==[A-Za-z0-9_.+!-]+", line) for line in lines)
    pins = dict(line.lower().split("==") for line in lines)
    assert pins["prefect"] == "3.8.8"
    assert pins["fastapi"].startswith("0.150.")

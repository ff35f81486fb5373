"""Every command, file and variable that the docs name exists, and the other way round."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys

import pytest
from prefect import settings
from prefect.cli._app import _app
from typer.main import get_command

from deployments.console.app import COMMANDS as CONSOLE_COMMANDS
from deployments.console.app import app as console
from deployments.console.output import ExitCode
from deployments.environment import (
    CONNECTWISE,
    FIELD_NATION,
    FIELD_NATION_OPTIONAL,
    LANSWEEPER,
    LANSWEEPER_OPTIONAL,
    LEDGER_URL,
)
from deployments.receiver.server import EX_CONFIG
from tests.docs.pages import EVERYTHING, PAGES, ROOT, commands, messages, page, rows, section

COMMANDS = sorted({each for text in PAGES.values() for each in commands(text)})
PREFECT = [found[1] for each in COMMANDS if (found := re.search(r"(?:^|/)prefect (.*)$", each))]
CONSOLE = [found[1] for each in COMMANDS if (found := re.search(r"^(?:\S*/)?connectwise-flows (.+)$", each))]
MODULES = [found[1] for each in COMMANDS if (found := re.search(r"\bpython3? -m (.*)$", each))]


def test_every_make_target_is_named_and_every_named_one_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    used = {each.split()[1] for each in COMMANDS if each.startswith("make ")}
    assert used == set(phony[1].split())


@pytest.mark.parametrize("command", MODULES)
def test_every_python_module_that_is_started_exists_and_knows_its_options(command: str) -> None:
    module, *arguments = shlex.split(command)
    package = importlib.util.find_spec(module)
    assert package is not None
    if package.submodule_search_locations:
        assert importlib.util.find_spec(f"{module}.__main__") is not None
    options = [each for each in arguments if each.startswith("--")]
    if module in ("sandbox", "deployments.list_writes"):
        told = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True
        )
        assert [each for each in options if each not in told.stdout] == []
    elif module.startswith("deployments."):
        assert options == []


@pytest.mark.parametrize("command", CONSOLE)
def test_every_console_command_exists_and_knows_its_options(command: str) -> None:
    words = shlex.split(command)
    found = get_command(console)
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]  # type: ignore[attr-defined]
    assert not hasattr(found, "commands"), f"{words} is no command"
    options = {name for each in found.params for name in each.opts}
    if found.name == "sandbox":
        # Passed on to the program, whose options are held against its own help above.
        return
    assert [each for each in words if each.startswith("-") and each not in options] == []


def test_the_page_of_the_console_names_every_command_and_exit_code() -> None:
    text = page("console")
    named = {each.partition("connectwise-flows ")[2].partition(" ")[0] for each in commands(text)}
    assert {*CONSOLE_COMMANDS, "rules"} <= named
    codes = {int(cells[0]) for cells in rows(section("For scripts", text))}
    assert codes == {*map(int, ExitCode), EX_CONFIG}


@pytest.mark.parametrize("command", PREFECT)
def test_every_prefect_command_takes_its_options(command: str) -> None:
    """Read as Prefect's own command line reads it, and not carried out."""
    called, bound, _ = _app.parse_args(shlex.split(command), exit_on_error=False, print_error=False)
    assert called.__module__.startswith("prefect.cli.")
    assert not bound.arguments.get("tokens")


def test_a_prefect_command_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(Exception, match="no-such-option"):
        _app.parse_args(["worker", "start", "--no-such-option", "x"], exit_on_error=False, print_error=False)


def test_every_picture_has_words_instead() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\((?:docs/)?images/(\w+)\.png\)", EVERYTHING)
    assert {name for _, name in pictures} >= {"form", "report"}
    assert all(len(words) > 20 for words, _ in pictures)


def test_every_unit_that_the_runbook_names_exists() -> None:
    units = set(re.findall(r"connectwise-flows-[a-z]+@?", page("operations")))
    files = {path.stem for path in (ROOT / "deployments" / "systemd").glob("*.service")}
    assert units == files


def test_every_variable_is_one_that_is_read_and_those_of_the_blocks_are_all_named() -> None:
    used = set(re.findall(r"\b(?:CONNECTWISE|LANSWEEPER|FIELD_NATION|PREFECT)_[A-Z_]+[A-Z]\b", EVERYTHING))
    of_blocks = {
        *CONNECTWISE,
        *LANSWEEPER,
        *LANSWEEPER_OPTIONAL,
        *FIELD_NATION,
        *FIELD_NATION_OPTIONAL,
        LEDGER_URL,
    }
    assert of_blocks <= used
    known = {*of_blocks, *messages()}

    def is_read(name: str) -> bool:
        # Prefect's module of settings makes most of its names when they are asked for, so dir() is too short.
        return name in known or hasattr(settings, name)

    assert [each for each in sorted(used) if not (is_read(each) or is_read(each.removesuffix("_FILE")))] == []

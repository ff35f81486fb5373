"""The short form of the fuzz campaign, and its frame: what is wrong with an input is noticed and named."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.fuzz import campaign, tally
from benchmarks.fuzz.campaign import LEAST, SHORT_SECONDS, TARGETS, main, run_target, target_named
from benchmarks.fuzz.tally import ENDLESS, LARGE, LONG, RAW, SECRET, SLOW, Tally
from benchmarks.fuzz.vendors import operations
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.collection import Collection
from connectors.field_nation.client import FieldNationClient
from connectors.lansweeper.client import LansweeperClient


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_inputs_of_each_target_are_answered_in_order(name: str) -> None:
    module = target_named(name)
    report = run_target(name, Tally(name, seed=15, seconds=SHORT_SECONDS), module.SHORT)
    skipped = [kind for kind, outcomes in report["kinds"].items() if "skipped" in outcomes]
    if skipped:
        pytest.skip(f"{name}: {', '.join(skipped)}")
    assert report["first problems"] == []
    assert report["inputs"] > 0


def test_the_long_form_is_long_enough() -> None:
    modules = [target_named(name) for name in TARGETS]
    assert [module.NAME for module in modules] == list(TARGETS)
    assert sum(module.INPUTS for module in modules) >= LEAST


PLUMBING = {"aclose", "send", "send_webhooks"}
"""What every operation is made of."""


@pytest.mark.parametrize(
    ("vendor", "kinds"),
    [
        ("connectwise", (ConnectWiseClient, Collection)),
        ("lansweeper", (LansweeperClient,)),
        ("field_nation", (FieldNationClient,)),
    ],
)
def test_every_operation_of_the_clients_is_tried(vendor: str, kinds: tuple[type, ...]) -> None:
    named = [each.name.split(": ")[1].split() for each in operations() if each.vendor == vendor]
    offered = {
        name
        for kind in kinds
        for name, member in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and "Collection" not in str(inspect.signature(member).return_annotation)
    }
    assert offered - PLUMBING == {words[0] for words in named} - {"check_connection"}


def tried(act: Callable[[], object], shown: str = "shown") -> Tally:
    """The tally of one input that did ``act``."""
    one = Tally("made up", seed=1)
    one.secrets.add("hunter2")

    async def begin() -> None:
        async with one.input(7, "kind", shown) as each:
            try:
                act()
            except LookupError as error:
                each.refused(error)

    asyncio.run(begin())
    return one


def refusal(text: str) -> Callable[[], object]:
    def act() -> None:
        raise LookupError(text)

    return act


def test_a_known_error_is_an_outcome_and_every_other_one_a_problem() -> None:
    assert tried(refusal("no such thing")).counts == Counter({("kind", "LookupError"): 1})
    wrong = tried(lambda: int("x"))
    ((what, kind, number, text),) = [(p.what, p.kind, p.number, p.text) for p in wrong.problems]
    assert (what, kind, number) == (RAW, "kind", 7)
    assert "ValueError" in text
    assert "input: shown" in text
    assert wrong.counts == Counter({("kind", RAW): 1})


def test_texts_are_held_to_their_length_and_to_the_secrets() -> None:
    assert [p.what for p in tried(refusal("x" * 5000)).problems] == [LONG]
    assert [p.what for p in tried(refusal("password hunter2 refused")).problems] == [SECRET]


def test_a_secret_in_what_led_to_an_error_is_a_problem() -> None:
    def act() -> None:
        try:
            raise OSError("hunter2 refused")
        except OSError:
            if hidden:
                raise LookupError("no") from None
            raise LookupError("no")  # noqa: B904 - what it comes from is what is told

    hidden = False
    assert [p.what for p in tried(act).problems] == [SECRET]
    hidden = True
    assert tried(act).problems == []


def test_a_secret_in_the_log_is_a_problem() -> None:
    one = Tally("made up", seed=1)
    one.secrets.add("hunter2")
    with one.watched_logs():
        logging.getLogger("somewhere").warning("with %s", "hunter2")
    assert [p.what for p in one.problems] == [SECRET]


def test_too_much_time_or_memory_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "CPU_SECONDS", 0.01)
    assert [p.what for p in tried(lambda: sum(range(2_000_000))).problems] == [SLOW]
    monkeypatch.setattr(tally, "STOP_CPU_SECONDS", 0.05)

    def endless() -> None:
        while True:
            pass

    assert [p.what for p in tried(endless).problems] == [ENDLESS]
    peaks = iter([100.0, 100.0, 900.0])
    monkeypatch.setattr(tally, "peak_megabytes", lambda: next(peaks))
    assert [p.what for p in tried(lambda: None).problems] == [LARGE]


def test_a_target_that_breaks_down_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(tally: Tally, *, inputs: int) -> None:
        raise OSError(f"no world for {tally.seed}, {inputs}")

    monkeypatch.setattr(campaign, "target_named", lambda _name: SimpleNamespace(run=run))
    report = run_target("receiver", Tally("receiver", seed=3), 5)
    assert (report["inputs"], report["problems"][RAW]) == (0, 1)
    assert "no world for 3, 5" in report["first problems"][0]["text"]


def test_one_input_is_replayed_from_its_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    again = Tally("receiver", seed=9, only=4)
    assert list(again.numbers(100)) == [4]
    assert again.draw(4).random() == Tally("receiver", seed=9).draw(4).random()
    assert list(Tally("receiver", seed=9, seconds=-1).numbers(100)) == []
    monkeypatch.setattr(campaign, "RESULT", tmp_path / "fuzz.json")
    report = tmp_path / "one.json"
    assert main(["--only", "receiver", "--seed", "15", "--input", "1", "--report", str(report)]) == 0
    assert json.loads(report.read_text())["inputs"] == 1

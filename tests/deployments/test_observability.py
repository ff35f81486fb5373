"""The dashboard and the alert rules name metrics and labels that exist, and the dashboard shows them all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from connectors.ledger.request_history import DayOfRequests
from connectors.retry import AttemptOutcome, RequestKind
from deployments import ROOT
from deployments.receiver.metrics import MessageCounts
from tasks.shared.run_metrics import FILE_NAME, RunMetrics, TextFile

FOLDER = ROOT / "deployments" / "observability"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
OF_PROMETHEUS = {"job", "instance", "le"}


def expressions() -> Iterator[tuple[str, str]]:
    """Where each stands, and what it asks."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"]
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", rule["expr"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Every sample that a receiver and a run tell of, with its labels."""
    counts, folder = MessageCounts(), tmp_path_factory.mktemp("metrics")
    for name in ("received", "handed_over", "duplicates", "refused", "put_off"):
        counts.end(name, "connectwise", 0.1, "a reason")
    run = RunMetrics("a-flow", "1", read_only=False, places=[TextFile(folder)])
    run.requests.add_try("Lansweeper", RequestKind.READ, AttemptOutcome.ACCEPTED, 0.3)
    run.requests.add_wait("Lansweeper", 0.3)
    run.add_records({"created": 1})
    run.end()
    run._thread.join(10)
    text = counts.text({"waiting": 1}, {"a budget": DayOfRequests(requests=1)})
    samples = [
        each
        for source in (text, (folder / FILE_NAME).read_text(encoding="utf-8"))
        for family in text_string_to_metric_families(source)
        for each in family.samples
    ]
    return {each.name: set(each.labels) | OF_PROMETHEUS for each in samples}


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:connectwise_flows|process)_\w+", expression))


def labels_in(expression: str) -> set[str]:
    """Those that it selects or groups by."""
    grouped = re.findall(r"\b(?:by|on|without) \(([^)]*)\)", expression)
    selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression)
    return {label.strip() for each in grouped for label in each.split(",")} | set(selected)


@pytest.mark.parametrize(("place", "expression"), list(expressions()), ids=lambda each: each[:60])
def test_every_metric_and_label_that_is_named_exists(
    told: dict[str, set[str]], place: str, expression: str
) -> None:
    names = names_in(expression)
    assert names, place
    assert names - told.keys() == set()
    assert labels_in(expression) - set().union(*(told[name] for name in names)) == set()


def test_every_metric_is_shown(told: dict[str, set[str]]) -> None:
    shown = {name for _, expression in expressions() for name in names_in(expression)}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown}
    ours = {
        re.sub(r"_(bucket|count|sum)$", "", name) for name in told if name.startswith("connectwise_flows")
    }
    assert ours - families == set()


def test_labels_in_words_are_those_of_the_result() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            wanted = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert wanted <= labels_in(target["expr"]) | {"budget", "instance"}, panel["title"]
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            words = " ".join(rule["annotations"].values())
            wanted = set(re.findall(r"\$labels\.(\w+)", words))
            assert wanted <= labels_in(rule["expr"]) | {"budget"}, rule["alert"]
            assert rule["labels"]["severity"] in ("warning", "critical")


def test_panels_and_alerts_have_names_of_their_own() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    alerts = [rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]]
    assert len(set(ids)) == len(ids)
    assert len(set(alerts)) == len(alerts)

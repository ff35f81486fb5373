"""What runs count adds up in a file or a Pushgateway, and no trouble with either is a run's trouble."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import flow
from prometheus_client.parser import text_string_to_metric_families

from connectors.retry import AttemptOutcome, RequestKind
from tasks.shared.connections import shared_connections
from tasks.shared.results import cancelled_state, finished_state
from tasks.shared.run_metrics import (
    FILE_NAME,
    PUSHGATEWAY,
    TEXTFILE_FOLDER,
    Place,
    Pushgateway,
    RunMetrics,
    TextFile,
)

pytestmark = pytest.mark.anyio

Values = dict[tuple[str, ...], float]


def values_in(text: str) -> Values:
    """By the name without the project's prefix, and the values of the labels in the order of their names."""
    return {
        (name.removeprefix("connectwise_flows_"), *(value for _, value in sorted(labels.items()))): number
        for family in text_string_to_metric_families(text)
        for name, labels, number, *_ in family.samples
    }


def in_file(folder: Path) -> Values:
    return values_in((folder / FILE_NAME).read_text(encoding="utf-8"))


async def one_run(
    *places: Place, records: Mapping[str, int] | None = None, outcome: str = "completed"
) -> None:
    """A run with a request of 0.3 s."""
    run = RunMetrics("asset-synchronization", "1", read_only=False, places=places)
    run.requests.add_try("Lansweeper", RequestKind.READ, AttemptOutcome.ACCEPTED, 0.3)
    run.add_records(records or {})
    run.outcome = outcome
    run.end()
    await run.told()


REQUESTS = ("request_seconds_count", "read", "accepted", "Lansweeper")
COMPLETED = ("run_seconds_count", "asset-synchronization", "completed", "false")
FAILED = ("run_seconds_count", "asset-synchronization", "failed", "false")
SUCCESS = ("run_last_success_timestamp_seconds", "asset-synchronization", "false")


def records(outcome: str) -> tuple[str, ...]:
    return "records_total", "asset-synchronization", outcome, "false"


class Gateway:
    """Keeps our group as a Pushgateway does: bounds as it writes them, beside other samples and its own."""

    OTHERS = 'connectwise_flows_records_total{job="another",instance=""} 9'
    OWN = '# TYPE push_time_seconds gauge\npush_time_seconds{job="connectwise_flows",instance=""} 1'

    def __init__(self, status: int = 200) -> None:
        self.pushed = ""
        self.status = status

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            assert request.url.path == "/metrics/job/connectwise_flows"
            self.pushed = request.content.decode()
            return httpx.Response(self.status)
        return httpx.Response(self.status, text=self.shown())

    def shown(self) -> str:
        lines = [self.OWN]
        for line in self.pushed.splitlines():
            lines.append(line if line.startswith("#") else self._grouped(line))
            lines += [self.OTHERS] if line == "# TYPE connectwise_flows_records_total counter" else []
        return "\n".join([*lines, ""])

    @staticmethod
    def _grouped(line: str) -> str:
        series, _, value = re.sub(r'(le="\d+)\.0"', r'\1"', line).rpartition(" ")
        group = 'instance="",job="connectwise_flows"'
        return f"{series[:-1]},{group}}} {value}" if series.endswith("}") else f"{series}{{{group}}} {value}"

    def place(self) -> Pushgateway:
        return Pushgateway("http://127.0.0.1:9091/", httpx.MockTransport(self.handle))


async def test_counters_go_on_from_run_to_run_and_the_last_success_stays(tmp_path: Path) -> None:
    place = TextFile(tmp_path / "new")
    await one_run(place, records={"created": 3, "failed": 0})
    first = in_file(tmp_path / "new")
    await one_run(place, records={"created": 2}, outcome="failed")
    values = in_file(tmp_path / "new")
    assert (values[REQUESTS], values[records("created")], values[records("failed")]) == (2, 5, 0)
    assert values["request_seconds_bucket", "read", "0.25", "accepted", "Lansweeper"] == 0
    assert values["request_seconds_bucket", "read", "0.5", "accepted", "Lansweeper"] == 2
    assert (values[COMPLETED], values["run_seconds_count", "asset-synchronization", "failed", "false"]) == (
        1,
        1,
    )
    assert values[SUCCESS] == first[SUCCESS]
    assert [path.name for path in (tmp_path / "new").glob("*.prom")] == [FILE_NAME]


async def test_runs_that_end_at_once_lose_nothing(tmp_path: Path) -> None:
    begun = [RunMetrics("a-flow", str(n), read_only=True, places=[TextFile(tmp_path)]) for n in range(12)]
    for each in begun:
        each.add_records({"created": 1})
        each.end()
    for each in begun:
        await each.told()
    assert in_file(tmp_path)["records_total", "a-flow", "created", "true"] == 12


async def test_what_a_long_run_has_told_is_not_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.shared.run_metrics.TOLD_EVERY", 0.01)
    told = threading.Event()

    class Noticed(TextFile):
        def update(self, *arguments: Any) -> None:
            super().update(*arguments)
            if "records_total{" in (tmp_path / FILE_NAME).read_text():
                told.set()

    run = RunMetrics("asset-synchronization", "1", read_only=False, places=[Noticed(tmp_path)])
    run.add_records({"created": 1})
    assert told.wait(10)
    assert in_file(tmp_path)[records("created")] == 1
    run.add_records({"created": 1})
    run.end()
    await run.told()
    assert in_file(tmp_path)[records("created")] == 2


@pytest.mark.parametrize("damage", ["{", "x" * 9, 'connectwise_flows_records_total{flow="a'])
async def test_a_damaged_file_begins_anew(tmp_path: Path, damage: str) -> None:
    (tmp_path / FILE_NAME).write_text(damage)
    await one_run(TextFile(tmp_path))
    assert in_file(tmp_path)[REQUESTS] == 1


async def test_a_histogram_with_other_buckets_begins_anew(tmp_path: Path) -> None:
    await one_run(TextFile(tmp_path))
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text().replace('le="180.0"', 'le="200.0"'))
    await one_run(TextFile(tmp_path))
    values = in_file(tmp_path)
    assert (values[REQUESTS], values[COMPLETED]) == (1, 2)


async def test_a_pushgateway_keeps_the_sum_of_all_runs_and_of_no_other_group() -> None:
    gateway = Gateway()
    for _ in range(3):
        await one_run(gateway.place(), records={"created": 1})
    values = values_in(gateway.pushed)
    assert (values[REQUESTS], values[records("created")], values[COMPLETED]) == (3, 3, 3)


async def test_a_place_that_is_not_there_fails_nothing_and_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    await one_run(TextFile(tmp_path / "file"), Gateway(503).place(), TextFile(tmp_path))
    assert in_file(tmp_path)[REQUESTS] == 1
    told = [each.getMessage() for each in caplog.records if "Metrics could not be told" in each.getMessage()]
    assert told == [
        "Metrics could not be told to a TextFile: FileExistsError",
        "Metrics could not be told to a Pushgateway: HTTPStatusError",
    ]


@flow(name="inner", persist_result=False)
async def inner() -> Any:
    async with shared_connections():
        return finished_state("Failed", ["one"], None, {"failed": 7})


@flow(name="outer", persist_result=False)
async def outer(how: str) -> Any:
    async with shared_connections(read_only=True):
        await inner(return_state=True)
        if how == "raises":
            raise ValueError(how)
        if how == "cancelled":
            return cancelled_state("Another run writes")
        failures = ["one of them"] if how == "failed" else []
        return finished_state("Done", failures, how, {"updated": 2, "failed": len(failures)})


@pytest.mark.prefect
@pytest.mark.usefixtures("prefect_server")
async def test_a_run_is_measured_with_its_outcome_and_without_that_of_the_flows_it_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TEXTFILE_FOLDER, str(tmp_path))
    monkeypatch.delenv(PUSHGATEWAY, raising=False)
    for how in ("completed", "failed", "raises", "cancelled"):
        await outer(how, return_state=True)
    values = in_file(tmp_path)
    runs = {key[1:]: value for key, value in values.items() if key[0] == "run_seconds_count"}
    assert runs == {
        ("outer", "completed", "true"): 1,
        ("outer", "failed", "true"): 2,
        ("outer", "cancelled", "true"): 1,
    }
    counted = {key[1:]: value for key, value in values.items() if key[0] == "records_total"}
    assert counted == {("outer", "updated", "true"): 4, ("outer", "failed", "true"): 1}

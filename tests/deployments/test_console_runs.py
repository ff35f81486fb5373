"""Commands that run a deployment, against a real Prefect server; a thread stands in for the worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
from prefect import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.callables import parameter_schema
from typer.testing import CliRunner

from deployments.console import runs
from deployments.console.app import app
from deployments.console.output import CommandError, ExitCode
from deployments.local.prefect import LocalPrefect
from flows.asset_synchronization import asset_synchronization
from flows.link_configuration import link_configuration
from flows.undo_run import undo_run
from tasks.rules.choices import ASK

pytestmark = pytest.mark.prefect

NAME, LINK = "assets of a customer", "link-configuration"
MINE = {"company": "BlueLightCo", "prefix": "mine_", "ceilings": {"modified": 0.5}}
PLAN = (
    "# Plan\n\n**Dry run: nothing is written.**\n\n"
    "| Read | To create |\n| --- | --- |\n| **4** | **4** |\n\n## Changes\n\nx"
)
REPORT = "# Report\n\n| Read | Created | Failed |\n| --- | --- | --- |\n| **4** | **3** | **1** |"


@pytest.fixture(scope="module", autouse=True)
def deployment(prefect_server: LocalPrefect) -> Iterator[None]:
    """A deployment of one's own, with settings among its defaults."""

    async def make() -> Any:
        made = RunnerDeployment.from_flow(
            asset_synchronization,
            name=NAME,
            parameters={"settings": MINE, "connectwise": "north"},
            entrypoint_type=EntrypointType.MODULE_PATH,
            enforce_parameter_schema=False,
        )
        link = RunnerDeployment.from_flow(
            link_configuration,
            name=LINK,
            entrypoint_type=EntrypointType.MODULE_PATH,
            enforce_parameter_schema=False,
        )
        return [await made.aapply(), await link.aapply()]

    async def remove(made: Any) -> None:
        async with get_client() as client:
            for each in made:
                await client.delete_deployment(each)

    made = anyio.run(make)
    yield
    anyio.run(remove, made)


class Worker:
    """Ends each run that waits: publishes the artifacts, then sets the state."""

    def __init__(self, server: LocalPrefect) -> None:
        self.http = httpx.Client(base_url=server.api_url, timeout=30)
        self.parameters: list[dict[str, Any]] = []

    def work(self, state: dict[str, Any], artifacts: dict[str, str], stopped: Event) -> None:
        scheduled = {
            "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
            "deployments": {"name": {"any_": [NAME, LINK]}},
        }
        while not stopped.wait(0.1):
            for run in self._post("/flow_runs/filter", scheduled):
                self.parameters.append(run["parameters"])
                self._state(run["id"], {"type": "RUNNING"})
                log = {
                    "name": "prefect.flow_runs",
                    "level": 20,
                    "message": "assets read: 4",
                    "flow_run_id": run["id"],
                }
                self._post("/logs/", [log | {"timestamp": "2026-01-01T00:00:00Z"}])
                for key, text in artifacts.items():
                    body = {"key": key, "type": "markdown", "data": text, "flow_run_id": run["id"]}
                    self._post("/artifacts/", body)
                self._state(run["id"], state)

    def _state(self, run_id: str, state: dict[str, Any]) -> None:
        self._post(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def _post(self, path: str, body: Any) -> Any:
        answer = self.http.post(path, json=body).raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def working(server: LocalPrefect, state: dict[str, Any], **artifacts: str) -> Iterator[Worker]:
    worker, stopped = Worker(server), Event()
    named = {f"asset-synchronization-{name}": text for name, text in artifacts.items()}
    thread = Thread(target=worker.work, args=(state, named, stopped))
    thread.start()
    try:
        yield worker
    finally:
        stopped.set()
        thread.join()
        worker.http.close()


def call(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_a_plan_is_a_dry_run_under_the_deployments_own_settings(prefect_server: LocalPrefect) -> None:
    with working(
        prefect_server, {"type": "COMPLETED", "name": "Completed"}, plan=PLAN, report=REPORT
    ) as worker:
        done = call("plan", "Second", "-d", NAME, "--set", "ceilings.go_on=true", "--json")
    assert done.exit_code == ExitCode.DONE, done.stderr
    wanted = MINE | {"company": "Second", "mode": "plan", "ceilings": {"modified": 0.5, "go_on": True}}
    assert worker.parameters == [{"settings": wanted, "connectwise": "north"}]
    document = json.loads(done.stdout)
    assert (document["outcome"], document["run"]["state_type"]) == ("done", "COMPLETED")
    assert [each["data"] for each in document["artifacts"]] == [PLAN, REPORT]
    assert "assets read: 4" in done.stderr
    assert document["run"]["url"].startswith(prefect_server.ui_url)
    assert document["run"]["url"] in done.stderr


def test_a_real_run_with_failures_ends_with_3_and_is_reported_later(prefect_server: LocalPrefect) -> None:
    assert call("apply", "-d", NAME).exit_code == ExitCode.USAGE
    state = {"type": "FAILED", "name": "Finished with 1 failure", "message": "one was refused"}
    with working(prefect_server, state, plan=PLAN, report=REPORT) as worker:
        done = call("apply", "-d", NAME, "--yes", "--lansweeper", "north")
    assert done.exit_code == ExitCode.FINDINGS, done.stderr
    assert worker.parameters == [
        {"settings": MINE | {"mode": "apply"}, "connectwise": "north", "lansweeper": "north"}
    ]
    assert done.stdout.startswith(REPORT)
    assert "Finished with 1 failure: one was refused (outcome: findings)" in done.stdout
    told = call("report", "--json")
    (run,) = json.loads(told.stdout)["runs"]
    assert (told.exit_code, run["counts"]) == (ExitCode.DONE, {"read": 4, "created": 3, "failed": 1})
    assert run["run"]["id"] in done.stdout
    one = call("report", run["run"]["id"], "--all").stdout
    assert PLAN in one
    assert REPORT in one
    assert PLAN not in call("report", run["run"]["id"]).stdout


def test_a_decision_is_shown_and_with_write_it_asks_first(prefect_server: LocalPrefect) -> None:
    pair = ("link", "BlueLightCo", "key-1", "1204")
    assert call(*pair, "--write").exit_code == ExitCode.USAGE
    with working(prefect_server, {"type": "COMPLETED", "name": "Completed"}) as worker:
        shown = call(*pair, "--lansweeper", "north")
        written = call("link", "BlueLightCo", "key-1", "--decision", "ignore", "--write", "--yes")
    assert (shown.exit_code, written.exit_code) == (ExitCode.DONE, ExitCode.DONE), shown.stderr
    first, second = worker.parameters
    assert first == {
        "company": "BlueLightCo",
        "asset_key": "key-1",
        "decision": "link",
        "configuration_id": 1204,
        "move": False,
        "dry_run": True,
        "lansweeper": "north",
    }
    assert (second["decision"], second["configuration_id"], second["dry_run"]) == ("ignore", None, False)
    assert call(*pair[:3], "--decision", "lnk").exit_code == ExitCode.USAGE


def test_a_stored_plan_is_applied_for_its_own_company(prefect_server: LocalPrefect) -> None:
    with working(prefect_server, {"type": "COMPLETED"}, report=REPORT) as worker:
        done = call("apply", "plan-1A2b", "--rest", "--yes", "-d", NAME)
    assert done.exit_code == ExitCode.DONE, done.stderr
    wanted = MINE | {"company": ASK, "plan": "plan-1A2b", "drift": "rest", "mode": "apply"}
    assert worker.parameters == [{"settings": wanted, "connectwise": "north"}]
    assert call("apply", "BlueLightCo", "--rest", "--yes", "-d", NAME).exit_code == ExitCode.USAGE


def test_a_stored_plan_of_an_undo_is_applied_with_the_inputs_of_that_flow() -> None:
    deployment: Any = SimpleNamespace(
        name="undo-run",
        parameters={},
        parameter_openapi_schema=parameter_schema(undo_run).model_dump(),
    )
    changes = {"mode": "apply", "plan": "plan-1a2b", "drift": "rest", "company": ASK}
    form = runs._form(deployment, changes, {"connectwise": "north"})
    assert form == {
        "mode": "apply",
        "dry_run": False,
        "plan": "plan-1a2b",
        "drift": "rest",
        "connectwise": "north",
    }
    with pytest.raises(CommandError, match="no plan of this kind"):
        runs._form(deployment, {"mode": "apply"}, {})


def test_a_wait_that_ends_early_leaves_the_run(prefect_server: LocalPrefect) -> None:
    short, none = (call("plan", "-d", NAME, "--wait", seconds, "--json") for seconds in ("0.2", "0"))
    assert (short.exit_code, none.exit_code) == (ExitCode.RUNNING, ExitCode.DONE)
    assert [json.loads(each.stdout)["outcome"] for each in (short, none)] == ["running", "running"]
    with working(prefect_server, {"type": "COMPLETED"}) as worker:
        deadline = time.monotonic() + 30
        while len(worker.parameters) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert len(worker.parameters) == 2


def test_ctrl_c_leaves_the_run_and_says_where_it_is(prefect_server: LocalPrefect) -> None:
    start = [sys.executable, "-m", "deployments.console", "plan", "-d", NAME]
    environment = os.environ | dict(prefect_server.environment)
    process = subprocess.Popen(
        start, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    while "Scheduled" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (ExitCode.INTERRUPTED, "")
    run_id = first.partition("(")[2].partition(")")[0]
    assert f"prefect flow-run cancel {run_id}" in err
    assert "Traceback" not in err
    with working(prefect_server, {"type": "COMPLETED"}) as worker:
        deadline = time.monotonic() + 30
        while not worker.parameters and time.monotonic() < deadline:
            time.sleep(0.05)
    assert worker.parameters


def test_what_is_not_there_is_named(prefect_server: LocalPrefect) -> None:
    other = call("plan", "-d", "nobody's")
    assert (other.exit_code, NAME in other.stderr) == (ExitCode.USAGE, True)
    assert (
        call("plan", "-d", f"asset-synchronization/{NAME}", "--set", "company=").exit_code == ExitCode.USAGE
    )
    assert call("report", "12").exit_code == call("report", "-f", "no-such-flow").exit_code == ExitCode.FAILED


def test_rules_go_out_and_come_back(prefect_server: LocalPrefect, tmp_path: Any) -> None:
    file = tmp_path / "rules.yaml"
    assert call("rules", "export", "dispatch", "--out", str(file)).exit_code == ExitCode.DONE
    file.write_text(file.read_text().replace("create_state: draft", "create_state: publish"))
    arguments = ["rules", "import", "dispatch", str(file), "--name", "console"]
    assert call(*arguments).exit_code == ExitCode.USAGE
    first, again = (json.loads(call(*arguments, "--yes", "--json").stdout) for _ in range(2))
    assert (first["changed"], again["changed"]) == (True, False)
    saved = call("rules", "export", "dispatch", "--name", "console", "--json")
    assert json.loads(saved.stdout)["create_state"] == "publish"
    assert call("rules", "export", "dispatch", "--name", "nobody").exit_code == ExitCode.USAGE
    removed = httpx.get(
        f"{prefect_server.api_url}/block_types/slug/dispatch-rules/block_documents/name/console"
    ).json()
    httpx.delete(f"{prefect_server.api_url}/block_documents/{removed['id']}").raise_for_status()

"""Runs of deployments through Prefect's client: start one, follow it to its end, read what it published.

A run goes by its deployment, so that a worker does it and the Prefect UI shows it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import anyio
import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterStartTime,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import Artifact, FlowRun, State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.utilities.urls import url_for

from deployments.console.outcome import Outcome, outcome_of
from deployments.console.output import CommandError, ExitCode, Output
from tasks.rules.report import read_counts
from tasks.shared.retry import poll
from tasks.shared.run_forms import own_deployments

LOOK_SECONDS = 1.0
WORKER_SECONDS = 20.0
"""So long a run may wait for a worker before a person is told how to start one."""
LOG_PAGE = 200
"""Prefect answers at most so many log lines at once."""
ROUTINE = (
    "Beginning flow run",
    "Downloading flow code",
    "Finished in state Completed()",
    "Flow run '",
    "Worker '",
)
"""Log lines of Prefect's own, which say nothing of this run."""
REPORT, PLAN = "-report", "-plan"
"""How the keys of such artifacts end."""


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """A run as it is now, and the artifacts that it published so far, the oldest first."""

    run: FlowRun
    flow: str
    artifacts: Sequence[Artifact] = ()

    @property
    def state(self) -> State[Any]:
        return self.run.state or State(type="PENDING")

    @property
    def outcome(self) -> Outcome:
        state = self.state
        return outcome_of(state.type.value, state.name or "", state.message or "", self.documents())

    @property
    def url(self) -> str:
        return run_url(self.run.id)

    def documents(self, ending: str = "") -> list[str]:
        """The Markdown artifacts whose key ends so."""
        found = [each for each in self.artifacts if each.type == "markdown"]
        return [str(each.data) for each in found if (each.key or "").endswith(ending)]

    def table(self, key: str) -> list[dict[str, Any]] | None:
        """The rows of the table artifact of that key; None if it was not published."""
        for each in self.artifacts:
            if each.key == key:
                return list(json.loads(each.data) if isinstance(each.data, str) else each.data or [])
        return None

    def document(self) -> dict[str, Any]:
        """For ``--json``: how it ended, the run, its counts and everything that it published."""
        run, state, outcome = self.run, self.state, self.outcome
        top = [*self.documents(REPORT), *self.documents(PLAN)]
        return {
            "outcome": outcome.value,
            "exit_code": int(outcome.code),
            "run": {
                "id": str(run.id),
                "name": run.name,
                "flow": self.flow,
                "state": state.name,
                "state_type": state.type.value,
                "message": state.message or "",
                "parameters": run.parameters,
                "started": run.start_time and run.start_time.isoformat(),
                "ended": run.end_time and run.end_time.isoformat(),
                "url": self.url,
            },
            "counts": read_counts(top[0]) if top else {},
            "artifacts": [
                {"key": each.key, "type": each.type, "description": each.description, "data": each.data}
                for each in self.artifacts
            ],
        }


def run_url(run_id: UUID) -> str:
    """The run's page in the Prefect UI."""
    return url_for("flow-run", obj_id=run_id) or ""


async def find_deployment(name: str) -> DeploymentResponse:
    """The deployment of this project called so, or ``flow/deployment``.

    Raises:
        CommandError: there is none, or none at all, or several of that name.
    """
    found = await own_deployments()
    if not found:
        raise CommandError(
            "The Prefect server has no deployments of this project. Run: connectwise-flows bootstrap",
            ExitCode.USAGE,
        )
    named = [each for each in found if each.name == name]
    if "/" in name:
        flow, _, own = name.partition("/")
        named = [each for each in found if each.name == own and _flow_name(each) == flow]
    if len(named) == 1:
        return named[0]
    if named:
        flows = ", ".join(sorted(f"{_flow_name(each)}/{name}" for each in named))
        raise CommandError(f"Several deployments are called {name!r}: {flows}", ExitCode.USAGE)
    raise CommandError(
        f"There is no deployment {name!r}. There are: {', '.join(sorted(each.name for each in found))}",
        ExitCode.USAGE,
    )


def _flow_name(deployment: DeploymentResponse) -> str:
    """Entrypoints are functions of the flows' names with underscores."""
    return (deployment.entrypoint or "").rpartition(".")[2].replace("_", "-")


async def start_run(
    client: PrefectClient, deployment: DeploymentResponse, parameters: Mapping[str, Any], out: Output
) -> FollowedRun:
    """Submit the deployment's form with these values over its defaults."""
    run = await client.create_flow_run_from_deployment(deployment.id, parameters=dict(parameters))
    out.say(f"Started run {run.name} ({run.id}) of {deployment.name}\n{run_url(run.id)}")
    return FollowedRun(run, (await client.read_flow(run.flow_id)).name)


@dataclass(slots=True)
class _Progress:
    """What a person was told of a run so far."""

    out: Output
    state: str = ""
    logs: int = 0
    silent: bool = False
    hinted: bool = False
    began: float = field(default_factory=anyio.current_time)

    def show_state(self, run: FlowRun) -> None:
        state = run.state
        if state is None:
            return
        if state.name != self.state:
            self.state = state.name or ""
            self.out.say(f"{datetime.now():%H:%M:%S} {self.state}")
        waited = anyio.current_time() - self.began
        if state.is_scheduled() and not self.hinted and waited > WORKER_SECONDS:
            self.hinted = True
            self.out.say(
                "No worker has taken the run yet. Is one started? prefect worker start --pool connectwise"
            )

    def show_silence(self, error: Exception) -> None:
        if not self.silent:
            self.out.say(
                f"The Prefect server does not answer ({error}); the run goes on, and so does the wait."
            )
        self.silent = True


async def follow(client: PrefectClient, started: FollowedRun, seconds: float, out: Output) -> FollowedRun:
    """Wait for the run's end, at most so many seconds, and tell its states and log lines meanwhile.

    Raises:
        CommandError: Ctrl-C. The run goes on; the text says where it is found.
    """
    run_id, progress = started.run.id, _Progress(out)

    async def ended() -> FlowRun | None:
        try:
            run = await client.read_flow_run(run_id)
            await _show_logs(client, run_id, progress)
            progress.show_state(run)
        except httpx.TransportError as error:
            progress.show_silence(error)
            return None
        progress.silent = False
        return run if run.state and run.state.is_final() else None

    try:
        run = await poll(ended, until=anyio.current_time() + seconds, pause=LOOK_SECONDS)
    except asyncio.CancelledError:
        raise CommandError(
            f"The run {run_id} goes on.\nLook:  {run_url(run_id)}\n"
            f"Later: connectwise-flows report {run_id}\nStop:  prefect flow-run cancel {run_id}",
            ExitCode.INTERRUPTED,
        ) from None
    if run is None:
        out.say(f"The run goes on after {seconds:.0f} s. Later: connectwise-flows report {run_id}")
        run = await client.read_flow_run(run_id)
    return FollowedRun(run, started.flow, await artifacts_of(client, run_id))


async def _show_logs(client: PrefectClient, run_id: UUID, progress: _Progress) -> None:
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]))
    while True:
        found = await client.read_logs(wanted, limit=LOG_PAGE, offset=progress.logs)
        progress.logs += len(found)
        for each in found:
            if not each.message.startswith(ROUTINE):
                progress.out.say(f"{each.timestamp.astimezone():%H:%M:%S} {each.message}")
        if len(found) < LOG_PAGE:
            return


async def artifacts_of(client: PrefectClient, run_id: UUID) -> list[Artifact]:
    """What a run published, the oldest first."""
    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
    found = await client.read_artifacts(artifact_filter=wanted)
    return sorted(found, key=lambda each: str(each.created))


async def find_run(client: PrefectClient, run_id: str) -> FlowRun | None:
    """The run of that id; None if Prefect does not know it (any longer), or it is no id."""
    try:
        return await client.read_flow_run(UUID(run_id))
    except (ValueError, ObjectNotFound):
        return None


async def last_runs(client: PrefectClient, flows: Sequence[str], count: int) -> list[FlowRun]:
    """The runs of these flows that were started last, the newest first."""
    return await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=list(flows))),
        flow_run_filter=FlowRunFilter(start_time=FlowRunFilterStartTime(is_null_=False)),
        sort=FlowRunSort.START_TIME_DESC,
        limit=count,
    )


async def with_artifacts(client: PrefectClient, run: FlowRun) -> FollowedRun:
    """A run with its flow's name and what it published."""
    flow = await client.read_flow(run.flow_id)
    return FollowedRun(run, flow.name, await artifacts_of(client, run.id))

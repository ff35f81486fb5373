"""``python -m deployments.serve``: runs the deployments of ``prefect.yaml`` here, without a worker.

For a laptop: while it runs, the Prefect UI offers every flow, and schedules that are active fire. It needs a
Prefect server, such as ``prefect server start``; Ctrl-C ends it and pauses the schedules.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from prefect import serve
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import load_flow_from_entrypoint
from prefect.types.entrypoint import EntrypointType

from deployments import DEPLOYMENTS

RUNS_AT_ONCE = 4


def main(announce: Callable[[list[str]], None] = lambda names: None) -> int:
    """Serve until Ctrl-C; ``announce`` is given the deployments' names before."""
    deployments = served_deployments()
    announce([each.name for each in deployments])
    serve(*deployments, limit=RUNS_AT_ONCE)
    return 0


def served_deployments(file: Path = DEPLOYMENTS) -> list[RunnerDeployment]:
    """Every deployment of the file, to be run here instead of by a worker."""
    return [_served(each) for each in yaml.safe_load(file.read_text(encoding="utf-8"))["deployments"]]


def _served(entry: dict[str, Any]) -> RunnerDeployment:
    flow: Any = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
    deployment = RunnerDeployment.from_flow(
        flow,
        name=entry["name"],
        description=entry["description"],
        tags=entry.get("tags"),
        parameters=entry.get("parameters"),
        schedules=[_schedule(each) for each in entry.get("schedules") or []],
        enforce_parameter_schema=entry.get("enforce_parameter_schema", True),
        concurrency_limit=entry.get("concurrency_limit"),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    # Made here from the flow's function, whose module may only re-export it.
    deployment.entrypoint = entry["entrypoint"]
    return deployment


def _schedule(entry: dict[str, Any]) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        schedule=CronSchedule(cron=entry["cron"], timezone=entry.get("timezone")),
        active=entry.get("active", True),
        slug=entry.get("slug"),
        parameters=entry.get("parameters") or {},
    )


if __name__ == "__main__":
    sys.exit(main())

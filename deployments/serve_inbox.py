"""``python -m deployments.serve_inbox``: keeps one run of the flow dispatch-inbox going, without a worker.

It serves the deployment ``dispatch-inbox/served`` and starts a run of it; when that run ends, for whatever
reason, it starts the next. SIGTERM ends it: the run finishes the batch that it has taken. Several machines
may do the same, since messages are handed to one run at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from uuid import UUID

import httpx
from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.logging import get_logger
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from deployments.work_pool import HEARTBEAT_SECONDS
from flows.dispatch_inbox import dispatch_inbox

logger = get_logger("dispatch-inbox")
NAME = "served"
RUN_SECONDS = 86_400.0
"""Of one run. Rules are read at its start, so that changed ones count a day later at the latest."""
LOOK_SECONDS = 5.0
"""Between two looks at the run."""
POLL_SECONDS = 2.0
"""Between two questions for runs that are to start."""


def main() -> int:
    asyncio.run(serve())
    return 0


async def serve() -> None:
    """Serve, and start runs one after the other, until SIGTERM or SIGINT."""
    runner = Runner(
        name="dispatch-inbox",
        limit=1,
        pause_on_shutdown=False,
        query_seconds=POLL_SECONDS,
        # A run whose machine died is marked as crashed for want of these.
        heartbeat_seconds=HEARTBEAT_SECONDS,
    )
    deployment = await runner.aadd_deployment(served_inbox())
    running = asyncio.create_task(runner.start())
    keeping = asyncio.create_task(keep_running(deployment))
    await _until_told_to_stop(running, keeping)
    keeping.cancel()
    if runner.started:
        await runner.astop()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(running, keeping)


def served_inbox() -> RunnerDeployment:
    """The deployment, as it is made anew whenever this program starts."""
    return RunnerDeployment.from_flow(
        dispatch_inbox,
        name=NAME,
        description="Drain the inbox that the receiver fills; served by deployments.serve_inbox.",
        tags=["dispatch"],
        parameters={"run_seconds": RUN_SECONDS},
        entrypoint_type=EntrypointType.MODULE_PATH,
        enforce_parameter_schema=False,
    )


async def keep_running(deployment: UUID) -> None:
    """Starts a run whenever the one before has ended; a waiting one of an earlier process is taken over."""
    async with get_client() as client:
        run = await _waiting_run(deployment)
        while True:
            try:
                run = await _running_run(client, deployment, run)
            except httpx.HTTPError as error:
                # The run itself goes on without its server for a while.
                logger.warning("The Prefect server does not answer: %s", error)
            await asyncio.sleep(LOOK_SECONDS)


async def _running_run(client: PrefectClient, deployment: UUID, run: UUID | None) -> UUID:
    state = (await client.read_flow_run(run)).state if run else None
    if run and state and not state.is_final():
        return run
    started = (await client.create_flow_run_from_deployment(deployment)).id
    logger.info("Started run %s of dispatch-inbox", started)
    return started


async def _waiting_run(deployment: UUID) -> UUID | None:
    async with get_client() as client:
        found = await client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
            ),
            limit=1,
        )
    return found[0].id if found else None


async def _until_told_to_stop(*tasks: asyncio.Task[None]) -> None:
    """Returns on a signal, or raises what ended one of the tasks."""
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    # The runner takes SIGTERM for itself when it starts, with a handler that fails inside of a loop.
    await asyncio.sleep(0)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done - {waiting}:
        task.result()


if __name__ == "__main__":
    sys.exit(main())

"""``python -m deployments.bootstrap``: makes a Prefect server ready for these flows; repeatable.

Registers the blocks, makes the work pool and the automation that marks runs as crashed whose process gives
no heartbeat any more, saves blocks from environment variables where they are given, deploys ``prefect.yaml``
and refreshes the choices of the run forms. Where a target is given, it sets up who is told of failed runs.

What a person changed in the Prefect UI stays, in the words of this version (``mode``, not ``dry_run``).
``prefect deploy`` puts back the defaults and the schedules of
``prefect.yaml`` and drops schedules that were added by hand. So default parameters, schedules and whether a
deployment is paused are read first and laid over the new deployments afterwards; the pool keeps its settings
(``work_pool``).
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from prefect import get_client
from prefect.automations import Automation
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.objects import DeploymentSchedule, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from rich.console import Console

from connectors.connectwise.block import ConnectWiseConnection
from connectors.installation import check_files
from connectors.lansweeper.block import LansweeperConnection
from deployments import DEPLOYMENTS, ROOT
from deployments.block_types import BLOCK_TYPES
from deployments.blocks import save_environment_blocks
from deployments.notifications import install_notifications, notification_blocks
from deployments.work_pool import make_pool
from flows.refresh_choices import refresh_choices
from tasks.rules.modes import DRY_RUN, MODE, RunModeError, with_mode
from tasks.shared.connections import saved_block_names
from tasks.shared.run_forms import own_deployments

Deployments = dict[str, DeploymentResponse]
"""By name."""
AUTOMATION_NAME = "Mark runs without heartbeat as crashed"
SILENCE_SECONDS = 90
_HEARTBEAT = "prefect.flow-run.heartbeat"
_ANY_EVENT = "prefect.flow-run.*"
"""Every event of a run: its end too, which bears the state's own name, such as "Finished with 2 failures"."""


async def present_deployments() -> Deployments:
    return {each.name: each for each in await own_deployments()}


async def restore(before: Deployments) -> None:
    """Lay over the deployments what they were before; new deployments stay as ``prefect.yaml`` has them."""
    async with get_client() as client:
        for name, deployment in (await present_deployments()).items():
            if old := before.get(name):
                await _restore_defaults(client, deployment, old)
                for schedule in old.schedules:
                    await _restore_schedule(client, deployment, schedule)


async def _restore_defaults(
    client: PrefectClient, deployment: DeploymentResponse, old: DeploymentResponse
) -> None:
    changes: dict[str, Any] = {}
    parameters = kept_parameters(deployment, old)
    if parameters != deployment.parameters:
        changes["parameters"] = parameters
    if old.paused != deployment.paused:
        changes["paused"] = old.paused
    if changes:
        await client.update_deployment(deployment.id, DeploymentUpdate.model_validate(changes))


def kept_parameters(deployment: DeploymentResponse, old: DeploymentResponse) -> dict[str, Any]:
    """The new defaults with the old ones over them, without inputs that the flow no longer has."""
    inputs = (deployment.parameter_openapi_schema or {}).get("properties", {})
    kept = carried_over(deployment, old.parameters)
    if old.parameters.get(DRY_RUN) and MODE in kept:
        # The usual mode says the same, and leaves callers that give dry_run still their choice.
        del kept[MODE]
    return deployment.parameters | {name: kept[name] for name in kept if name in inputs}


def carried_over(deployment: DeploymentResponse, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of an earlier version in the words of this one: ``mode`` in place of ``dry_run``.

    Parameters in which both stand and contradict each other stay: the run says so before it does anything.
    """
    schema = deployment.parameter_openapi_schema or {}
    inputs, forms = schema.get("properties", {}), schema.get("definitions", {})
    found = dict(parameters)
    with suppress(RunModeError):
        if MODE in inputs:
            found = with_mode(found)
        settings = found.get("settings")
        form = re.search(r"#/definitions/(\w+)", str(inputs.get("settings", {})))
        known = forms.get(form[1], {}).get("properties", {}) if form else {}
        if isinstance(settings, Mapping) and MODE in known:
            found["settings"] = with_mode(settings)
    return found


async def _restore_schedule(
    client: PrefectClient, deployment: DeploymentResponse, old: DeploymentSchedule
) -> None:
    same = [each for each in deployment.schedules if _is_same(each, old)]
    parameters = carried_over(deployment, old.parameters)
    told: dict[str, Any] = {"schedule": old.schedule, "active": old.active, "parameters": parameters}
    for new in same:
        if {name: getattr(new, name) for name in told} != told:
            await client.update_deployment_schedule(deployment.id, new.id, **told)
    if not same and not old.slug:
        made = DeploymentScheduleCreate.model_validate(told)
        await client.create_deployment_schedules(deployment.id, [made])


def _is_same(new: DeploymentSchedule, old: DeploymentSchedule) -> bool:
    """By slug; one that was made by hand has none and is the same if it fires at the same times."""
    return new.slug == old.slug if old.slug else not new.slug and new.schedule == old.schedule


async def install_crash_automation() -> str:
    """Make the automation unless one of its name is there, which may have been changed or switched off."""
    try:
        await Automation.aread(name=AUTOMATION_NAME)
    except ValueError:
        await crash_automation().acreate()
        return f"Automation made: {AUTOMATION_NAME}."
    return f"Automation is there: {AUTOMATION_NAME}."


def crash_automation() -> Automation:
    """A run that has sent a heartbeat and then neither another one nor its end within 90 seconds."""
    return Automation(
        name=AUTOMATION_NAME,
        description="A run whose process was killed would otherwise stay Running for ever.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_ANY_EVENT},
            match={"prefect.resource.id": ["prefect.flow-run.*"]},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=SILENCE_SECONDS),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message="No sign of life from the run's process; start the flow again.",
            )
        ],
    )


def main() -> int:
    console = Console(highlight=False)
    for line in asyncio.run(bootstrap()):
        console.print(line)
    return 0


async def bootstrap() -> list[str]:
    """Every step, in an order in which each finds what it needs; returns a line for each.

    Raises:
        ShadowedPackageError: another distribution has written over this one's files; nothing is done.
        ValueError: the environment variables of a block or of notifications are incomplete, or no pool is of
            the type named.
        RuntimeError: ``prefect deploy`` failed; the text holds the end of its output.
    """
    check_files()
    targets = notification_blocks(os.environ)
    names = await register_blocks()
    done = [f"Blocks registered: {', '.join(names)}."]
    saved = await save_environment_blocks(os.environ)
    done.append(f"Blocks saved from the environment: {', '.join(saved) or 'none'}.")
    done.extend(await make_pool(os.environ))
    done.append(await install_crash_automation())
    before = await present_deployments()
    deploy()
    await restore(before)
    deployed = sorted(await present_deployments())
    done.append(f"{len(deployed)} deployments are in place.")
    done.append(await install_notifications(targets, deployed))
    if await saved_block_names(ConnectWiseConnection) or await saved_block_names(LansweeperConnection):
        state = await refresh_choices(return_state=True)
        done.append(f"Choices of the run forms: {state.name}. {state.message or ''}".strip())
    else:
        done.append("Save a connection under Blocks, then run refresh-choices and check-connections.")
    return done


async def register_blocks() -> list[str]:
    for kind in BLOCK_TYPES:
        await kind.register_type_and_schema()
    return [str(kind._block_type_name) for kind in BLOCK_TYPES]


def deploy() -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(  # noqa: S603
        [*command, "--prefect-file", str(DEPLOYMENTS)],
        cwd=ROOT,
        env=_with_api_address(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"prefect deploy failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _with_api_address() -> dict[str, str]:
    """The child process deploys to the server that this process speaks to."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME

    address = PREFECT_API_URL.value()
    return dict(os.environ) | (
        {"PREFECT_API_URL": str(address), "PREFECT_HOME": str(PREFECT_HOME.value())} if address else {}
    )


if __name__ == "__main__":
    sys.exit(main())

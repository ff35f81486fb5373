"""Keeps what a person changed in the Prefect UI when the deployments are deployed anew.

``prefect deploy`` puts back the defaults and the schedules of ``prefect.yaml`` and drops schedules that were
added by hand. What there was before is read first and laid over the new deployments afterwards: default
parameters, schedules, and whether the deployment is paused.
"""

from __future__ import annotations

from typing import Any

from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse

from tasks.choices import own_deployments

Deployments = dict[str, DeploymentResponse]
"""By name."""


async def present_deployments() -> Deployments:
    """The project's deployments as they are now."""
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
    return deployment.parameters | {name: old.parameters[name] for name in old.parameters if name in inputs}


async def _restore_schedule(
    client: PrefectClient, deployment: DeploymentResponse, old: DeploymentSchedule
) -> None:
    same = [each for each in deployment.schedules if _is_same(each, old)]
    told: dict[str, Any] = {"schedule": old.schedule, "active": old.active, "parameters": old.parameters}
    for new in same:
        if {name: getattr(new, name) for name in told} != told:
            await client.update_deployment_schedule(deployment.id, new.id, **told)
    if not same and not old.slug:
        made = DeploymentScheduleCreate.model_validate(told)
        await client.create_deployment_schedules(deployment.id, [made])


def _is_same(new: DeploymentSchedule, old: DeploymentSchedule) -> bool:
    """By slug; one that was made by hand has none and is the same if it fires at the same times."""
    return new.slug == old.slug if old.slug else not new.slug and new.schedule == old.schedule

"""The work pool of each type: its template, what bootstrap changes of it, and what stays a person's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from prefect import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from pydantic import SecretStr

from connectors.ledger.block import LedgerDatabase
from deployments.local.prefect import LocalPrefect
from deployments.work_pool import (
    HEARTBEAT,
    IMAGE_VARIABLE,
    POOL,
    POOL_TYPES,
    REPLACE_VARIABLE,
    TYPE_VARIABLE,
    base_job_template,
    make_pool,
)
from tests.deployments.test_several_machines import COMPOSE, read_from_files
from tests.support.run_flow import SAVED

CONTAINERS = [each for each in POOL_TYPES if each != "process"]
IMAGE = "registry.example.com/connectwise-flows:2"


def default(template: dict[str, Any], name: str) -> Any:
    return template["variables"]["properties"].get(name, {}).get("default")


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_template_uses_each_of_its_variables_and_no_other(kind: str) -> None:
    template = base_job_template(kind, {})
    used = set(re.findall(r"\{\{ (\w+) \}\}", str(template["job_configuration"])))
    assert used == set(template["variables"]["properties"])


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_run_in_a_container_gets_secrets_as_files_and_keeps_its_answers(kind: str) -> None:
    template = base_job_template(kind, {IMAGE_VARIABLE: IMAGE})
    environment = default(template, "env")
    files = {name: value for name, value in environment.items() if name.endswith("_FILE")}
    assert set(files) == {"PREFECT_API_AUTH_STRING_FILE", "CONNECTWISE_FLOWS_LEDGER_URL_FILE"}
    assert {name.removesuffix("_FILE") for name in files} <= read_from_files()
    # Null takes away what the worker would hand on from its own environment.
    assert environment["PREFECT_API_AUTH_STRING"] is None
    assert environment[HEARTBEAT] == "30"
    mounted = str(template["job_configuration"]) + str(default(template, "volumes"))
    assert all(value.rpartition("/")[0] in mounted for value in files.values())
    assert environment["CONNECTWISE_FLOWS_ANSWERS"] in mounted
    assert default(template, "image") == IMAGE


def test_without_an_image_of_ones_own_it_is_that_of_compose() -> None:
    text = (COMPOSE / "compose.yaml").read_text(encoding="utf-8")
    for kind in CONTAINERS:
        assert f":-{default(base_job_template(kind, {}), 'image')}}}" in text


@pytest.fixture
async def no_pool(prefect_server: LocalPrefect) -> AsyncIterator[None]:
    """Neither pool nor ledger block, before and after."""

    async def delete() -> None:
        SAVED.clear()
        async with get_client() as client:
            with suppress(ObjectNotFound):
                await client.delete_work_pool(POOL)
        await LedgerDatabase().save("default", overwrite=True)

    await delete()
    yield
    await delete()


@pytest.mark.anyio
@pytest.mark.prefect
async def test_a_pool_of_containers_keeps_what_a_person_changed_until_told_otherwise(no_pool: None) -> None:
    chosen = {TYPE_VARIABLE: "kubernetes"}
    assert await make_pool(chosen) == ["Work pool connectwise of the type kubernetes made, 8 runs at once."]
    async with get_client() as client:
        made = await client.read_work_pool(POOL)
        assert made.type == "kubernetes"
        template = made.base_job_template
        template["variables"]["properties"]["env"]["default"]["OWN"] = "1"
        template["variables"]["properties"]["memory_limit"]["default"] = "2Gi"
        await client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))
        assert await make_pool(chosen) == ["Work pool connectwise is there; it stays as it is."]
        assert (await client.read_work_pool(POOL)).base_job_template == template
        assert IMAGE in (await make_pool(chosen | {IMAGE_VARIABLE: IMAGE}))[0]
        changed = (await client.read_work_pool(POOL)).base_job_template
        assert default(changed, "memory_limit") == "2Gi"
        assert default(changed, "image") == IMAGE
        assert "can't be changed" in (await make_pool({TYPE_VARIABLE: "docker"}))[0]
        assert ", of the type kubernetes;" in (await make_pool({}))[0]
        await make_pool(chosen | {REPLACE_VARIABLE: "true"})
        assert (await client.read_work_pool(POOL)).base_job_template == base_job_template("kubernetes", {})


@pytest.mark.anyio
@pytest.mark.prefect
async def test_a_pool_of_containers_without_a_ledger_is_warned_of(no_pool: None) -> None:
    await make_pool({TYPE_VARIABLE: "docker"})
    async with get_client() as client:
        template = base_job_template("docker", {})
        del template["variables"]["properties"]["env"]["default"]["CONNECTWISE_FLOWS_LEDGER_URL_FILE"]
        await client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))
    assert "are refused without a ledger" in (await make_pool({}))[1]
    await LedgerDatabase(path="/data/ledger.db").save("default", overwrite=True)
    assert "/data/ledger.db: let all runs" in (await make_pool({}))[1]
    await LedgerDatabase(url=SecretStr("postgresql://u:p@db/ledger")).save("default", overwrite=True)
    assert len(await make_pool({})) == 1


@pytest.mark.anyio
async def test_an_unknown_type_is_refused_before_anything_is_made() -> None:
    with pytest.raises(ValueError, match="templates for process, docker, kubernetes"):
        await make_pool({TYPE_VARIABLE: "ecs"})

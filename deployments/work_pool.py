"""The work pool that the deployments name: its type, its base job template, and what bootstrap changes of it.

With the type ``process`` a run is a process of the worker, on the worker's disk. With ``docker`` and
``kubernetes`` each run is a container of its own, described by the template in ``work_pools/``: the image,
the secrets as files, the folder of whole answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkPool
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from connectors.installation import PROCESS_POOL
from connectors.ledger.database import PATH_VARIABLE, URL_VARIABLE
from tasks.shared.connections import DEFAULT, load_ledger_block

POOL = "connectwise"
RUNS_AT_ONCE = 8
"""Limit of a new pool; each run is a process of about 150 MB."""
HEARTBEAT = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
"""Without it Prefect's runs send no sign of life, and none is ever marked as crashed."""
HEARTBEAT_SECONDS = 30
"""How often a run says that it lives; Prefect takes no less."""
TYPE_VARIABLE = "CONNECTWISE_FLOWS_POOL_TYPE"
IMAGE_VARIABLE = "CONNECTWISE_FLOWS_IMAGE"
REPLACE_VARIABLE = "CONNECTWISE_FLOWS_REPLACE_TEMPLATE"
TEMPLATES = Path(__file__).with_name("work_pools")
POOL_TYPES = (PROCESS_POOL, "docker", "kubernetes")


def base_job_template(kind: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """The template of a new pool of that type, with the image that the environment names.

    Raises:
        ValueError: there is no template for the type.
    """
    if kind not in POOL_TYPES:
        raise ValueError(f"{TYPE_VARIABLE} is {kind!r}; there are templates for {', '.join(POOL_TYPES)}.")
    if kind == PROCESS_POOL:
        return with_heartbeat(ProcessWorker.get_default_base_job_template())
    template = json.loads((TEMPLATES / f"{kind}.json").read_text(encoding="utf-8"))
    return with_heartbeat(with_image(template, environment))


async def make_pool(environment: Mapping[str, str]) -> list[str]:
    """Make the pool, or bring one that is there up to date; a line for what was done, and warnings.

    A pool that is there keeps its template: a person may have changed it. Added is the heartbeat, set is the
    image where the environment names one, and the whole is replaced where the environment says so.

    Raises:
        ValueError: there is no template for the type that the environment names.
    """
    asked = environment.get(TYPE_VARIABLE, "").strip().lower()
    template = base_job_template(asked or PROCESS_POOL, environment)
    async with get_client() as client:
        try:
            there = await client.read_work_pool(POOL)
        except ObjectNotFound:
            made = WorkPoolCreate(
                name=POOL,
                type=asked or PROCESS_POOL,
                base_job_template=template,
                concurrency_limit=RUNS_AT_ONCE,
            )
            pool = await client.create_work_pool(made)
            of_type = "" if pool.type == PROCESS_POOL else f" of the type {pool.type}"
            return [f"Work pool {POOL}{of_type} made, {RUNS_AT_ONCE} runs at once.", *await _warnings(pool)]
        changed, words = _changed(there, asked, environment)
        if changed != there.base_job_template:
            await client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=changed))
        there.base_job_template = changed
        return [f"Work pool {POOL} is there{_other_type(there, asked)}; {words}.", *await _warnings(there)]


def _changed(pool: WorkPool, asked: str, environment: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """The template that a pool gets which is there, and what is new about it."""
    replace = environment.get(REPLACE_VARIABLE, "").strip().lower() in {"1", "true", "yes", "on"}
    if replace and pool.type in POOL_TYPES and asked in {"", pool.type}:
        return base_job_template(pool.type, environment), "its template is ours again"
    old = pool.base_job_template
    with_beat = with_heartbeat(old)
    changed = with_image(with_beat, environment)
    words = []
    if with_beat != old:
        words.append("its runs send heartbeats from now on")
    if changed != with_beat:
        words.append(f"its runs take the image {environment[IMAGE_VARIABLE].strip()}")
    return changed, " and ".join(words) or "it stays as it is"


def with_heartbeat(template: dict[str, Any]) -> dict[str, Any]:
    """The job template with a frequency of heartbeats in the runs' environment; one without ``env`` stays."""
    changed = deepcopy(template)
    variables = _variable(changed, "env")
    if variables is not None:
        given = variables.get("default") or {}
        variables["default"] = {HEARTBEAT: str(HEARTBEAT_SECONDS)} | given
    return changed


def with_image(template: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The job template with the image that the environment names; one without ``image`` stays."""
    changed = deepcopy(template)
    image, variable = environment.get(IMAGE_VARIABLE, "").strip(), _variable(changed, "image")
    if image and variable is not None:
        variable["default"] = image
    return changed


def _variable(template: dict[str, Any], name: str) -> dict[str, Any] | None:
    found = template.get("variables", {}).get("properties", {}).get(name)
    return found if isinstance(found, dict) else None


def _other_type(pool: WorkPool, asked: str) -> str:
    if pool.type == (asked or PROCESS_POOL):
        return ""
    if not asked:
        return f", of the type {pool.type}"
    return (
        f", but of the type {pool.type}, which can't be changed: delete the pool and repeat this for {asked}"
    )


async def _warnings(pool: WorkPool) -> list[str]:
    """What a person must know of the ledger of runs that share no disk; for other pools nothing."""
    if pool.type == PROCESS_POOL:
        return []
    block = await load_ledger_block(DEFAULT)
    if block.url:
        return []
    if block.path:
        return [f"Warning: the ledger is the file {block.path}: let all runs of the pool mount its folder."]
    given = (_variable(pool.base_job_template, "env") or {}).get("default") or {}
    names = {URL_VARIABLE, f"{URL_VARIABLE}_FILE", PATH_VARIABLE}
    if names & given.keys():
        return []
    return [
        f"Warning: runs of a pool of the type {pool.type} share no disk and are refused without a ledger: "
        f"save the block Integration Ledger with a PostgreSQL address, or set {URL_VARIABLE} in the template."
    ]

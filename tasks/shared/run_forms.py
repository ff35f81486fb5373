"""Run forms of the Prefect UI: titles of shared inputs, choices in dropdowns, and the question for a company.

Choices are read from the vendors and written into the deployments' parameter schemas (``offer``). A run
that a person started without a company pauses and asks for one (``chosen_company``); a scheduled run fails
at once. Prefect takes an input's name as its title and leaves no other way to give one than the JSON schema
(``titled``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from prefect import get_client
from prefect.blocks.core import Block
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from pydantic import Field, create_model
from pydantic.json_schema import SkipJsonSchema

from connectors.connectwise.block import ConnectWiseConnection
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.block import LedgerDatabase
from tasks.rules.choices import ASK, Choices, company_choices, name_choices, site_choices, with_choices
from tasks.rules.modes import PlanOrApply
from tasks.shared.connections import DEFAULT, connectwise_client, lansweeper_client, saved_block_names
from tasks.shared.progress import run_logger
from tasks.shared.run_names import add_to_run_name

OURS = "flows."
"""How the entrypoints of this project's deployments begin; other deployments are not touched."""
PAGE = 200


async def read_companies(connection: str) -> list[str]:
    """``identifier: name`` of every company that the connection sees."""
    async with connectwise_client(connection) as client:
        found = await client.companies.list("deletedFlag = false", fields="id,identifier,name,deletedFlag")
    return company_choices(found)


async def read_reference_names(connection: str) -> dict[str, list[str]]:
    """Names of types, statuses, manufacturers and locations, by the inputs that are tables of them."""
    async with connectwise_client(connection) as client:
        statuses = await client.configuration_statuses.list(fields="id,description")
        return {
            "types": name_choices(await client.configuration_types.list(fields="id,name,inactiveFlag")),
            "statuses": name_choices(statuses, "description"),
            "manufacturers": name_choices(await client.manufacturers.list(fields="id,name,inactiveFlag")),
            "locations": name_choices(await client.locations.list(fields="id,name")),
        }


async def read_sites(connection: str) -> list[str]:
    """``id: name`` of every Lansweeper site that the connection sees."""
    async with lansweeper_client(connection) as client:
        return site_choices([dict(site) for site in await client.authorized_sites()])


async def read_block_names() -> dict[str, list[str]]:
    """The names of the saved blocks, by the inputs that take one."""
    kinds: dict[str, type[Block]] = {
        "connectwise": ConnectWiseConnection,
        "lansweeper": LansweeperConnection,
        "ledger": LedgerDatabase,
    }
    names = {name: await saved_block_names(kind) for name, kind in kinds.items()}
    # Without a block of that name the ledger lies where its default settings say.
    return names | {"ledger": sorted({DEFAULT, *names["ledger"]})}


async def offer(choices: Choices) -> list[str]:
    """Write the choices into this project's deployments, and nothing else; the names of those changed."""
    changed = []
    async with get_client() as client:
        for deployment in await own_deployments():
            old = deployment.parameter_openapi_schema or {}
            new = with_choices(old, choices)
            if new != old:
                update = DeploymentUpdate.model_validate({"parameter_openapi_schema": new})
                await client.update_deployment(deployment.id, update)
                changed.append(deployment.name)
    return sorted(changed)


async def own_deployments() -> list[DeploymentResponse]:
    """Every deployment of a flow of this project."""
    found: list[DeploymentResponse] = []
    async with get_client() as client:
        while page := await client.read_deployments(limit=PAGE, offset=len(found)):
            found += page
            if len(page) < PAGE:
                break
    return [each for each in found if (each.entrypoint or "").startswith(OURS)]


def total(lists: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many choices there are of each input."""
    return {name: len(each) for name, each in lists.items()}


ANSWER_SECONDS = 3600
_LOOK_SECONDS = 5
BY_MACHINE = frozenset({"SCHEDULE", "AUTOMATION"})


class CompanyMissingError(ValueError):
    """The run names no company and nobody is there to ask."""


async def chosen_company(
    typed: str, connection: str, *, answer_seconds: int = ANSWER_SECONDS, look_seconds: int = _LOOK_SECONDS
) -> str:
    """The company that was typed; if none was, the one that the person who started the run picks.

    The run pauses until somebody resumes it in the Prefect UI, where the dialog has a dropdown of the
    companies that the connection sees. To be called from a flow, before anything is read.

    Raises:
        CompanyMissingError: the run was scheduled, or not started from a deployment.
    """
    if typed.strip() not in ("", ASK):
        return typed.strip()
    if not await started_by_hand():
        raise CompanyMissingError(
            "No company is given, and a run that nobody started by hand can't ask for it. "
            "Set the company in the deployment's or the schedule's parameters."
        )
    asked = company_input(await read_companies(connection))
    answer = await pause_flow_run(asked, timeout=answer_seconds, poll_interval=look_seconds)  # type: ignore[misc]
    company = str(answer.company).strip()
    if not company:
        raise CompanyMissingError("The run was resumed without a company. Start it again and pick one.")
    run_logger().info("The company is %s", company)
    await add_to_run_name(company)
    return company


async def started_by_hand() -> bool:
    """Whether a person started this run of a deployment: neither a schedule nor an automation did."""
    if not flow_run.id:
        return False
    async with get_client() as client:
        run = await client.read_flow_run(flow_run.id)
    by_machine = run.created_by is not None and run.created_by.type in BY_MACHINE
    return run.deployment_id is not None and not run.auto_scheduled and not by_machine


def company_input(choices: Sequence[str]) -> type[RunInput]:
    """The form of the resume dialog: one dropdown of these companies."""
    extra = {"enum": list(choices)} if choices else {}
    company = Field(
        title="Company",
        description="ConnectWise company of the configurations.",
        json_schema_extra=extra,  # type: ignore[arg-type]
    )
    made = create_model("CompanyChoice", __base__=RunInput, company=(str, company))
    return made.with_initial_data(description="Which company is this run for?")


def titled(title: str, description: str) -> Any:
    """What an ``Annotated`` input shows in the form; the description is a sentence."""
    return Field(json_schema_extra={"title": title, "description": description})


ConnectWiseName = Annotated[
    str, titled("ConnectWise connection", "Name of the saved ConnectWise PSA Connection block.")
]
LansweeperName = Annotated[
    str, titled("Lansweeper connection", "Name of the saved Lansweeper Connection block.")
]
LedgerName = Annotated[
    str,
    titled(
        "Integration ledger",
        "Name of the saved Integration Ledger block. Without one of that name: a file on the run's machine.",
    ),
]
FieldNationName = Annotated[
    str, titled("Field Nation connection", "Name of the saved Field Nation Connection block.")
]
RulesName = Annotated[
    str,
    titled(
        "Dispatch rules",
        "Name of the saved Dispatch Rules block. Without one of the name default: the documented rules.",
    ),
]
Mode = Annotated[
    PlanOrApply | SkipJsonSchema[None],
    Field(
        json_schema_extra={
            "title": "Mode",
            "description": "plan: show what would be done and write nothing. apply: do it.",
            "default": PlanOrApply.PLAN.value,
        }
    ),
]
"""None where nothing is given, which plans; that way an earlier caller's ``dry_run`` can be told from it."""
EarlierDryRun = SkipJsonSchema[bool | None]
"""The switch that ``Mode`` took the place of: taken still, and not in the form."""
DryRun = Annotated[bool, titled("Dry run", "Show the plan and write nothing.")]
Names = Annotated[list[str], titled("Names", "Names of the records, one by one.")]
Create = Annotated[bool, titled("Create", "Create what is missing.")]
StructureLevel = Annotated[
    int | None,
    titled("Structure level id", "Corporate structure level (1 to 5) of the locations that are created."),
]

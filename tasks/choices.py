"""Reads what run forms may offer, and writes it into the deployments' parameter schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prefect import get_client
from prefect.blocks.core import Block
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse

from connectors.connectwise.block import ConnectWiseConnection
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.block import LedgerDatabase
from tasks.connections import DEFAULT, connectwise_client, lansweeper_client
from tasks.rules.choices import Choices, company_choices, name_choices, site_choices, with_choices
from tasks.saved_blocks import saved_block_names

OURS = "flows."
"""How the entrypoints of this project's deployments begin; other deployments are not touched."""
PAGE = 200


async def read_companies(connection: str) -> list[str]:
    """``identifier: name`` of every company that the connection sees."""
    async with connectwise_client(connection) as client:
        found = await client.list_companies("deletedFlag = false", fields="id,identifier,name,deletedFlag")
    return company_choices(found)


async def read_reference_names(connection: str) -> dict[str, list[str]]:
    """Names of types, statuses, manufacturers and locations, by the inputs that are tables of them."""
    async with connectwise_client(connection) as client:
        statuses = await client.list_configuration_statuses(fields="id,description")
        return {
            "types": name_choices(await client.list_configuration_types(fields="id,name,inactiveFlag")),
            "statuses": name_choices(statuses, "description"),
            "manufacturers": name_choices(await client.list_manufacturers(fields="id,name,inactiveFlag")),
            "locations": name_choices(await client.list_locations(fields="id,name")),
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
    """Write the choices into the forms of this project's deployments; returns the names of those changed.

    Defaults, schedules and everything else of a deployment stay as they are.
    """
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

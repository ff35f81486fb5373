"""Saves the blocks named ``default`` from environment variables, for machines set up without a person."""

from __future__ import annotations

from collections.abc import Mapping

from prefect.blocks.core import Block
from pydantic import SecretStr

from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.block import LedgerDatabase
from deployments.environment_names import (
    CONNECTWISE,
    FIELD_NATION,
    FIELD_NATION_OPTIONAL,
    LANSWEEPER,
    LANSWEEPER_OPTIONAL,
    LEDGER_URL,
)
from tasks.connections import DEFAULT


async def save_environment_blocks(environment: Mapping[str, str]) -> list[str]:
    """Save each block whose variables are set, over the one that is there; returns their kinds.

    Raises:
        ValueError: some variables of a block are set and others are not, or a value can't be right.
    """
    made = environment_blocks(environment)
    for block in made:
        await block.save(DEFAULT, overwrite=True)
    return [str(block._block_type_name) for block in made]


def environment_blocks(environment: Mapping[str, str]) -> list[Block]:
    """The blocks that the variables describe; a block none of whose variables is set is left out."""
    made: list[Block] = []
    if fields := _fields(environment, CONNECTWISE, {}):
        made.append(ConnectWiseConnection.model_validate(fields))
    if fields := _fields(environment, LANSWEEPER, LANSWEEPER_OPTIONAL):
        made.append(LansweeperConnection.model_validate(fields))
    if fields := _fields(environment, FIELD_NATION, FIELD_NATION_OPTIONAL):
        made.append(FieldNationConnection.model_validate(fields))
    if url := environment.get(LEDGER_URL, "").strip():
        made.append(LedgerDatabase(url=SecretStr(url)))
    return made


def _fields(
    environment: Mapping[str, str], needed: Mapping[str, str], optional: Mapping[str, str]
) -> dict[str, str]:
    given = {name: environment.get(name, "").strip() for name in {**needed, **optional}}
    if not any(given.values()):
        return {}
    missing = [name for name in needed if not given[name]]
    if missing:
        raise ValueError(f"Set {', '.join(missing)} too: the block needs all of {', '.join(needed)}.")
    names = {**needed, **optional}
    return {names[name]: value for name, value in given.items() if value}

"""``python -m deployments.blocks LEDGER INFO``: saves the blocks of a running sandbox as ``default``.

``LEDGER`` is the SQLite file of the integration's own database, ``INFO`` the sandbox's first line of output.
For machines that are set up without a person, ``deployments.bootstrap`` saves the blocks named ``default``
from environment variables; which variable fills which field of a block stands in ``deployments.environment``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.blocks.core import Block
from pydantic import SecretStr

from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.block import LedgerDatabase
from deployments.environment import (
    CONNECTWISE,
    FIELD_NATION,
    FIELD_NATION_OPTIONAL,
    LANSWEEPER,
    LANSWEEPER_OPTIONAL,
    LEDGER_URL,
)
from deployments.local.sandbox import TRIAL_BOARD, TRIAL_STATUS
from tasks.dispatch.settings import DispatchRules, DispatchSettings, WorkOrderDefaults
from tasks.rules.dispatch.triggers import Trigger, TriggerCondition
from tasks.shared.connections import DEFAULT

TRIAL_TYPE_OF_WORK = 103
"""Networking, at the sandbox's Field Nation."""


async def save_sandbox_blocks(info: dict[str, Any], ledger: Path, **connectwise_settings: Any) -> None:
    """Save the blocks ``default`` of the sandbox whose first line is ``info``, over those that are there."""
    for block in sandbox_blocks(info, ledger, **connectwise_settings):
        await block.save(DEFAULT, overwrite=True)


def sandbox_blocks(
    info: dict[str, Any], ledger: Path, **connectwise_settings: Any
) -> tuple[ConnectWiseConnection, LansweeperConnection, LedgerDatabase]:
    """The same blocks, not saved."""
    account, lansweeper = info["connectwise"], info["lansweeper"]
    connectwise = ConnectWiseConnection(
        site=account["site"],
        company_id=account["company_id"],
        public_key=SecretStr(account["public_key"]),
        private_key=SecretStr(account["private_key"]),
        client_id=account["client_id"],
        **connectwise_settings,
    )
    site = LansweeperConnection(
        access_token=SecretStr(lansweeper["access_token"]),
        site_id=lansweeper["site_id"],
        endpoint=lansweeper["endpoint"],
    )
    return connectwise, site, LedgerDatabase(path=str(ledger))


def trial_rules() -> DispatchSettings:
    """Rules of dispatch that fit to any scenario's Help Desk, with drafts that may lack fields."""
    conditions = (
        TriggerCondition(field="board", values=(TRIAL_BOARD,)),
        TriggerCondition(field="status", values=(TRIAL_STATUS,)),
    )
    return DispatchSettings(
        triggers=[Trigger(conditions=conditions)],
        work_orders=WorkOrderDefaults(
            type_of_work_id=TRIAL_TYPE_OF_WORK,
            pay_type="fixed",
            pay_amount=150,
            pay_units=1,
            incomplete_drafts=True,
        ),
        outbound_rules=[],
    )


async def save_trial_blocks(info: dict[str, Any], ledger: Path) -> None:
    """Save everything that a trial of all flows needs: the connections, the ledger, and rules of dispatch."""
    await save_sandbox_blocks(info, ledger)
    await save_field_nation_block(info)
    await DispatchRules(rules=trial_rules()).save(DEFAULT, overwrite=True)


async def save_field_nation_block(info: dict[str, Any], webhook_secret: str = "") -> None:
    """Save the block named ``default`` for the Field Nation of a running sandbox, over one that is there."""
    account = info["field_nation"]
    secrets = {name: SecretStr(account[name]) for name in ("client_id", "client_secret", "password")}
    connection = FieldNationConnection(
        username=account["username"],
        base_address=account["base_address"],
        webhook_secret=SecretStr(webhook_secret),
        **secrets,
    )
    await connection.save(DEFAULT, overwrite=True)


async def save_environment_blocks(environment: Mapping[str, str]) -> list[str]:
    """Save each block whose variables are set; returns their kinds. ValueError where some are missing."""
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


if __name__ == "__main__":
    asyncio.run(save_trial_blocks(json.loads(sys.argv[2]), Path(sys.argv[1])))

"""Saves connector blocks: for the sandbox, from the line that it prints when it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.block import LedgerDatabase
from tasks.connections import DEFAULT


async def save_sandbox_blocks(info: dict[str, Any], ledger: Path, **connectwise_settings: Any) -> None:
    """Save the blocks named ``default`` for a running sandbox, over those that are there.

    Args:
        info: the sandbox's first line: addresses and credentials.
        ledger: SQLite file of the integration's own database.
        connectwise_settings: further fields of the ConnectWise block, such as ``request_limit``.
    """
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

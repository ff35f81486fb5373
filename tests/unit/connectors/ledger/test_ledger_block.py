"""The ledger's block: where it points to, and that it opens there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.ledger.block import LedgerDatabase
from connectors.ledger.database import PATH_VARIABLE

pytestmark = pytest.mark.anyio


async def test_the_block_opens_the_named_file(tmp_path: Path) -> None:
    block = LedgerDatabase(path=str(tmp_path / "new folder" / "ledger.db"))
    async with block.open() as ledger:
        assert ledger.place == block.place() == f"SQLite file {tmp_path / 'new folder' / 'ledger.db'}"
    assert (tmp_path / "new folder" / "ledger.db").exists()


async def test_an_address_comes_before_the_file_and_hides_its_password() -> None:
    block = LedgerDatabase(url=SecretStr("postgresql://u:s3cret@db/ledger"), path="x.db")
    assert block.place() == "PostgreSQL database ledger on db"
    assert "s3cret" not in repr(block)


async def test_without_settings_the_environment_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "ledger.db"))
    assert LedgerDatabase().place() == f"SQLite file {tmp_path / 'ledger.db'}"


async def test_every_field_is_described_in_sentences() -> None:
    for field in LedgerDatabase.model_fields.values():
        assert field.title
        assert field.description
        assert field.description.endswith(".")

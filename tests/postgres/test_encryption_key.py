"""The server's encryption key comes from a file: without it, PostgreSQL's data tell no secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deployments.local.prefect import KEY_FILE, LocalPrefect
from tests.postgres.prefect_server import FROM_FILES, ROOT, prefect_on, private_home

pytestmark = pytest.mark.anyio
SECRET = "the-secret-that-nobody-reads"


def save_secret(server: LocalPrefect) -> str:
    """Save a block of Prefect's own kind with a secret; returns its id."""
    kind = call(server, "GET", "/block_types/slug/secret")
    schemas = call(server, "POST", "/block_schemas/filter", {})
    schema = next(each["id"] for each in schemas if each["block_type_id"] == kind["id"])
    block = {
        "name": "kept",
        "data": {"value": SECRET},
        "block_schema_id": schema,
        "block_type_id": kind["id"],
    }
    return str(call(server, "POST", "/block_documents/", block)["id"])


def read_secret(server: LocalPrefect, block: str) -> Any:
    return call(server, "GET", f"/block_documents/{block}?include_secrets=true")["data"]["value"]


def call(server: LocalPrefect, method: str, path: str, body: Any = None) -> Any:
    return httpx.request(method, server.api_url + path, json=body, timeout=60).raise_for_status().json()


async def everything_in(database: str) -> str:
    """All rows of the tables that hold settings and blocks, as text."""
    connection = await asyncpg.connect(database)
    tables = ("configuration", "block_document")
    rows = [str(row) for table in tables for row in await connection.fetch(f"SELECT * FROM {table}")]  # noqa: S608
    await connection.close()
    return "\n".join(rows)


async def test_postgres_holds_neither_secret_nor_key_and_the_key_can_be_rotated(
    database: str, tmp_path: Path
) -> None:
    home = private_home(tmp_path / "prefect")
    with prefect_on(database, home) as server:
        block = save_secret(server)
        assert read_secret(server, block) == SECRET
        kept = await everything_in(database)
        assert "kept" in kept
        assert SECRET not in kept
        assert "fernet_key" not in kept
    old = home / "old.key"
    (home / KEY_FILE).rename(old)
    private_home(home)
    assert rotate(home, old) == 0
    with prefect_on(database, home) as again:
        assert read_secret(again, block) == SECRET
    assert rotate(home, old) == 0, "once more does no harm"
    (home / KEY_FILE).unlink()
    private_home(home)
    assert rotate(home, private_home(tmp_path / "stranger") / KEY_FILE) == 1


def rotate(home: Path, old: Path) -> int:
    """Run the program that encrypts the blocks anew, as the runbook says; returns its exit code."""
    environment = {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL_FILE": str(home / "database"),
        "PATH": "/usr/bin:/bin",
    }
    command = [FROM_FILES, sys.executable, "-m", "deployments.rotate_encryption_key", old, home / KEY_FILE]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True).returncode


@pytest.mark.parametrize("content", [None, ""], ids=["absent", "empty"])
def test_without_the_key_nothing_starts(tmp_path: Path, content: str | None) -> None:
    """Prefect would make a key of its own and keep it in the database, so this must not pass in silence."""
    key = tmp_path / "key"
    if content is not None:
        key.write_text(content)
    environment = {"PREFECT_SERVER_ENCRYPTION_KEY_FILE": str(key), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([FROM_FILES, "echo", "started"], env=environment, capture_output=True, text=True)
    assert done.returncode == 78
    assert "PREFECT_SERVER_ENCRYPTION_KEY_FILE" in done.stderr
    assert "started" not in done.stdout


def test_settings_come_from_files_without_their_line_ends(tmp_path: Path) -> None:
    key = tmp_path / "a key's file"
    key.write_text('it\'s $(a) "key"\n')
    environment = {"PREFECT_SERVER_ENCRYPTION_KEY_FILE": str(key), "PATH": "/usr/bin:/bin"}
    command = [FROM_FILES, "printenv", "PREFECT_SERVER_ENCRYPTION_KEY"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout == 'it\'s $(a) "key"\n'

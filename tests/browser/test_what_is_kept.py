"""After all the runs: no secret in logs, artifacts, parameters, pages, nor in the database file alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.browser.reading import PAGES
from tests.browser.stack import Stack
from tests.browser.test_journeys import TYPED_KEY

PAGE = 200


@pytest.fixture(scope="module")
def secrets(stack: Stack) -> dict[str, bytes]:
    """Each secret as it is, and as ConnectWise's Authorization header wraps it."""
    known = stack.secrets()
    plain = {name: known[name] for name in ("private key", "access token")} | {"typed key": TYPED_KEY}
    assert all(len(value) >= 12 for value in plain.values()), "too short to be looked for"
    header = base64.b64encode(f"{known['login']}:{known['private key']}".encode())
    return {name: value.encode() for name, value in plain.items()} | {"Authorization": header}


def test_files_hold_no_secret(stack: Stack, secrets: dict[str, bytes]) -> None:
    """Logs, the ledger, answers, and the server's database with what is not yet merged into it."""
    files = [path for path in (*stack.home.rglob("*"), stack.output) if path.is_file()]
    assert {"server.log", "worker.log", "prefect.db"} <= {path.name for path in files}
    assert [
        f"{path.name}: {name}"
        for path in files
        for name, secret in secrets.items()
        if secret in path.read_bytes()
    ] == []


def test_pages_hold_no_secret(secrets: dict[str, bytes]) -> None:
    pages = list(PAGES.glob("*.html"))
    assert len(pages) >= 10
    found = [(page.name, name) for page in pages for name in secrets if secrets[name] in page.read_bytes()]
    assert found == []


@pytest.mark.parametrize("kind", ["artifacts", "flow_runs", "task_runs", "logs", "deployments", "variables"])
def test_what_the_server_tells_holds_no_secret(stack: Stack, secrets: dict[str, bytes], kind: str) -> None:
    found = [
        f"{record['id']}: {name}"
        for record in everything(stack, kind)
        for name, secret in secrets.items()
        if secret in str(record).encode()
    ]
    assert found == []


def test_events_and_blocks_hold_no_secret(stack: Stack, secrets: dict[str, bytes]) -> None:
    """What an automation could send away, and what the UI lists of the blocks."""
    told = [*events(stack), *stack.post("/block_documents/filter", {"limit": PAGE})]
    assert len(told) > 20
    found = [(name, each["id"]) for each in told for name in secrets if secrets[name] in str(each).encode()]
    assert found == []


def events(stack: Stack) -> Iterator[dict[str, Any]]:
    """Every event that the server has kept."""
    page = stack.post("/events/filter", {"limit": 50})
    while page["events"]:
        yield from page["events"]
        if not page["next_page"]:
            return
        page = httpx.get(page["next_page"], timeout=60).raise_for_status().json()


def test_key_of_the_blocks_is_not_in_the_database(stack: Stack) -> None:
    """With the key beside the encrypted blocks, the file alone would give the secrets away."""
    key = (stack.home / "encryption.key").read_bytes().strip()
    assert [path.name for path in stack.home.glob("prefect.db*") if key in path.read_bytes()] == []
    # Under that name Prefect would keep a key of its own.
    kept = [path.read_bytes() for path in stack.home.glob("prefect.db*")]
    assert len(kept) >= 1
    assert not any(b"fernet_key" in content for content in kept)


def everything(stack: Stack, kind: str) -> Iterator[dict[str, Any]]:
    """All records of that kind, page by page."""
    offset = 0
    while found := stack.post(f"/{kind}/filter", {"limit": PAGE, "offset": offset}):
        yield from found
        offset += PAGE

"""Starts a Prefect server on PostgreSQL through ``deployments/from_files.sh``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from deployments.local.prefect import (
    KEY_FILE,
    LocalPrefect,
    encryption_key,
    free_port,
    prefect_environment,
    stop,
)

ROOT = Path(__file__).resolve().parents[2]
FROM_FILES = ROOT / "deployments" / "from_files.sh"
START_LIMIT_SECONDS = 240


def private_home(home: Path) -> Path:
    """A folder with a new encryption key in a file."""
    encryption_key(home)
    return home


@contextmanager
def prefect_on(database: str, home: Path) -> Iterator[LocalPrefect]:
    """A server on that database until the block ends; its key and that address are in files in ``home``."""
    port = free_port()
    environment = prefect_environment(home, port)
    del environment["PREFECT_SERVER_ENCRYPTION_KEY"]
    address = home / "database"
    address.write_text(database.replace("postgresql://", "postgresql+asyncpg://"), encoding="utf-8")
    started_with = environment | {
        "PREFECT_SERVER_ENCRYPTION_KEY_FILE": str(home / KEY_FILE),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL_FILE": str(address),
    }
    log = home / "server.log"
    with started(log, started_with, *prefect("server", "start")) as process:
        wait_until_it_answers(process, port, log)
        yield LocalPrefect(port, environment)


def prefect(*arguments: str) -> list[str]:
    """A command of Prefect whose secrets come from files."""
    return [str(FROM_FILES), sys.executable, "-m", "prefect", *arguments]


@contextmanager
def started(log: Path, environment: Mapping[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process of a command until the block ends; what it says is in the log."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            stop(process)


def wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """RuntimeError with the end of its log if it does not, within four minutes."""
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise RuntimeError(f"The Prefect server did not start on PostgreSQL. The end of its log:\n{tail}")

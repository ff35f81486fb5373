"""A Prefect server of our own on loopback, for the demo, the local stack, the tests and the benchmark.

It never touches the user's own Prefect: its home lies in a folder that is given, its port is free, and
analytics are off. Leases of concurrency slots are kept in files, so that they outlive the server.

``python -m deployments.local.prefect`` is the server's process: Prefect's, with SQLite transactions that
begin immediate. Prefect begins them deferred. One that reads first and writes later is then refused at once,
"database is locked", whenever another one wrote in between: the UI shows 503, clients wait two seconds and
try again. Begun immediate, each waits its turn, which is what Prefect does itself where it asks
``with_for_update``. With Prefect 3.8.8 on two cores this made real runs of 400 assets two to three times as
fast. Prefect 3.9.1 still begins them so: of 200 such of eight writers 167 were refused, none here.
A test holds that its own are refused; this can go when that fails.

They wait in this process and not in SQLite, where each waits in a thread of its own and keeps a connection:
under many writers, killed clients and expired leases the whole server then stood still now and again, for the
minute after which SQLite gives up.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import certifi
import httpx
from prefect.context import refresh_global_settings_context
from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction

from connectors.logs import PREFECT_SETTINGS, wants_json
from deployments import ROOT

START_LIMIT_SECONDS = 180
KEY_FILE = "encryption.key"
WITHOUT_EVENTS = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
}
"""For tests and campaigns: on SQLite these services' writes collide with those of the runs, each time for two
seconds."""


@dataclass(frozen=True)
class LocalPrefect:
    """A running server: ``api_url`` for clients, ``ui_url`` for people, ``environment`` for processes."""

    port: int
    environment: Mapping[str, str]

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def home(self) -> Path:
        """The folder of its database, its key and its logs."""
        return Path(self.environment["PREFECT_HOME"])


def free_port() -> int:
    """A loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prefect_environment(home: Path, port: int) -> dict[str, str]:
    """The settings of a private Prefect under ``home``, without any that the user has set."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    address = f"http://127.0.0.1:{port}"
    logs = PREFECT_SETTINGS if wants_json(os.environ) else {}
    return (
        inherited
        | logs
        | {
            "PREFECT_HOME": str(home),
            "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
            "PREFECT_API_URL": f"{address}/api",
            "PREFECT_SERVER_UI_API_URL": f"{address}/api",
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": str(port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_ENCRYPTION_KEY": encryption_key(home),
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
            "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
            "PREFECT_API_SSL_CERT_FILE": str(one_authority(home)),
            "PREFECT_CLI_PROMPT": "false",
            "DO_NOT_TRACK": "1",
        }
    )


def one_authority(home: Path) -> Path:
    """A file with one certificate authority, for clients of a server that speaks plain HTTP.

    Prefect makes a client for every kind of action that a run has, and each reads all authorities and asks
    for a token against forged requests: together a second of a run's CPU, for a server that has neither.
    """
    path = home / "authority.pem"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        first, end, _ = certifi.contents().partition("-----END CERTIFICATE-----")
        path.write_text(f"{first}{end}\n", encoding="utf-8")
    return path


def encryption_key(home: Path) -> str:
    """The key that encrypts block secrets, made once and kept in a file beside the database, not in it."""
    path = home / KEY_FILE
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        # Fernet takes 32 random bytes in URL-safe base64, padding included.
        path.write_text(secrets.token_urlsafe(32) + "=", encoding="ascii")
        path.chmod(0o600)
    return path.read_text(encoding="ascii").strip()


@contextmanager
def local_prefect(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[LocalPrefect]:
    """Start a server whose home is ``home``, wait until it answers, stop it at the end.

    ``settings``: further environment variables. RuntimeError with the end of its log after three minutes.
    """
    port = free_port()
    environment = prefect_environment(home, port) | dict(settings or {})
    log_path = home / "server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.local.prefect"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_healthy(process, port, log_path)
            yield LocalPrefect(port, environment)
        finally:
            stop(process)


def speak_to(prefect: LocalPrefect) -> None:
    """Let Prefect in this process speak to that server from now on.

    Its settings are read when it is first imported, as this module does: a variable alone comes too late, and
    the process would start a temporary server of its own, on the same database.
    """
    os.environ.update(prefect.environment)
    refresh_global_settings_context()


def send_what_is_queued() -> None:
    """Send the log lines and events that this process still holds; to be called before the server is stopped.

    Otherwise Prefect tries for more than a minute, at the end of the process, to reach a server that is gone.
    """
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all()
    EventsWorker.drain_all()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process kindly, and after ten seconds firmly."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log_path: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(f"http://127.0.0.1:{port}/api/health"):
            return
        time.sleep(0.2)
    tail = log_path.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise RuntimeError(f"The Prefect server did not start. The end of its log:\n{tail}")


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


TURN_SECONDS = 30.0
"""After so long a transaction no longer waits for its turn, and leaves the rest to SQLite."""
_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_writer: ContextVar[asyncio.Task[Any] | None] = ContextVar("writer", default=None)


@asynccontextmanager
async def begin_immediate(
    _: AioSqliteConfiguration, session: AsyncSession, with_for_update: bool = False
) -> AsyncGenerator[AsyncSessionTransaction, None]:
    """Prefect's own ``begin_transaction``, always in the mode that it keeps for ``with_for_update``.

    It begins at once, so that a session which is opened meanwhile, to read, does not begin in that mode too.
    """
    async with _turn(), session.begin() as transaction:
        token = SQLITE_BEGIN_MODE.set("IMMEDIATE")
        try:
            await session.connection()
        finally:
            SQLITE_BEGIN_MODE.reset(token)
        yield transaction


@asynccontextmanager
async def _turn() -> AsyncGenerator[None, None]:
    """One writer at a time, in the order in which they came; a task does not wait for itself."""
    task = asyncio.current_task()
    lock = _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    mine = _writer.get() is not task and await _acquired(lock)
    token = _writer.set(task)
    try:
        yield
    finally:
        _writer.reset(token)
        if mine:
            lock.release()


async def _acquired(lock: asyncio.Lock) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(TURN_SECONDS):
            return await lock.acquire()
    return False


def main() -> None:
    AioSqliteConfiguration.begin_transaction = begin_immediate  # type: ignore[method-assign, assignment]
    sys.argv = ["prefect", "server", "start"]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

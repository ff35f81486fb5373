"""Starts a Prefect of two servers with its parts, as compose does, from Debian's packages and on loopback.

PostgreSQL, Redis, the migration, two servers, their background services, and HAProxy with the balancer's own
configuration before them. Everything that Prefect is told stands in compose.yaml; only addresses differ.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from deployments import ROOT
from deployments.local.postgres import on_server
from deployments.local.prefect import (
    KEY_FILE,
    LocalPrefect,
    encryption_key,
    free_port,
    prefect_environment,
)
from deployments.local.sandbox import start_sandbox
from deployments.work_pool import POOL
from tests.postgres.prefect_server import FROM_FILES, prefect, started, wait_until_it_answers
from tests.support.local_stack import Pieces

COMPOSE = ROOT / "deployments" / "compose"
PROGRAMS = {"redis-server": "redis-server", "haproxy": "haproxy"}
"""Each with Debian's package of it."""
START_SECONDS = 60.0


@dataclass(frozen=True)
class Cluster(Pieces):
    """``prefect`` is the balancer's address; ``servers`` are the two behind it, ``home`` has all logs."""

    servers: dict[str, subprocess.Popen[bytes]]
    addresses: dict[str, str]
    home: Path

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask through the balancer, as Prefect's client does: once more where a server was gone meanwhile."""
        for _ in range(20):
            with suppress(httpx.TransportError, httpx.HTTPStatusError):
                return super().call(method, path, body)
            time.sleep(0.5)
        return super().call(method, path, body)

    @contextmanager
    def worker(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker that runs one flow at a time, with a home of its own as on a machine of its own."""
        command = ["worker", "start", "--pool", POOL, "--type", "process", "--name", name, "--limit", "1"]
        environment = dict(self.prefect.environment) | {
            "PREFECT_HOME": str(self.home / name),
            # Asked seldom, a worker that is done with its run takes the other one's too.
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        with started(self.home / f"{name}.log", environment, *prefect(*command)) as process:
            yield process
            # The first signal is a wish to finish its runs, the second an order.
            process.terminate()

    def wait_for_workers(self, names: set[str]) -> None:
        """Until each has told the server that it lives; RuntimeError after a minute."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = self.call("POST", f"/work_pools/{POOL}/workers/filter", {})
            if names <= {each["name"] for each in found if each["status"] == "ONLINE"}:
                return
            time.sleep(0.5)
        raise RuntimeError(f"Not all of {', '.join(sorted(names))} are online; see their logs in {self.home}")

    def run_python(self, *arguments: str) -> None:
        """Run a module as a client of the cluster."""
        run(dict(self.prefect.environment), sys.executable, "-m", *arguments)


def missing_programs() -> list[str]:
    """Debian's packages that are not here, of those that a cluster needs besides PostgreSQL."""
    return [package for program, package in PROGRAMS.items() if find(program) is None]


def find(program: str) -> str | None:
    """Where a program lies; that of a service is not on every user's path."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


@contextmanager
def cluster(postgres: str, database: str, home: Path) -> Iterator[Cluster]:
    """Start all of it; ``postgres`` is a server with an empty ``database`` for Prefect."""
    with ExitStack() as parts:
        sandbox = parts.enter_context(start_sandbox("--seed", "7"))
        redis = parts.enter_context(redis_server(home))
        settings = server_settings(home, postgres.rpartition("/")[0] + f"/{database}", redis)
        migrate = [str(FROM_FILES), sys.executable, "-m", "deployments.migrate_server"]
        run(environment_of(home / "migrate", 0) | settings, *migrate)
        servers, addresses = {}, {}
        for name in ("first", "second"):
            port = free_port()
            environment = environment_of(home / f"server-{name}", port) | settings
            log = home / f"server-{name}.log"
            command = prefect("server", "start", "--no-services")
            servers[name] = parts.enter_context(started(log, environment, *command))
            addresses[name] = f"127.0.0.1:{port}"
        background = environment_of(home / "background", 0) | settings
        parts.enter_context(
            started(home / "background.log", background, *prefect("server", "services", "start"))
        )
        for name, address in addresses.items():
            wait_until_it_answers(servers[name], int(address.rpartition(":")[2]), home / f"server-{name}.log")
        port = parts.enter_context(balancer(home, addresses))
        client = LocalPrefect(port, environment_of(home / "client", port))
        yield Cluster(sandbox, client, servers, addresses, home)


def environment_of(home: Path, port: int) -> dict[str, str]:
    """The settings of one process, without the keys and leases of a server that is alone."""
    home.mkdir(parents=True, exist_ok=True)
    environment = prefect_environment(home, port)
    for name in ("PREFECT_SERVER_ENCRYPTION_KEY", "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"):
        del environment[name]
    # As the image says: no run of the cluster may keep a ledger in its own files.
    return environment | {"CONNECTWISE_FLOWS_SHARED_DISK": "false"}


def server_settings(home: Path, database: str, redis: str) -> dict[str, str]:
    """What compose.yaml tells every process of a server, with these addresses in its files."""
    encryption_key(home)
    contents = {
        "server_database_url": database.replace("postgresql://", "postgresql+asyncpg://"),
        "redis_url": redis,
    }
    for name, content in contents.items():
        (home / name).write_text(f"{content}\n", encoding="utf-8")
    files = {name: str(home / name) for name in contents} | {"encryption_key": str(home / KEY_FILE)}
    given = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))["x-server"]
    return {name: files.get(str(value).removeprefix("/run/secrets/"), value) for name, value in given.items()}


@contextmanager
def redis_server(home: Path) -> Iterator[str]:
    """The address of a Redis with a password that keeps what it is told on disk."""
    port, password = free_port(), secrets.token_hex(8)
    (home / "redis").mkdir(parents=True)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(home / "redis")]
    options += ["--appendonly", "yes", "--requirepass", password]
    with started(home / "redis.log", {}, str(find("redis-server")), *options):
        wait_for_port(port)
        yield f"redis://:{password}@127.0.0.1:{port}/0"


@contextmanager
def balancer(home: Path, addresses: Mapping[str, str]) -> Iterator[int]:
    """The port of an HAProxy before the servers, with the configuration of compose."""
    port = free_port()
    environment = {
        "BIND": f"127.0.0.1:{port}",
        "FIRST_SERVER": addresses["first"],
        "SECOND_SERVER": addresses["second"],
    }
    command = [str(find("haproxy")), "-db", "-f", str(COMPOSE / "balancer.cfg")]
    with started(home / "balancer.log", environment, *command):
        wait_for_port(port)
        yield port


def run(environment: Mapping[str, str], *command: str) -> None:
    """Run it to its end; RuntimeError with what it said where it failed."""
    done = subprocess.run(
        command, cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{command[-3:]} failed:\n{done.stdout[-3000:]}")


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing listens on port {port} after {START_SECONDS:.0f} s")


async def make_databases(server: str, *names: str) -> None:
    for name in names:
        await on_server(server, f"CREATE DATABASE {name}")

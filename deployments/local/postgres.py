"""A PostgreSQL server of one's own on loopback, of Debian's package, and empty databases on a server.

For tests and campaigns.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from connectors.ledger.database import database_url
from deployments.local.prefect import free_port

ACCOUNT = "postgres"
TEST_SERVER = "CONNECTWISE_FLOWS_TEST_POSTGRES"
"""The variable of the environment that names a server for tests and campaigns."""
MISSING = (
    "PostgreSQL is not installed here: no initdb on the path or under /usr/lib/postgresql. "
    "Install Debian's package 'postgresql'."
)


class PostgresMissingError(RuntimeError):
    """There is no PostgreSQL on this machine; the message names the package."""


@contextmanager
def postgres_cluster() -> Iterator[str]:
    """The address, user and password included, of a new and empty server that ends with the block.

    Raises:
        PostgresMissingError: the machine has none.
    """
    programs = programs_folder()
    folder = Path(tempfile.mkdtemp(prefix="connectwise-flows-postgres-"))
    try:
        data, port, password = folder / "data", free_port(), secrets.token_hex(8)
        initialise(programs, folder, data, password)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        # What a test writes need not survive a power cut.
        options += " -c fsync=off -c max_connections=200"
        log = folder / "server.log"
        control(programs, "start", "-D", str(data), "-l", str(log), "-o", options, "-w", "-t", "60")
        try:
            yield f"postgresql://{ACCOUNT}:{password}@127.0.0.1:{port}/postgres"
        finally:
            control(programs, "stop", "-D", str(data), "-m", "immediate", "-w")
    finally:
        shutil.rmtree(folder)


@asynccontextmanager
async def new_database(server: str) -> AsyncIterator[str]:
    """The address of a new database without tables, which is dropped after the block."""
    name = f"ledger_test_{uuid.uuid4().hex}"
    await on_server(server, f"CREATE DATABASE {name}")
    try:
        yield database_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        await on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


async def on_server(server: str, statement: str) -> None:
    """Do one statement on a PostgreSQL server, such as making a database."""
    address = database_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    await connection.execute(statement)
    await connection.close()


def programs_folder() -> Path:
    """Where initdb and pg_ctl lie: on the path, else Debian's folder of the newest version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=version_of)
    if not versions:
        raise PostgresMissingError(MISSING)
    return versions[-1].parent


def version_of(program: Path) -> float:
    """15 of /usr/lib/postgresql/15/bin/initdb."""
    return float(program.parent.parent.name)


def initialise(programs: Path, folder: Path, data: Path, password: str) -> None:
    """Make the server's files, with a password so that nobody else on the machine gets in."""
    word = folder / "password"
    word.write_text(password, encoding="ascii")
    if needs_account():
        for each in (folder, word):
            shutil.chown(each, ACCOUNT)
    command = [str(programs / "initdb"), "-D", str(data), "-U", ACCOUNT, "-A", "scram-sha-256"]
    run([*command, f"--pwfile={word}", "-E", "UTF8", "--no-locale", "--no-sync"])
    word.unlink()


def control(programs: Path, *words: str) -> None:
    """Start or stop the server."""
    run([str(programs / "pg_ctl"), *words])


def run(command: list[str]) -> None:
    """Run it, as root under PostgreSQL's own account, since PostgreSQL refuses to run as root."""
    if needs_account():
        command = ["runuser", "-u", ACCOUNT, "--", *command]
    # A file, not a pipe: the server inherits it and would keep a pipe open.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603
            command, cwd="/", stdout=output, stderr=subprocess.STDOUT, timeout=120
        )
        output.seek(0)
        text = output.read().decode(errors="replace")
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{text[-2000:]}")


def needs_account() -> bool:
    """Whether this process runs as root, and so PostgreSQL has to run as somebody else.

    Raises:
        PostgresMissingError: it does, and the machine has no such account.
    """
    if os.geteuid() != 0:
        return False
    if all(each.pw_name != ACCOUNT for each in pwd.getpwall()):
        raise PostgresMissingError(f"PostgreSQL does not run as root, and there is no user {ACCOUNT!r} here.")
    return True

"""A PostgreSQL server of one's own on loopback, for tests and campaigns, of Debian's package."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployments.local.prefect import free_port

ACCOUNT = "postgres"
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
    """Whether the tests run as root, and so PostgreSQL has to run as somebody else.

    Raises:
        PostgresMissingError: they do, and the machine has no such account.
    """
    if os.geteuid() != 0:
        return False
    if all(each.pw_name != ACCOUNT for each in pwd.getpwall()):
        raise PostgresMissingError(f"PostgreSQL does not run as root, and there is no user {ACCOUNT!r} here.")
    return True

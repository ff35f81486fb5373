"""Where the local stack keeps its files, and the note by which commands find its Prefect server.

Imports nothing of Prefect: the console command asks here before it knows which server it speaks to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from deployments import BUILD, WORK

HOME_VARIABLE = "CONNECTWISE_FLOWS_UP_HOME"
NOTE = "server.json"
ANSWER_SECONDS = 3.0


class AlreadyRunningError(RuntimeError):
    """A local stack runs in this folder; a second one would share its databases."""


def home_folder(environment: Mapping[str, str], named: Path | None = None) -> Path:
    """Where databases, logs and answers lie; a relative folder counts from the checkout.

    Args:
        named: wins over the environment variable; counts from the current folder.
    """
    if named is not None:
        return named.expanduser().resolve()
    variable = environment.get(HOME_VARIABLE, "").strip()
    return WORK / variable if variable else BUILD / "up"


@contextmanager
def noted_server(home: Path, api_url: str) -> Iterator[None]:
    """Keep the server's address in the folder while it runs."""
    note = home / NOTE
    draft = note.with_suffix(".draft")
    draft.write_text(json.dumps({"api_url": api_url}), encoding="utf-8")
    draft.replace(note)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def running_server(home: Path) -> str | None:
    """The API address of the Prefect server that runs there; None if none answers. One short request."""
    try:
        address = str(json.loads((home / NOTE).read_text(encoding="utf-8"))["api_url"])
        # A killed stack leaves its note behind.
        answered = httpx.get(f"{address}/health", timeout=ANSWER_SECONDS, trust_env=False).is_success
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError):
        return None
    return address if answered else None


def refuse_second(home: Path) -> None:
    """Raises AlreadyRunningError where a stack of that folder answers."""
    if address := running_server(home):
        raise AlreadyRunningError(
            f"A local stack runs in {home} already, its Prefect server at {address}. Stop it, or give this "
            f"one another folder (--data, {HOME_VARIABLE})."
        )

"""Processes with everything that they have started: to find them, and to end them all at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def descendants(process_id: int) -> list[int]:
    """The children of a process, and theirs, from ``/proc``."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name, which may hold blanks) state parent ...
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(status.parent.name))
    found: list[int] = []
    waiting = [process_id]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def with_text(text: str) -> list[int]:
    """The processes that have this text in their environment, such as the id of their flow run."""
    wanted, found = text.encode(), list[int]()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            told = environment.read_bytes()
        except OSError:
            continue
        if wanted in told:
            found.append(int(environment.parent.name))
    return found


def kill_tree(process_id: int) -> int:
    """SIGKILL for a process and everything that it started; returns how many they were.

    The process is held first, so that it can't start another one between the look and the kill.
    """
    _send([process_id], signal.SIGSTOP)
    doomed = [process_id, *descendants(process_id)]
    _send(doomed, signal.SIGKILL)
    return len(doomed)


def kill(processes: Iterable[int]) -> None:
    """SIGKILL for those of them that are there."""
    _send(processes, signal.SIGKILL)


def _send(processes: Iterable[int], number: signal.Signals) -> None:
    for each in processes:
        with suppress(ProcessLookupError):
            os.kill(each, number)

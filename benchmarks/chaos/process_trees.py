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


def kill_tree(process_id: int) -> int:
    """SIGKILL for a process and everything that it started; returns how many they were.

    The process is held first, so that it can't start another one between the look and the kill.
    """
    _send([process_id], signal.SIGSTOP)
    doomed = [process_id, *descendants(process_id)]
    _send(doomed, signal.SIGKILL)
    return len(doomed)


def kill_children(process_id: int) -> int:
    """SIGKILL for everything that a process has started; the process itself goes on."""
    doomed = descendants(process_id)
    _send(doomed, signal.SIGKILL)
    return len(doomed)


def _send(processes: Iterable[int], number: signal.Signals) -> None:
    for each in processes:
        with suppress(ProcessLookupError):
            os.kill(each, number)

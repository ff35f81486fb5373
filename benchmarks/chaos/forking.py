"""Forks a process, hears it out and waits for its end: a zombie or a leftover never stays."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

LONGEST_RUN = 300.0


@dataclass(frozen=True)
class Ended:
    """How a forked process ended (``signal`` 0: by itself), what it wrote to its pipes, its CPU seconds."""

    status: int
    signal: int
    log: bytes
    answer: bytes
    cpu: float
    hung: bool = False


def fork_and_wait(live: Callable[[int, int], NoReturn], limit: float = LONGEST_RUN) -> Ended:
    """Run ``live(log, answer)`` in a forked process, which never returns, and wait for its end.

    After ``limit`` seconds, or if this process is told to end, the forked one is killed.
    """
    (log_out, log_in), (answer_out, answer_in) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(log_out)
        os.close(answer_out)
        live(log_in, answer_in)
    os.close(log_in)
    os.close(answer_in)
    try:
        texts = _hear([log_out, answer_out], time.monotonic() + limit)
    except BaseException:
        _kill(pid)
        os.waitpid(pid, 0)
        raise
    finally:
        os.close(log_out)
        os.close(answer_out)
    if texts.hung:
        _kill(pid)
    _, status, usage = os.wait4(pid, 0)
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    cpu = usage.ru_utime + usage.ru_stime
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -ended_by
    return Ended(code, ended_by, texts.parts[0], texts.parts[1], cpu, texts.hung)


@dataclass(frozen=True)
class _Heard:
    parts: list[bytes]
    hung: bool


def _hear(pipes: list[int], until: float) -> _Heard:
    """Read all pipes to their ends."""
    found = {pipe: bytearray() for pipe in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if data := os.read(key.fd, 65536):
                    found[key.fd] += data
                else:
                    selector.unregister(key.fd)
        hung = bool(selector.get_map())
    return _Heard([bytes(found[pipe]) for pipe in pipes], hung)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

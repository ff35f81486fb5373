"""How many requests a vendor served in any window of time, looked at from outside."""

from __future__ import annotations

import time
from collections.abc import Callable

from deployments.local.sandbox import Sandbox

SAMPLING = 0.1
"""Seconds by which two looks may be apart."""


def follow(sandbox: Sandbox, ended: Callable[[], bool], seconds: float = 600) -> list[tuple[float, int]]:
    """How many requests ConnectWise had served, again and again until the runs have ended."""
    seen = []
    began = time.monotonic()
    while not ended():
        assert time.monotonic() - began < seconds, f"not ended after {seconds:.0f} s"
        seen.append((time.monotonic(), int(sandbox.requests()["connectwise"]["requests"])))
        time.sleep(SAMPLING / 2)
    return seen


def most_in_a_window(seen: list[tuple[float, int]], window: float) -> int:
    """The most requests between two looks that lie at most that many seconds apart."""
    return max(
        later - count for at, count in seen for until, later in seen if at <= until <= at + window - SAMPLING
    )

"""Fixtures that every test folder shares: the sandbox process and the anyio backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployments.local_sandbox import Sandbox, start_sandbox


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """One sandbox for the session: a process of its own, as a vendor's server would be."""
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The session's sandbox with fresh data, no faults, and its request counts at zero."""
    sandbox_process.reset()
    return sandbox_process

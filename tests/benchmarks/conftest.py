"""The stage of the asset oracle's tests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from tests.support.benchmarks.asset_stage import Stage
from tests.support.sandbox.calls import connectwise


@pytest.fixture(scope="module")
def http(sandbox_process: Sandbox) -> Iterator[httpx.Client]:
    with connectwise(sandbox_process.info) as client:
        yield client


@pytest.fixture
def stage(sandbox_process: Sandbox, http: httpx.Client) -> Stage:
    return Stage(sandbox_process, http)

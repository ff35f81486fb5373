"""Two Prefect servers and two workers on one PostgreSQL and Redis; skips where a package is missing."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from deployments.local.postgres import TEST_SERVER
from tests.cluster.stack import Cluster, cluster, make_databases, missing_programs

LIMIT, WINDOW = 8, 4
"""Requests to ConnectWise that all runs together may begin within so many seconds."""
_missing: list[str] = []


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster with both workers, the deployments, and blocks whose ledger is in PostgreSQL."""
    _missing.extend(f"Install Debian's package {package!r}." for package in missing_programs())
    if importlib.util.find_spec("prefect_redis") is None:
        _missing.append("Install the extra 'redis': make test-cluster does.")
    server = os.environ.get(TEST_SERVER)
    if _missing or not server:
        pytest.skip("; ".join(_missing) or f"{TEST_SERVER} names no PostgreSQL server")
    anyio.run(make_databases, server, "cluster_prefect", "cluster_ledger")
    home: Path = tmp_path_factory.mktemp("cluster")
    with cluster(server, "cluster_prefect", home) as made:
        made.run_python("deployments.bootstrap")
        ledger = server.rpartition("/")[0] + "/cluster_ledger"
        info = json.dumps(made.sandbox.info)
        made.run_python("tests.postgres.save_blocks", ledger, info, str(LIMIT), str(WINDOW))
        with made.worker("worker-one"), made.worker("worker-two"):
            made.wait_for_workers({"worker-one", "worker-two"})
            yield made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for text in _missing:
        terminalreporter.section("SKIPPED", red=True, bold=True)
        terminalreporter.line(text)

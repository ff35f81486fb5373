"""Flows that run in the test's process, against the sandbox."""

from tests.support.run_flow_fixtures import enricher, ledger, runner

__all__ = ["enricher", "ledger", "runner"]

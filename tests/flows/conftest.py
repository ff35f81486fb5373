"""Flows that run in the test's process, against the sandbox."""

from tests.support.run_flow_fixtures import enricher, ledger, left_open, runner

__all__ = ["enricher", "ledger", "left_open", "runner"]

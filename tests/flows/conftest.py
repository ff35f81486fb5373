"""Flows that run in the test's process, against the sandbox."""

from tests.support.run_flow_fixtures import empty_ledger, enricher, ledger, runner

__all__ = ["empty_ledger", "enricher", "ledger", "runner"]

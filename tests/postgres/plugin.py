"""``pytest -p tests.postgres.plugin``: starts PostgreSQL for the session, for every test that can use one.

The address goes into ``CONNECTWISE_FLOWS_TEST_POSTGRES``; a server that is named there already is used as
it is. Without PostgreSQL the tests skip, and the end of the report says what to install.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from deployments.local.postgres import TEST_SERVER, PostgresMissingError, postgres_cluster

_missing: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Iterator[None]:
    with ExitStack() as stack:
        if not os.environ.get(TEST_SERVER):
            try:
                os.environ[TEST_SERVER] = stack.enter_context(postgres_cluster())
                stack.callback(os.environ.pop, TEST_SERVER)
            except PostgresMissingError as error:
                _missing.append(str(error))
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for text in _missing:
        terminalreporter.section("SKIPPED", red=True, bold=True)
        terminalreporter.line(text)

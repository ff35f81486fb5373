"""Tells a person who watches a run how far a long step has come: a log line with counts."""

from __future__ import annotations

import logging

from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger
from prefect.logging.loggers import LoggingAdapter


def run_logger() -> logging.Logger | LoggingAdapter:
    """The logger of the running flow or task, shown in the Prefect UI; a plain one outside of runs."""
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("connectwise_flows")


class Progress:
    """Counts the records of one long step; ``total`` is None while it is not known."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._log = run_logger()

    def advance(self, count: int) -> None:
        self.done += count
        of = f" of {self.total:,}" if self.total is not None else ""
        self._log.info("%s: %s%s", self.what, f"{self.done:,}", of)

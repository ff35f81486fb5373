"""Progress of a long step for a person who watches the run: log lines with counts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger
from prefect.logging.loggers import LoggingAdapter


def run_logger() -> logging.Logger | LoggingAdapter:
    """The logger of the running flow or task, shown in the Prefect UI; a plain one outside of runs."""
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("connectwise_flows")


PAUSE_SECONDS = 2.0
"""Between two lines: as often as Prefect sends log lines to its server."""


class Progress:
    """Counts the records of one long step; ``total`` is None while it is not known.

    With a total there is a line at once, one at the end, and one every two seconds in between: a line for
    each of the 2,000 requests of a large run costs more than it tells.
    """

    def __init__(
        self, what: str, total: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._log = run_logger()
        self._clock = clock
        self._next_line = clock()

    def advance(self, count: int) -> None:
        """So many records more are done."""
        self.done += count
        if self.total is None:
            self._log.info("%s: %s", self.what, f"{self.done:,}")
        elif self.done >= self.total or self._clock() >= self._next_line:
            self._next_line = self._clock() + PAUSE_SECONDS
            self._log.info("%s: %s of %s", self.what, f"{self.done:,}", f"{self.total:,}")

"""The vendor's time, by the Date header of its newest answer: this machine's clock may be wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


def utc_now() -> datetime:
    """This machine's time."""
    return datetime.now(UTC)


class ServerClock:
    """A vendor's clock; this machine's own until an answer has told otherwise.

    The header counts whole seconds and was written before the answer arrived, so the time given is up to
    about a second early and never late.
    """

    def __init__(self, own: Callable[[], datetime] = utc_now) -> None:
        self._own = own
        self._ahead = timedelta(0)

    def hear(self, date: str | None) -> None:
        """Take an answer's Date header; one that is missing or no date tells nothing."""
        try:
            moment = parsedate_to_datetime(date or "")
        except (ValueError, TypeError, IndexError, OverflowError):
            return
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        self._ahead = moment - self._own()

    def now(self) -> datetime:
        """What the vendor's clock shows."""
        return self._own() + self._ahead

"""How many requests were sent in the last day, how long they waited and how often the vendor said 429.

One row an hour and budget key, so that a day has few. The rate limiters add to it in the transactions that
they begin anyway. A killed process takes what it had not added yet with it, at most a slice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.database import Repository, insert_or_add, reading
from connectors.ledger.schema import request_hours as hours

HOUR = 3600.0
KEPT_HOURS = 24


@dataclass(slots=True)
class RequestCounts:
    """Requests begun, calls that had to wait for the limit or a pause and their seconds, answers with 429."""

    requests: int = 0
    waits: int = 0
    waited_seconds: float = 0.0
    refused: int = 0

    @property
    def anything(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))


@dataclass(slots=True)
class DayOfRequests(RequestCounts):
    """The counts of one budget in the last day, and the most requests of any hour in it."""

    most_in_an_hour: int = 0


class RequestHistory(Repository):
    """``ledger.request_history``: the last day of each budget."""

    async def last_day(self) -> dict[str, DayOfRequests]:
        """What is known of the last day, by the key of the budget."""
        async with reading(self._engine, "read the history of requests") as connection:
            oldest = _hour_of(await self._clock.now_of(connection)) - KEPT_HOURS
            query = select(
                hours.c.budget_key,
                func.sum(hours.c.requests),
                func.sum(hours.c.waits),
                func.sum(hours.c.waited_seconds),
                func.sum(hours.c.refused),
                func.max(hours.c.requests),
            ).where(hours.c.hour > oldest)
            rows = await connection.execute(query.group_by(hours.c.budget_key))
            return {
                key: DayOfRequests(int(sent), int(waits), float(waited), int(no), int(most))
                for key, sent, waits, waited, no, most in rows
            }


class HistoryWriter:
    """What one limiter has to add. ``requests``: whether it counts them, which one limiter of a key does."""

    def __init__(self, key: str, *, requests: bool) -> None:
        self.counts = RequestCounts()
        self._key = key
        self._requests = requests
        self._hour: int | None = None

    def waited(self, seconds: float, *, first: bool) -> None:
        """A call waits for so long; ``first``: it has not waited before."""
        self.counts.waited_seconds += seconds
        self.counts.waits += first

    async def add(self, connection: AsyncConnection, now: float, requests: int = 0, refused: int = 0) -> None:
        """Adds what came together, in the caller's transaction, and drops what is older than a day."""
        if self._requests:
            self.counts.requests += requests
        self.counts.refused += refused
        if not self.counts.anything:
            return
        hour = _hour_of(now)
        row = {each.name: getattr(self.counts, each.name) for each in fields(self.counts)}
        statement = insert_or_add(hours, ("budget_key", "hour"))
        await connection.execute(statement, [{"budget_key": self._key, "hour": hour, **row}])
        if hour != self._hour:
            await connection.execute(delete(hours).where(hours.c.hour <= hour - KEPT_HOURS))
        self._hour, self.counts = hour, RequestCounts()


def _hour_of(now: float) -> int:
    return int(now // HOUR)

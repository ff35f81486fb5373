"""Holds a reading of pages to progress, so that a server that answers wrongly can't keep it going for ever.

Every pager of the three vendors tells ``PageProgress`` what a page brought and whether another is to follow:
a page that brings nothing new and is not the last one ends the reading, and so does a number of pages or
records that no true list can have. Where the pages themselves tell no count, a long reading is asked to get
it once, and without any count it ends much sooner. A reading ends with an error, never short of records
unawares.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable
from contextlib import suppress

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError

MOST_PAGES = 10_000
"""Pages of one reading: ten million records of ConnectWise, five million assets."""
MOST_UNCOUNTED_PAGES = 400
"""The same where the vendor tells no count: 400,000 records of ConnectWise."""
COUNTED_FROM = 50
"""Pages from which a reading without a count asks for it: no usual one is that long, so none costs more."""
_ROOM = 1_000
"""Records by which a list may be longer than twice the vendor's count, since records are added meanwhile."""


class PageProgress:
    """What one reading has brought so far.

    Args:
        what: the vendor's words for the records, such as "work orders".
        system, path: where they come from, for messages; a client's parsing adds them by itself.
        most_pages: default: 10,000 where the vendor tells a count, else 400.
        error: raised where the reading stops.
    """

    def __init__(
        self,
        what: str,
        *,
        system: str = "",
        path: str = "",
        most_pages: int | None = None,
        error: type[ConnectorError] = StopError,
    ) -> None:
        self.pages = 0
        self.keys: set[Hashable] = set()
        self.records = 0
        self._what = what
        self._system, self._path = system, path
        self._most_pages = most_pages
        self._error = error
        self._totals: list[int] = []
        self._asked = False

    def page(
        self,
        keys: Collection[Hashable],
        *,
        more: bool,
        total: int | None = None,
        records: int | None = None,
    ) -> None:
        """Notes a page by its records' keys; ``total`` is the vendor's count of all, as this page tells it.

        ``records``: how many it has, where one key may stand for several.

        The error given at the start: another page is to follow, though this one brought nothing that an
        earlier one had not, or though there are far more records or pages than there can be.
        """
        self.pages += 1
        before = len(self.keys)
        self.keys.update(keys)
        new = len(self.keys) - before
        self.records += min(new, 1) * records if records is not None else new
        if total is not None:
            self._totals.append(total)
        if not more:
            return
        if not new:
            raise self._stopped(f"page {self.pages} brought nothing new, and yet another is to follow")
        if self._totals and self.records > 2 * max(self._totals[:2]) + _ROOM:
            raise self._stopped(
                f"{self.records:,} came, the vendor counts {self._totals[0]:,}, and still more follow"
            )
        most = self._most_pages or (MOST_PAGES if self._totals else MOST_UNCOUNTED_PAGES)
        if self.pages >= most:
            raise self._stopped(f"{self.pages:,} pages came, and still more follow")

    async def count_with(self, count: Callable[[], Awaitable[int]]) -> None:
        """Asks for the vendor's count, once, when a reading that has none grows long.

        Where the vendor refuses it, the reading goes on without.
        """
        if self._asked or self._totals or self.pages < COUNTED_FROM:
            return
        self._asked = True
        with suppress(RejectedError, StopError):
            self._totals.append(await count())

    def finish(self) -> None:
        """RetryableError: the reading ended with fewer records than every page counted.

        Records may be added or deleted meanwhile, so the smallest count of all pages is what must be there.
        """
        least = min(self._totals, default=0)
        if self.records < least:
            raise RetryableError(
                f"Only {self.records:,} {self._what} came, though the vendor counts {least:,}",
                remedy="Reading again is harmless; acting on a part of the records would not be.",
                system=self._system,
                path=self._path,
            )

    def _stopped(self, why: str) -> ConnectorError:
        return self._error(
            f"The reading of {self._what} was stopped: {why}",
            remedy="Going on would never end or miss records. Run it again; if it happens again, report it.",
            system=self._system,
            path=self._path,
        )

"""Holds a reading of pages to progress, so that a server that answers wrongly can't keep it going for ever.

Every pager of the three vendors tells ``PageProgress`` what a page brought and whether another is to follow:
a page that brings nothing new and is not the last one ends the reading, and so does a number of pages or
records that no true list can have. A reading ends with an error, never short of records unawares.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable

from connectors.errors import ConnectorError, RetryableError, StopError

MOST_PAGES = 10_000
"""Pages of one reading: ten million records of ConnectWise, five million assets."""
_ROOM = 1_000
"""Records by which a list may be longer than twice the vendor's count, since records are added meanwhile."""


class PageProgress:
    """What one reading has brought so far.

    Args:
        what: the vendor's words for the records, such as "work orders".
        system, path: where they come from, for messages; a client's parsing adds them by itself.
        error: raised where the reading stops.
    """

    def __init__(
        self,
        what: str,
        *,
        system: str = "",
        path: str = "",
        most_pages: int = MOST_PAGES,
        error: type[ConnectorError] = StopError,
    ) -> None:
        self.pages = 0
        self.keys: set[Hashable] = set()
        self._what = what
        self._system, self._path = system, path
        self._most_pages = most_pages
        self._error = error
        self._totals: list[int] = []

    def page(self, keys: Collection[Hashable], *, more: bool, total: int | None = None) -> None:
        """Notes a page by its records' keys; ``total`` is the vendor's count of all, as this page tells it.

        The error given at the start: another page is to follow, though this one brought nothing that an
        earlier one had not, or though there are far more records or pages than there can be.
        """
        self.pages += 1
        before = len(self.keys)
        self.keys.update(keys)
        if total is not None:
            self._totals.append(total)
        if not more:
            return
        if len(self.keys) == before:
            raise self._stopped(f"page {self.pages} brought nothing new, and yet another is to follow")
        if self._totals and len(self.keys) > 2 * max(self._totals[:2]) + _ROOM:
            raise self._stopped(
                f"{len(self.keys):,} came, the vendor counts {self._totals[0]:,}, and still more follow"
            )
        if self.pages >= self._most_pages:
            raise self._stopped(f"{self.pages:,} pages came, and still more follow")

    def finish(self) -> None:
        """RetryableError: the reading ended with fewer records than every page counted.

        Records may be added or deleted meanwhile, so the smallest count of all pages is what must be there.
        """
        least = min(self._totals, default=0)
        if len(self.keys) < least:
            raise RetryableError(
                f"Only {len(self.keys):,} {self._what} came, though the vendor counts {least:,}",
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

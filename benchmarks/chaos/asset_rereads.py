"""Which reading of a record may stand behind which PUT of it: the batch's own, made a moment before.

A person's edit is lost by design only between the two. A read of something else, such as all records at the
beginning of a run, serves no PUT, however few things happened in between.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.chaos.verdict import RunRecord, requests_of

Entry = dict[str, Any]

AT_ONCE = 3
"""Batches that are under way side by side: so many PUTs of others may lie between a batch's two requests."""
_BY_ID = re.compile(r"(^|[?&])conditions=\s*id in \(", re.IGNORECASE)


class Rereads:
    """Knows all PUTs that wrote, and the runs that sent them."""

    def __init__(self, entries: Iterable[Entry], runs: Sequence[RunRecord]) -> None:
        """``entries``: the history of the configurations."""
        puts = {each["request"]: each["since"] for each in entries if is_put(each)}
        self._arrived = sorted(puts.values())
        self._runs = [requests_of(run) for run in runs]

    def serves(self, read: Entry, put: Entry) -> bool:
        """Whether the PUT may be of what that request read.

        The read asked for records by their ids, was answered before the PUT arrived, belongs to the same run,
        and no more PUTs arrived in between than other batches can have sent meanwhile.
        """
        if read["at"] >= put["since"] or not _BY_ID.search(read["query"]):
            return False
        others = bisect_right(self._arrived, put["since"]) - bisect_right(self._arrived, read["at"]) - 1
        return others <= AT_ONCE and self._run_of(read) == self._run_of(put)

    def _run_of(self, entry: Entry) -> int:
        return next((at for at, numbers in enumerate(self._runs) if entry["request"] in numbers), -1)


def is_put(entry: Entry) -> bool:
    """Whether whole records were written."""
    return bool(entry["name"].startswith("PUT "))

"""``python -m deployments.list_writes``: every write of a run or of a time, of all features, as CSV.

``--run ID`` lists the writes of one flow run, ``--since`` and ``--until`` those of a time (ISO 8601, UTC
where no zone is given), and without any of them those of the last day. ``--ledger`` is a file or database
address; else it is the one that the environment names. Nothing is written.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import sys
from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import UTC, datetime, timedelta

from connectors.errors import StopError
from connectors.ledger.database import default_path
from connectors.ledger.store import Ledger
from connectors.ledger.write_list import ListedWrite
from deployments.environment import LEDGER_URL

MOST = 100_000
DAY = timedelta(days=1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the list; the exit code is 1 where the ledger can't be read."""
    parser = argparse.ArgumentParser(
        prog="deployments.list_writes", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--run", default="", help="id of a flow run, as its report shows it")
    parser.add_argument("--since", type=as_moment, help="such as 2026-11-29 or 2026-11-29T08:00")
    parser.add_argument("--until", type=as_moment)
    parser.add_argument("--ledger", default="", help="file or database address")
    parser.add_argument("--most", type=int, default=MOST, help="the newest so many are listed")
    given = parser.parse_args(arguments)
    since = given.since
    if not given.run and since is None:
        since = (given.until or datetime.now(UTC)) - DAY
    try:
        place = given.ledger or os.environ.get(LEDGER_URL, "").strip() or default_path(os.environ)
        found = asyncio.run(find(str(place), given.run.strip(), since, given.until, given.most))
    except StopError as error:
        print(error, file=sys.stderr)
        return 1
    writer = csv.writer(sys.stdout)
    writer.writerow([each.name for each in fields(ListedWrite)])
    for each in found:
        at, *rest = astuple(each)
        writer.writerow([at.isoformat(timespec="seconds"), *rest])
    more = ", the newest only" if len(found) == given.most else ""
    print(f"{len(found)} writes{more}.", file=sys.stderr)
    return 0


def as_moment(text: str) -> datetime:
    """A time as typed, in UTC where it has no zone."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def find(
    place: str, run_id: str, since: datetime | None, until: datetime | None, most: int
) -> list[ListedWrite]:
    """The writes as ``WriteList.find``, from the ledger at that place."""
    async with Ledger.open(place) as ledger:
        return await ledger.write_list.find(run_id=run_id, since=since, until=until, most=most)


if __name__ == "__main__":
    sys.exit(main())

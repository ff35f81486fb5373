"""With this folder in ``PYTHONPATH`` a Python program's calendar stands still; its stop watches go on.

The records of two sandboxes then bear the same moments, so that what a ledger remembers of the one holds for
the other.
"""

import datetime

MOMENT = datetime.datetime(2026, 11, 2, 8, 0, 0, tzinfo=datetime.timezone.utc)  # noqa: UP017


class Standing(datetime.datetime):
    """Always now."""

    @classmethod
    def now(cls, tz=None):  # type: ignore[no-untyped-def, override]
        moment = MOMENT.astimezone(tz)
        return moment if tz else moment.replace(tzinfo=None)


datetime.datetime = Standing  # type: ignore[misc]

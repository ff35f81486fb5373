"""Where the ledger lies: a file path, a database address, or the user's data folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from connectors.errors import StopError

PATH_VARIABLE = "CONNECTWISE_FLOWS_LEDGER"
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
REMEDY = "Give a file path, sqlite:///<file>, or postgresql://<user>:<password>@<host>/<database>."


def default_path(environment: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    """The file that ``CONNECTWISE_FLOWS_LEDGER`` names, else ``ledger.db`` in the user's data folder."""
    named = environment.get(PATH_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    return _data_folder(environment, platform) / "connectwise-flows" / "ledger.db"


def _data_folder(environment: Mapping[str, str], platform: str) -> Path:
    if platform == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"])
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def database_url(place: str | Path) -> URL:
    """The address with its asynchronous driver; StopError for a database that is not served."""
    if isinstance(place, Path) or "://" not in place:
        return URL.create("sqlite+aiosqlite", database=str(Path(place).expanduser()))
    url = _parsed(place)
    driver = DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise StopError(
            f"The ledger can't lie in a {url.drivername} database", system="ledger", remedy=REMEDY
        )
    if driver.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise StopError("The ledger needs a file that all processes can open", system="ledger", remedy=REMEDY)
    return _with_asyncpg_words(url.set(drivername=driver))


def _parsed(place: str) -> URL:
    try:
        return make_url(place)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not shown, nor the error that quotes it.
        raise StopError(
            "The ledger's database address can't be read", system="ledger", remedy=REMEDY
        ) from None


def _with_asyncpg_words(url: URL) -> URL:
    """Other PostgreSQL drivers say ``sslmode``; asyncpg says ``ssl`` and refuses the other word."""
    if not url.drivername.startswith("postgresql") or "sslmode" not in url.query:
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})


def shown(url: URL) -> str:
    """The place in words for messages, without user and password."""
    if url.drivername.startswith("sqlite"):
        return f"SQLite file {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database} on {url.host}{port}"

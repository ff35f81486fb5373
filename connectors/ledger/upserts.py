"""Inserts that meet a row which is there already, in the words of both databases."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Insert = postgresql.Insert | sqlite.Insert


def insert_or_replace(connection: AsyncConnection, table: Table, key: Sequence[str]) -> Insert:
    """An insert that replaces every other column of the row which holds the key already."""
    statement = _insert(connection, table)
    rest = {column.name: statement.excluded[column.name] for column in table.c if column.name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=rest)


def insert_unless_there(
    connection: AsyncConnection, table: Table, key: Sequence[str] | None = None
) -> Insert:
    """An insert that leaves a row which holds the key already as it is; None: any of the table's keys."""
    return _insert(connection, table).on_conflict_do_nothing(index_elements=list(key) if key else None)


def _insert(connection: AsyncConnection, table: Table) -> Insert:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)

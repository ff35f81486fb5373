"""Operations on system reports: ready-made joins, such as which configurations an agreement covers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from connectors.connectwise.api import Collection, ConnectWiseApi, records_of
from connectors.connectwise.models import Record
from connectors.connectwise.paging import LARGEST_PAGE, next_page, page_request
from connectors.connectwise.settings import SYSTEM
from connectors.errors import RejectedError
from connectors.http import Kind

_REPORTS = Collection("/system/reports")
_NAME = re.compile(r"\w+", re.ASCII)


class ReportOperations(ConnectWiseApi):
    """Read system reports."""

    async def list_reports(self) -> list[str]:
        """The names of the reports: ``GET /system/reports``."""
        read = self._pages_by_number(_REPORTS, {}, LARGEST_PAGE)
        return [str(report["name"]) async for page in read for report in page if report.get("name")]

    async def report_columns(self, name: str) -> list[str]:
        """The columns of one report: ``GET /system/reports/{reportName}/columns``.

        Raises:
            RejectedError: this server has no report of that name.
        """
        where = _report(name).under("/columns")
        return _column_names(records_of(where, await self._get(where)))

    async def count_report(self, name: str, conditions: str | None = None) -> int:
        """The number of rows: ``GET /system/reports/{reportName}/count``."""
        return await self._count(_report(name), conditions, {})

    async def report_rows(
        self,
        name: str,
        columns: Sequence[str],
        conditions: str | None = None,
        *,
        order_by: str | None = None,
        page_size: int = LARGEST_PAGE,
    ) -> AsyncIterator[list[Record]]:
        """Rows as {column: value}, page by page: ``GET /system/reports/{reportName}``.

        Rows have no id to page by: name an order, and read again what must not be missed.

        Raises:
            RejectedError: no such report, column or condition, or an answer that is not the report's rows.
        """
        page_request(None, page_size)
        where, page, before = _report(name), 1, None
        shaped = {"columns": ",".join(columns), "conditions": conditions, "orderBy": order_by}
        params: dict[str, str | int] = {key: value for key, value in shaped.items() if value}
        while True:
            asked = {**params, "page": page, "pageSize": page_size}
            body, headers = await self._send(
                Kind.READ, "GET", where.path, template=where.template, params=asked
            )
            rows = _rows(where, body, columns)
            if rows and rows == before:
                raise _refused(where, "gives the same page again and again")
            following = next_page(headers.get("Link"), page, full=len(rows) >= page_size)
            yield rows
            if following is None:
                return
            page, before = following, rows


def _report(name: str) -> Collection:
    if not _NAME.fullmatch(name):
        raise RejectedError(f"{name!r} is not the name of a report", remedy="Write it without blanks.")
    return _REPORTS.named("/{reportName}", name)


def _rows(where: Collection, body: Any, columns: Sequence[str]) -> list[Record]:
    """The rows by the names that were asked for; the server may write a name in other letters."""
    if not isinstance(body, dict) or not isinstance(body.get("row_values"), list):
        raise _refused(where, "answered something else than rows")
    asked = {name.lower(): name for name in columns}
    names = [asked.get(name.lower(), name) for name in _column_names(body.get("column_definitions") or [])]
    missing = set(columns) - set(names)
    if missing:
        raise _refused(where, f"does not give the columns {', '.join(sorted(missing))}")
    try:
        return [dict(zip(names, row, strict=True)) for row in body["row_values"]]
    except (TypeError, ValueError) as error:
        raise _refused(where, "gives rows that do not fit its columns") from error


def _column_names(definitions: Sequence[Any]) -> list[str]:
    """Each definition is an object of one member, named after the column."""
    return [str(name) for one in definitions if isinstance(one, dict) for name in one]


def _refused(where: Collection, words: str) -> RejectedError:
    return RejectedError(f"The report {words}", system=SYSTEM, method="GET", path=where.path)

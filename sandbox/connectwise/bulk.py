"""Bulk creation and replacement: `/company/configurations/bulk`, one result for each record, status 207.

Not atomic: each item is checked and written by itself. How the answer looks is a switch, as the vendor's
description contradicts itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio

from sandbox.connectwise.body import Body
from sandbox.connectwise.errors import FieldError, VendorError, invalid
from sandbox.connectwise.store import Record
from sandbox.connectwise.writes import Writer
from sandbox.switches import Switches

Fault = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item: the stored record, or the refusal."""

    status: int
    record: Record | None = None
    error: VendorError | None = None


class BulkCall:
    """One bulk request; `fault` is the sandbox's fault for it (partial refusals, slow commits)."""

    def __init__(self, writer: Writer, switches: Switches, fault: Fault | None, counter: list[int]) -> None:
        """`counter` counts bulk items over all calls, so that a share of them is refused evenly."""
        self._writer = writer
        self._switches = switches
        self._fault = fault or {}
        self._counter = counter

    async def run(self, body: Body, *, create: bool) -> list[Result]:
        """Write the items one after another.

        Raises:
            VendorError: the body is no array of records or holds too many; nothing is written then.
        """
        if not isinstance(body.value, list):
            raise VendorError(400, "InvalidObject", "The body must be an array of configurations.")
        limit = self._switches.bulk_limit
        if limit is not None and len(body.value) > limit:
            raise VendorError(400, "InvalidObject", f"A bulk request holds at most {limit} records.")
        table = self._writer.table
        read = [body.members(table, one, f"[{index}]") for index, one in enumerate(body.value)]
        write = self._create if create else self._replace
        results: list[Result] = []
        for index, members in enumerate(read):
            if self._fault.get("item_interval") and index:
                await anyio.sleep(float(self._fault["item_interval"]))
            results.append(self._result(index, members, write))
        return results

    def _result(self, index: int, members: Record, write: Callable[[Record], Result]) -> Result:
        try:
            if self._is_refused(index):
                code = str(self._fault.get("code", "InvalidObject"))
                message = str(self._fault.get("message", "configuration object is invalid"))
                raise VendorError(int(self._fault.get("status", 400)), code, message)
            return write(members)
        except VendorError as error:
            return Result(error.status, error=error)

    def _create(self, members: Record) -> Result:
        members.pop("id", None)
        return Result(201, self._writer.create(members))

    def _replace(self, members: Record) -> Result:
        record_id = members.pop("id", None)
        if record_id is None:
            missing = FieldError("MissingRequiredField", "The id field is required.", "id")
            raise invalid(self._writer.table.resource, [missing])
        return Result(200, self._writer.replace(record_id, members, self._switches.bulk_put_resets))

    def _is_refused(self, index: int) -> bool:
        if self._fault.get("kind") != "partial":
            return False
        if "indexes" in self._fault:
            return index in self._fault["indexes"]
        share = float(self._fault.get("share", 0))
        self._counter[0] += 1
        return int(self._counter[0] * share) > int((self._counter[0] - 1) * share)


def answer(results: list[Result], shape: str, show: Callable[[Record], Record]) -> Any:
    """The answer's JSON: BulkResult, its items as a bare array, or records (one alone, several as array)."""
    if shape == "record":
        records = [one.error.body() if one.error else show(one.record or {}) for one in results]
        return records[0] if len(records) == 1 else records
    items = [_item(index, one) for index, one in enumerate(results)]
    return items if shape == "array" else {"payload": items}


def _item(index: int, result: Result) -> Record:
    item: Record = {"success": result.error is None, "originalIndex": index, "statusCode": result.status}
    if result.error is not None:
        body = result.error.body()
        item["error"] = {name: value for name, value in body.items() if value is not None}
    else:
        item["data"] = {"id": (result.record or {})["id"]}
    return item

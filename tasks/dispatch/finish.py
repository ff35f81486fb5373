"""Finishes a creation: publishes the work order, writes its number to the record. Both may be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.connectwise.models import PatchOperation
from connectors.errors import RejectedError
from connectors.field_nation.models import LIVING, Status, status_of
from tasks.dispatch.records import SHOWN, FetchedRecord, order_mark, read_work_order, records_of
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.settings import CreateState
from tasks.dispatch.state import ClaimedRecord, KeptRefusal, RefusedStep
from tasks.rules.dispatch.decision import OVER
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import RecordRef


@dataclass(frozen=True, slots=True)
class FinishedCreation:
    """The record with what is remembered afterwards, and what could not be done, a sentence each."""

    claimed: ClaimedRecord
    warnings: tuple[str, ...] = ()


async def finish(run: DispatchRun, claimed: ClaimedRecord, fetched: FetchedRecord) -> FinishedCreation:
    """Publishes and writes back what is not done yet: a request each, none where nothing is set.

    A refusal is a warning: the work order exists, and that counts.
    """
    warnings: list[str] = []
    memory = claimed.memory
    if not memory.published:
        problem = await _publish(run, claimed)
        warnings += [problem] if problem else []
        memory = replace(memory, published=not problem)
        claimed = await run.state.remember(claimed, memory)
    if not memory.written_back and fetched.record is not None:
        problem = await _write_back(run, claimed, fetched.record)
        warnings += [problem] if problem else []
        claimed = await run.state.remember(claimed, replace(memory, written_back=True))
    return FinishedCreation(claimed, tuple(warnings))


async def _publish(run: DispatchRun, claimed: ClaimedRecord) -> str:
    """Why it stays a draft. What was refused is sent again only once something has changed."""
    number = claimed.work_order_id
    if run.settings.create_state is not CreateState.PUBLISH or number is None:
        return ""
    about, sent = (claimed.ref, RefusedStep.PUBLISHING), [number, claimed.memory.sent]
    before = await run.state.refusal(*about, sent)
    if before is not None:
        order = await read_work_order(run, number, columns=SHOWN)
        if _is_past_publishing(order):
            return ""
        if order_mark(order) == before.order:
            return f"Work order {number} stays a draft: {before.message}"
    try:
        await run.field_nation.publish_work_order(number)
    except RejectedError as error:
        order = await read_work_order(run, number, columns=SHOWN)
        if _is_past_publishing(order):
            return ""
        await run.state.keep_refusal(*about, sent, KeptRefusal(str(error), order_mark(order)))
        return f"Work order {number} stays a draft: {error}"
    return ""


def _is_past_publishing(order: Record | None) -> bool:
    """Whether nothing is left to publish: without this it would be tried for ever.

    Old servers say 401 for a work order that does not exist, so nothing was read of it then.
    """
    return not order or status_of(order) in OVER | (LIVING - {Status.DRAFT, Status.POSTPONED})


async def _write_back(run: DispatchRun, claimed: ClaimedRecord, record: Record) -> str:
    """One PATCH of absolute values, so that it may be sent again; none where nothing is to be set."""
    caption = run.settings.write_back.custom_field
    fields = {caption: str(claimed.work_order_id)} if caption else {}
    try:
        status = await _status_operations(run, claimed.ref.kind, record)
        if operations := [*field_operations(record, fields), *status]:
            await patch_ticket(run, claimed.ref, operations)
    except RejectedError as error:
        return f"The record could not be told of its work order: {error}"
    return ""


async def patch_ticket(run: DispatchRun, ref: RecordRef, operations: list[PatchOperation]) -> Record:
    """PATCH a ticket or opportunity; only absolute values, since it may be sent twice."""
    return await records_of(run.client, ref.kind).patch(ref.id, operations)


def field_operations(record: Record, values: Mapping[str, Any]) -> list[PatchOperation]:
    """The PATCH operation that sets custom fields by caption; none where nothing would change."""
    changed = [
        {"id": field["id"], "caption": field["caption"], "value": values[field["caption"]]}
        for field in record.get("customFields") or []
        if field.get("caption") in values and field.get("value") != values[field["caption"]]
    ]
    return [{"op": "replace", "path": "customFields", "value": changed}] if changed else []


async def _status_operations(run: DispatchRun, kind: RecordKind, record: Record) -> list[PatchOperation]:
    name = run.settings.write_back.status.strip()
    if not name or str((record.get("status") or {}).get("name") or "").casefold() == name.casefold():
        return []
    number = await status_id(run, kind, record, name)
    return [{"op": "replace", "path": "status", "value": {"id": number}}]


async def list_statuses(run: DispatchRun, kind: RecordKind, record: Record) -> list[Record]:
    """Id and name of every status that the record may have: those of its board differ from other boards'."""
    board = (record.get("board") or {}).get("id")

    async def fetch() -> list[Record]:
        if kind is RecordKind.OPPORTUNITY:
            return await run.client.opportunity_statuses.list(fields="id,name")
        return await run.client.board_statuses(int(board or 0)).list(fields="id,name")

    found: list[Record] = await run.related.get(("statuses", kind.value, board), fetch)
    return found


async def status_id(run: DispatchRun, kind: RecordKind, record: Record, name: str) -> int:
    """The id of the status of that name on the record's board.

    Raises:
        RejectedError: the board has none of that name.
    """
    statuses = await list_statuses(run, kind, record)
    found = [each["id"] for each in statuses if str(each.get("name")).casefold() == name.strip().casefold()]
    if not found:
        known = ", ".join(sorted(str(each.get("name")) for each in statuses))
        raise RejectedError(
            f"The board of this record has no status {name!r}", remedy=f"It has: {known}. Correct the rules."
        )
    return int(found[0])

"""Which ticket or opportunity a work order was made for."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.ledger.dispatch_models import Link, Side
from connectors.ledger.intents import WORK_ORDER
from tasks.dispatch.intents import record_side
from tasks.dispatch.run import DispatchRun
from tasks.rules.dispatch_memory import Memory, memory_of
from tasks.rules.dispatch_reference import RecordKind

_LEFT = "connectwise/"


@dataclass(frozen=True, slots=True)
class Owner:
    """The record of a work order. ``newer``: the work order that the record has by now, if it is another."""

    kind: RecordKind
    record_id: int
    memory: Memory
    newer: int | None = None


async def owner_of(run: DispatchRun, work_order_id: int) -> Owner | None:
    """The record that the ledger knows a work order to belong to; None: it is not one of ours."""
    intent = await run.ledger.intents.of_work_order(run.tenant, work_order_id)
    if intent is not None:
        kind, number = RecordKind(intent.record_kind), intent.record_id
        link = await run.ledger.links.from_left(run.tenant, record_side(kind, number), WORK_ORDER)
        current = int(link.right.id) if link is not None else work_order_id
        memory = memory_of(link.details) if link is not None else Memory()
        return Owner(kind, number, memory, None if current == work_order_id else current)
    link = await run.ledger.links.from_right(run.tenant, Side(WORK_ORDER, str(work_order_id)))
    return None if link is None else linked_owner(link)


def linked_owner(link: Link) -> Owner | None:
    """The record at the left end of a link; None: it is no record of dispatch."""
    kind = link.left.kind.removeprefix(_LEFT)
    if not link.left.kind.startswith(_LEFT) or kind not in set(RecordKind):
        return None
    return Owner(RecordKind(kind), int(link.left.id), memory_of(link.details))

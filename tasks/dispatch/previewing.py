"""What would become of one record now, without writing anything, to the ledger neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.ledger.intents import WORK_ORDER
from tasks.dispatch.creating import wanted_work_order
from tasks.dispatch.intents import record_side
from tasks.dispatch.judging import NO_WORD, Word, cancels_on_leave, seen_now, state_of
from tasks.dispatch.related import read_source, with_related
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.standing import read_work_order, standing_of
from tasks.rules.dispatch_changes import changed_sections
from tasks.rules.dispatch_decision import Standing, Step, decide
from tasks.rules.dispatch_memory import memory_of
from tasks.rules.dispatch_reference import RecordKind


@dataclass(frozen=True, slots=True)
class Preview:
    """The step that would be taken, and the work order that the record would become.

    Attributes:
        inside: the record is in a trigger now.
        changes: what an update would send; empty for other steps.
        refusal: why it would be refused before anything is sent: all fields that are missing.
        warnings: values that do not fit and would be left out.
    """

    kind: RecordKind
    record_id: int
    reference: str
    step: Step
    inside: bool
    work_order_id: int | None = None
    reason: str = ""
    body: dict[str, Any] | None = None
    changes: dict[str, Any] | None = None
    refusal: str = ""
    warnings: tuple[str, ...] = ()


async def preview_record(
    run: DispatchRun, kind: RecordKind, record_id: int, *, record: Record | None = None, word: Word = NO_WORD
) -> Preview:
    """Reads the record with what its mapping needs, and its work order where the decision depends on it."""
    reference = run.reference(kind, record_id)
    source = await read_source(run, kind, record_id, record)
    intent = await run.ledger.intents.newest(run.tenant, kind.value, record_id)
    link = await run.ledger.links.from_left(run.tenant, record_side(kind, record_id), WORK_ORDER)
    memory = memory_of(link.details if link else {})
    change, seen = seen_now(run, source, memory if link else None)
    number = intent.work_order_id if intent else None
    state = state_of(run, memory, source, change, seen, word)
    leaving = cancels_on_leave(run, kind, memory)
    standing = Standing(intent.state if intent else "")
    decision = decide(state, standing, cancel_on_leave=leaving)
    if decision.step is Step.LOOK:
        status, assigned = standing_of(await read_work_order(run, number or 0))
        decision = decide(state, Standing(standing.intent, status, assigned), cancel_on_leave=leaving)
    if source.record is None:
        return Preview(kind, record_id, reference, decision.step, False, number, "the record does not exist")
    wanted = wanted_work_order(run, await with_related(run, source))
    changes = changed_sections(memory.sent, wanted.body) if decision.step is Step.UPDATE else {}
    step = Step.NOTHING if decision.step is Step.UPDATE and not changes else decision.step
    return Preview(
        kind,
        record_id,
        reference,
        step,
        seen.inside,
        number,
        decision.reason,
        wanted.body,
        changes,
        wanted.refusal,
        wanted.warnings,
    )

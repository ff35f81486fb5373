"""Sets values of the ticket that events want: all in one request, each remembered as done."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.ledger.dispatch_models import Claimed, Effect
from tasks.dispatch.finishing import patch_record
from tasks.dispatch.intents import outliving
from tasks.dispatch.once import MOST_REFUSALS, Done, Fate
from tasks.dispatch.own_moves import note_own_move
from tasks.dispatch.refusals import Refusal, keep_refusal, refusal_of
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.ticket_writing import Target, has_value, operations_for, refusal_words
from tasks.rules.dispatch_outbound import ValueWanted
from tasks.rules.dispatch_reference import RecordKind
from tasks.rules.dispatch_triggers import is_closed

Settled = list[tuple[ValueWanted, Done]]


async def set_values(run: DispatchRun, target: Target, values: Sequence[ValueWanted]) -> Settled:
    """What became of each. They are absolute, so that sending them again after a kill does no harm.

    Where the vendor refuses them together each is sent by itself, so that one wrong name spoils only itself.
    """
    claimed, settled = await _claim(run, target, values)
    if not claimed:
        return settled
    try:
        return [*settled, *await _send(run, target, claimed)]
    except RejectedError as error:
        if len(claimed) == 1:
            return [*settled, await _refused(run, target, claimed[0], error)]
    for one in claimed:
        try:
            settled += await _send(run, target, [one])
        except RejectedError as error:
            settled.append(await _refused(run, target, one, error))
    return settled


@dataclass(slots=True)
class _Claim:
    """A value with its row in the ledger; values of an outbound mapping have none."""

    value: ValueWanted
    row_id: int | None
    holder: str
    sent: bool = False


async def _claim(
    run: DispatchRun, target: Target, values: Sequence[ValueWanted]
) -> tuple[list[_Claim], Settled]:
    claimed: list[_Claim] = []
    settled: Settled = []
    for value in values:
        if not value.name:
            before = await refusal_of(run, *_about(target, value))
            if before is None:
                claimed.append(_Claim(value, None, ""))
            else:
                settled.append((value, Done(Fate.REFUSED, message=before.message)))
            continue
        holder = str(uuid.uuid4())
        found = await _row(run, target, value, holder)
        row, ours = found.row, found.ours
        if ours and row.state == "sent":
            # Of a process that was killed: what it sent may be sent again.
            await run.ledger.effects.unresolved(row.id, holder, "not known, and harmless to repeat")
            ours = (await _row(run, target, value, holder)).ours
        if row.state == "done":
            settled.append((value, Done(Fate.BEFORE)))
        elif not ours:
            busy = run.settings.waiting.busy_seconds
            settled.append((value, Done(Fate.BUSY, message="another process does it", retry_after=busy)))
        elif row.state == "refused" and row.attempts >= MOST_REFUSALS:
            await run.ledger.effects.release(row.id, holder)
            settled.append((value, Done(Fate.GIVEN_UP, message=row.message or "")))
        else:
            claimed.append(_Claim(value, row.id, holder))
    return claimed, settled


async def _row(run: DispatchRun, target: Target, value: ValueWanted, holder: str) -> Claimed[Effect]:
    seconds = run.settings.waiting.hold_seconds
    number = target.work_order_id
    return await run.ledger.effects.claim(run.tenant, number, value.name, holder=holder, seconds=seconds)


async def _send(run: DispatchRun, target: Target, claimed: Sequence[_Claim]) -> Settled:
    values = [one.value for one in claimed]
    operations = operations_for(target.record, values)
    if operations:
        await _mark(run, claimed)
        try:
            answer = await patch_record(run, target.kind, target.record_id, operations)
        except RetryableError as error:
            await _give_back(run, claimed, error)
            return [(one.value, _later(run, error)) for one in claimed]
        except StopError as error:
            await _give_back(run, claimed, error)
            raise
    else:
        answer = target.record
    settled: Settled = []
    for one in claimed:
        if one.row_id is not None:
            await run.ledger.effects.done(one.row_id)
        kept = has_value(answer, one.value)
        settled.append((one.value, Done(Fate.DONE, message="" if kept else _not_kept(one.value))))
    if any(one.target.startswith("status.") for one in values):
        await note_own_move(run, target.kind, target.record_id, answer)
    return settled


async def _mark(run: DispatchRun, claimed: Sequence[_Claim]) -> None:
    """All as sent, right before they are."""
    seconds = outliving(run.settings.waiting.creation_seconds)
    for one in claimed:
        if one.row_id is not None and not one.sent:
            await run.ledger.effects.mark_sent(one.row_id, one.holder, seconds=seconds)
            one.sent = True


async def _give_back(run: DispatchRun, claimed: Sequence[_Claim], error: ConnectorError) -> None:
    for one in claimed:
        if one.row_id is not None:
            await run.ledger.effects.unresolved(one.row_id, one.holder, str(error))


def _later(run: DispatchRun, error: RetryableError) -> Done:
    pause = error.retry_after if error.retry_after is not None else run.settings.waiting.pause_seconds
    return Done(Fate.LATER, message=str(error), retry_after=pause)


async def _refused(
    run: DispatchRun, target: Target, one: _Claim, error: RejectedError
) -> tuple[ValueWanted, Done]:
    words = await refusal_words(run, target.kind, target.record, one.value, error)
    if one.row_id is not None:
        await run.ledger.effects.refused(one.row_id, one.holder, words)
    else:
        await keep_refusal(run, *_about(target, one.value), Refusal(words))
    return one.value, Done(Fate.REFUSED, message=words)


def _about(target: Target, value: ValueWanted) -> tuple[RecordKind, int, str, Any]:
    """By what a refusal is remembered: the value, and as much of the record as may have made it refused.

    Not its status, nor its time, since other values of the same run change those.
    """
    record = target.record
    captions = sorted(str(each.get("caption")) for each in record.get("customFields") or [])
    named = [(record.get(name) or {}).get("id") for name in ("board", "company", "type", "stage")]
    judged = [target.work_order_id, value.value, captions, named, is_closed(record)]
    return target.kind, target.record_id, f"value {value.target}", judged


def _not_kept(value: ValueWanted) -> str:
    return f"ConnectWise took {value.target} = {value.value!r} and shows another value"

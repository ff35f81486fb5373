"""Copies the notes of one ticket and the messages of its work order to the other side, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from connectors.errors import RejectedError
from connectors.field_nation.client import all_messages
from connectors.field_nation.models import INTERNAL
from connectors.ledger.models import Claimed, SyncedNote
from tasks.dispatch.outbox import (
    Delivery,
    DeliveryReport,
    DeliveryResult,
    OutboxRow,
    deliver,
    delivered_or_failed,
)
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.state import NOTES_LOCK, WorkOrderOwner
from tasks.dispatch.ticket_writes import list_notes, post_note
from tasks.dispatch.work_order_events import for_owner
from tasks.rules.dispatch.notes import (
    Conversation,
    KnownCopy,
    Note,
    NoteCopy,
    copies_due,
    copy_of,
    opportunity_note,
    order_message,
    ticket_note,
)
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tasks.rules.isolation import convert_all, problem_words

_WORDS = {"connectwise": "note {} to Field Nation", "field_nation": "message {} to ConnectWise"}


async def copy_notes(
    run: DispatchRun, work_order_id: int, *, owner: WorkOrderOwner | None = None
) -> DispatchResult:
    """Copies what is due in both directions. Nothing new: one request each way; one more for each copy.

    Raises:
        RetryableError: a vendor is away; trying it again later loses nothing and repeats nothing.
        StopError: a person must act: credentials, rights, the ledger.
    """
    known = owner or await run.state.owner(work_order_id)
    if known is None:
        return DispatchResult(DispatchStatus.OUTSIDE, None, work_order_id, outbound=True)
    return await for_owner(
        run, work_order_id, known, NOTES_LOCK, lambda result: _copy_all(run, result, known)
    )


@dataclass
class _Read:
    """What was read of both sides; an answer to a message that was posted takes the list's place."""

    talk: Conversation
    posts: int = 0
    """Messages of the work order, answers not counted."""
    problems: tuple[str, ...] = ()
    """Notes and messages that can't be copied, in words."""

    def find(self, copy: NoteCopy) -> str | None:
        others = self.talk.messages if copy.note.side == "connectwise" else self.talk.notes
        return copy_of(others, copy.mark)


async def _copy_all(run: DispatchRun, result: DispatchResult, owner: WorkOrderOwner) -> DispatchResult:
    number = result.work_order_id or 0
    try:
        read = await _read(run, number, owner)
    except RejectedError as error:
        if error.status != 404:
            raise
        return result.but(DispatchStatus.REPORTED, f"one of the two is gone: {error}")
    report, complete = DeliveryReport(), True
    for copy in copies_due(read.talk, await _known(run, number), run.settings.notes):
        # One that fails must not keep those after it from ever being copied.
        delivered = await delivered_or_failed(partial(_copy, run, number, owner, read, copy))
        report.add(_words(copy), delivered)
        complete &= delivered.final
    if complete:
        await run.state.keep_messages(number, read.posts)
    return report.result(result, read.problems)


async def preview_copies(
    run: DispatchRun, work_order_id: int, *, owner: WorkOrderOwner | None = None
) -> DispatchResult:
    """What ``copy_notes`` would copy, in words; one request each way, and nothing is written anywhere."""
    known = owner or await run.state.owner(work_order_id)
    if known is None or known.newer is not None:
        return DispatchResult(DispatchStatus.OUTSIDE, None, work_order_id, outbound=True)
    read = await _read(run, work_order_id, known)
    due = copies_due(read.talk, await _known(run, work_order_id), run.settings.notes)
    did = tuple(f"would: copy {_words(copy)}" for copy in due if copy.found is None)
    return replace(known.ref.outbound(work_order_id), did=did, warnings=read.problems)


async def _known(run: DispatchRun, number: int) -> list[KnownCopy]:
    rows = await run.ledger.notes.of_work_order(run.tenant, number)
    return _plain_ids([KnownCopy(one.origin, one.origin_id, one.copy_id) for one in rows])


async def _read(run: DispatchRun, number: int, owner: WorkOrderOwner) -> _Read:
    ref, settings = owner.ref, run.settings.notes
    if not (settings.to_connectwise or settings.to_field_nation):
        return _Read(Conversation(number, ref.reference, (), ()))
    shown = opportunity_note if ref.kind is RecordKind.OPPORTUNITY else ticket_note
    problems: list[str] = []
    notes = _shown(await list_notes(run, ref), shown, "A note", problems)
    found = await run.field_nation.list_messages(number)
    described = str(read_path(owner.memory.sent, "description.html") or "")
    messages = _shown(all_messages(found), order_message, "A message", problems)
    talk = Conversation(number, ref.reference, notes, messages, described)
    return _Read(talk, len(found), tuple(problems))


async def _copy(
    run: DispatchRun, number: int, owner: WorkOrderOwner, read: _Read, copy: NoteCopy
) -> DeliveryResult:
    ledger, note, kind = run.ledger.notes, copy.note, owner.ref.kind.value
    # Notes of tickets and of opportunities have ids of their own, so the ledger keeps the kind too.
    origin_id = f"{kind}/{note.id}" if note.side == "connectwise" else note.id
    seconds = run.settings.waiting.hold_seconds

    async def claim(holder: str) -> Claimed[SyncedNote]:
        return await ledger.claim(run.tenant, number, note.side, origin_id, holder=holder, seconds=seconds)

    async def send() -> str:
        if note.side == "connectwise":
            return await _post_message(run, number, read, copy)
        place = "internal" if copy.internal else "discussion"
        return f"{kind}/{await post_note(run, owner.ref, copy.text, place)}"

    async def find() -> str | None:
        found = read.find(copy)
        return found if found is None or note.side == "connectwise" else f"{kind}/{found}"

    async def done(row_id: int, copy_id: str | None) -> SyncedNote:
        return await ledger.copied(row_id, copy_id or "")

    return await deliver(run, Delivery(OutboxRow(claim, ledger, done), send, find, look_first=True))


async def _post_message(run: DispatchRun, number: int, read: _Read, copy: NoteCopy) -> str:
    """The answer is the whole list, so the new message is found by its mark."""
    kind = INTERNAL if copy.internal else "ASSIGNEDTECH"
    answer = await run.field_nation.post_message(number, copy.text, type=kind)
    messages = _shown(all_messages(answer), order_message, "A message", [])
    read.talk, read.posts = replace(read.talk, messages=messages), len(answer)
    # An answer without it would be a server of another kind; the mark is then looked for next time.
    return copy_of(read.talk.messages, copy.mark) or f"unknown copy of {copy.note.id}"


def _shown(
    records: Sequence[Record], show: Callable[[Record], Note], what: str, problems: list[str]
) -> list[Note]:
    """The notes of one side; one that can't be read, or has no id, is told and the others are copied."""
    notes = convert_all(
        records, show, lambda each, error: problems.append(f"{what} can't be read: {problem_words(error)}")
    )
    if unnamed := sum(not each.id for each in notes):
        problems.append(f"{what} without an id can't be copied ({unnamed} of {len(notes)})")
    return notes


def _plain_ids(known: list[KnownCopy]) -> list[KnownCopy]:
    """As the ledger keeps them, but with the vendors' own ids."""
    plain = []
    for one in known:
        origin, copy = one.origin_id, one.copy_id
        if one.origin == "connectwise":
            origin = origin.rpartition("/")[2]
        elif copy is not None:
            copy = copy.rpartition("/")[2]
        plain.append(KnownCopy(one.origin, origin, copy))
    return plain


def _words(copy: NoteCopy) -> str:
    return _WORDS[copy.note.side].format(copy.note.id)

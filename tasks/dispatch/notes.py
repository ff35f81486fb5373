"""The notes of one ticket and the messages of its work order: each copied once to the other side."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.errors import RejectedError
from connectors.field_nation.client import all_messages
from connectors.field_nation.models import INTERNAL
from connectors.ledger.models import Claimed, SyncedNote
from tasks.dispatch.outbox import Done, Fate, Job, do_once
from tasks.dispatch.run import Back, DispatchRun, Record, Result, talk_name
from tasks.dispatch.state import Owner, owner_of
from tasks.dispatch.ticket_writes import list_notes, post_note
from tasks.dispatch.work_order_events import for_owner
from tasks.rules.dispatch.notes import (
    Conversation,
    Copy,
    KnownCopy,
    Note,
    copies_due,
    copy_of,
    opportunity_note,
    order_message,
    ticket_note,
)
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import RecordKind
from tasks.shared.progress import run_logger

COPYING = "copying notes"
_WORDS = {"connectwise": "note {} to Field Nation", "field_nation": "message {} to ConnectWise"}
_WAITING = {Fate.UNCLEAR: Result.UNCLEAR, Fate.BUSY: Result.BUSY, Fate.LATER: Result.FAILED}


async def copy_notes(run: DispatchRun, work_order_id: int, *, owner: Owner | None = None) -> Back:
    """Copies what is due in both directions. Nothing new: one request each way; one more for each copy.

    Raises:
        RetryableError: a vendor is away; trying it again later loses nothing and repeats nothing.
        StopError: a person must act: credentials, rights, the ledger.
    """
    known = owner or await owner_of(run, work_order_id)
    if known is None:
        return Back(work_order_id, Result.OUTSIDE)
    return await for_owner(run, work_order_id, known, COPYING, lambda back: _copy_all(run, back, known))


@dataclass
class _Read:
    """What was read of both sides; an answer to a message that was posted takes the list's place."""

    talk: Conversation
    posts: int = 0
    """Messages of the work order, answers not counted."""

    def find(self, copy: Copy) -> str | None:
        """The id of a copy that is there, by its mark."""
        others = self.talk.messages if copy.note.side == "connectwise" else self.talk.notes
        return copy_of(others, copy.mark)


async def _copy_all(run: DispatchRun, back: Back, owner: Owner) -> Back:
    try:
        read = await _read(run, back.work_order_id, owner)
    except RejectedError as error:
        if error.status != 404:
            raise
        return replace(back, result=Result.REPORTED, message=f"one of the two is gone: {error}")
    due = copies_due(read.talk, await _known(run, back.work_order_id), run.settings.notes)
    settled = [(copy, await _copy(run, back.work_order_id, owner, read, copy)) for copy in due]
    if all(done.settled for _, done in settled):
        await _remember(run, back.work_order_id, read.posts)
    return _outcome(back, settled)


async def preview_copies(run: DispatchRun, work_order_id: int, *, owner: Owner | None = None) -> Back:
    """What ``copy_notes`` would copy, in words; one request each way, and nothing is written anywhere."""
    known = owner or await owner_of(run, work_order_id)
    if known is None or known.newer is not None:
        return Back(work_order_id, Result.OUTSIDE)
    read = await _read(run, work_order_id, known)
    due = copies_due(read.talk, await _known(run, work_order_id), run.settings.notes)
    did = tuple(f"would: copy {_words(copy)}" for copy in due if copy.found is None)
    return Back(work_order_id, Result.UNCHANGED, known.kind, known.record_id, did=did)


async def _known(run: DispatchRun, number: int) -> list[KnownCopy]:
    rows = await run.ledger.notes.of_work_order(run.tenant, number)
    return _plain_ids([KnownCopy(one.origin, one.origin_id, one.copy_id) for one in rows])


async def _remember(run: DispatchRun, number: int, posts: int) -> None:
    """So that an event of the work order is known to be no message."""
    value = {"messages": posts}
    if await run.ledger.state.get(run.tenant, talk_name(number)) != value:
        await run.ledger.state.set(run.tenant, talk_name(number), value)


async def _read(run: DispatchRun, number: int, owner: Owner) -> _Read:
    reference = run.reference(owner.kind, owner.record_id)
    settings = run.settings.notes
    if not (settings.to_connectwise or settings.to_field_nation):
        return _Read(Conversation(number, reference, (), ()))
    shown = opportunity_note if owner.kind is RecordKind.OPPORTUNITY else ticket_note
    notes = [shown(each) for each in await list_notes(run, owner.kind, owner.record_id)]
    found = await run.field_nation.list_messages(number)
    described = str(read_path(owner.memory.sent, "description.html") or "")
    return _Read(Conversation(number, reference, notes, _messages(found), described), len(found))


async def _copy(run: DispatchRun, number: int, owner: Owner, read: _Read, copy: Copy) -> Done:
    ledger, note = run.ledger.notes, copy.note
    origin_id = f"{owner.kind.value}/{note.id}" if note.side == "connectwise" else note.id
    seconds = run.settings.waiting.hold_seconds

    async def claim(holder: str) -> Claimed[SyncedNote]:
        return await ledger.claim(run.tenant, number, note.side, origin_id, holder=holder, seconds=seconds)

    async def send() -> str:
        if note.side == "connectwise":
            return await _post_message(run, number, read, copy)
        place = "internal" if copy.internal else "discussion"
        return _in_ledger(owner, await post_note(run, owner.kind, owner.record_id, copy.text, place))

    async def find() -> str | None:
        found = read.find(copy)
        return found if found is None or note.side == "connectwise" else _in_ledger(owner, found)

    async def done(row_id: int, copy_id: str | None) -> SyncedNote:
        return await ledger.copied(row_id, copy_id or "")

    return await do_once(run, Job(claim, ledger, done, send, find, look_first=True))


async def _post_message(run: DispatchRun, number: int, read: _Read, copy: Copy) -> str:
    """The answer is the whole list, so the new message is found by its mark."""
    kind = INTERNAL if copy.internal else "ASSIGNEDTECH"
    answer = await run.field_nation.post_message(number, copy.text, type=kind)
    read.talk, read.posts = replace(read.talk, messages=_messages(answer)), len(answer)
    # An answer without it would be a server of another kind; the mark is then looked for next time.
    return copy_of(read.talk.messages, copy.mark) or f"unknown copy of {copy.note.id}"


def _messages(found: list[Record]) -> list[Note]:
    return [order_message(each) for each in all_messages(found)]


def _in_ledger(owner: Owner, note_id: str) -> str:
    """Notes of tickets and of opportunities have ids of their own, so the ledger keeps the kind too."""
    return f"{owner.kind.value}/{note_id}"


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


def _words(copy: Copy) -> str:
    return _WORDS[copy.note.side].format(copy.note.id)


def _outcome(back: Back, settled: list[tuple[Copy, Done]]) -> Back:
    did = tuple(_words(copy) for copy, done in settled if done.fate in (Fate.DONE, Fate.FOUND))
    refused = (Fate.REFUSED, Fate.GIVEN_UP)
    warnings = tuple(f"{_words(copy)}: {done.message}" for copy, done in settled if done.fate in refused)
    waiting = [done for _, done in settled if done.fate in _WAITING]
    result = Result.REPORTED if warnings else Result.UPDATED if did else Result.UNCHANGED
    if waiting:
        fates = {done.fate for done in waiting}
        result = next(found for fate, found in _WAITING.items() if fate in fates)
    for warning in warnings:
        run_logger().warning("Work order %d: %s", back.work_order_id, warning)
    return replace(
        back,
        result=result,
        did=did,
        warnings=warnings,
        message=waiting[0].message if waiting else "",
        retry_after=max((done.retry_after or 0.0 for done in waiting), default=None),
    )

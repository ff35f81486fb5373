"""What a fetched record means, compared with what is remembered of it: the facts that a decision takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tasks.dispatch.related import Source
from tasks.dispatch.run import DispatchRun
from tasks.rules.dispatch_decision import RecordState
from tasks.rules.dispatch_memory import CANCELLING, RULES, Memory
from tasks.rules.dispatch_paths import read_path
from tasks.rules.dispatch_reference import RecordKind
from tasks.rules.dispatch_triggers import Change, Seen, is_closed, judge, triggers_mark


@dataclass(frozen=True, slots=True)
class Word:
    """A person's word. ``outside``: make a work order though the record is in no trigger. ``again``: an
    unresolved creation made nothing, so it may be made once more now.
    """

    outside: bool = False
    again: bool = False


NO_WORD = Word()


def seen_now(run: DispatchRun, source: Source, memory: Memory | None) -> tuple[Change, Seen]:
    """The record's change, and what to remember of it; ``memory`` None: nothing is known of it yet."""
    before = memory.seen if memory is not None else None
    if source.record is None:
        known = before or Seen()
        return (Change.CLOSED if known.inside else Change.OUTSIDE), Seen(False, known.updated, known.entries)
    change, seen = judge(run.settings.triggers, source.kind, source.document, before)
    if change is Change.STAYED and memory is not None and memory.more.get(CANCELLING):
        return Change.ENTERED, replace(seen, entries=seen.entries + 1)
    return change, seen


def cancels_on_leave(run: DispatchRun, kind: RecordKind, memory: Memory) -> bool:
    """Whether leaving cancels: not where the triggers were changed, since then the record did not move."""
    mark = triggers_mark(run.settings.triggers, kind)
    return run.settings.on_leave == "cancel" and memory.more.get(RULES, mark) == mark


def is_wanted(source: Source, seen: Seen, word: Word = NO_WORD) -> bool:
    """The record is there, and is in a trigger or asked for."""
    return source.record is not None and (seen.inside or word.outside)


def state_of(
    run: DispatchRun, memory: Memory, source: Source, change: Change, seen: Seen, word: Word = NO_WORD
) -> RecordState:
    """The record as a decision takes it."""
    gone = source.record is None
    closed = not gone and is_closed(source.document)
    return RecordState(
        change,
        inside=is_wanted(source, seen, word),
        closed=closed,
        newly_closed=(closed or gone) and not memory.closed,
        gone=gone,
        own_status=_status_name(source) in run.settings.own_statuses(),
        asked=word.outside,
    )


def _status_name(source: Source) -> str:
    return str(read_path(source.document, "status.name") or "").strip().lower()

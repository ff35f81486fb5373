"""Does to one ticket what the events of its work order want, and keeps what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from connectors.errors import RejectedError
from tasks.dispatch.back import Back
from tasks.dispatch.once import Done, Fate
from tasks.dispatch.run import DispatchRun, Result
from tasks.dispatch.ticket_writing import Target, add_note, add_time, has_value
from tasks.dispatch.value_writing import set_values
from tasks.progress import run_logger
from tasks.rules.dispatch_outbound import (
    NoteWanted,
    TimeWanted,
    ValueWanted,
    Wanted,
    note_words,
    time_words,
    value_words,
)
from tasks.rules.dispatch_triggers import is_closed

_RESULTS = {Fate.UNCLEAR: Result.UNCLEAR, Fate.BUSY: Result.BUSY, Fate.LATER: Result.FAILED}


@dataclass
class Doing:
    """Notes and time entries come first: a status may close the ticket.

    ``left`` are the keys of which something is left to do, ``waiting`` what must be tried again soon.
    """

    run: DispatchRun
    target: Target
    did: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    waiting: list[Done] = field(default_factory=list)
    reported: bool = False

    async def all_of(self, wanted: Wanted) -> None:
        """Does everything, one after the other."""
        for note in wanted.notes:
            await self._note(note)
        for time in wanted.times:
            await self._time(time)
        values = self._allowed(wanted.values)
        for value, done in await set_values(self.run, self.target, values) if values else []:
            self._keep(value.key, done, value_words(value))

    async def _note(self, note: NoteWanted) -> None:
        target = self.target
        done = await add_note(self.run, target, note)
        self._keep(note.key, done, note_words(note))

    async def _time(self, time: TimeWanted) -> None:
        target = self.target
        try:
            done = await add_time(self.run, target, time)
        except RejectedError as error:
            done = Done(Fate.GIVEN_UP, message=str(error))
        self._keep(time.key, done, time_words(time))

    def _allowed(self, values: tuple[ValueWanted, ...]) -> list[ValueWanted]:
        """All but the status of a ticket that a person has closed: it is reported, and never reopened."""
        record = self.target.record
        kept = [one for one in values if not one.target.startswith("status.")]
        for one in values:
            if one in kept:
                continue
            if not is_closed(record) or has_value(record, one):
                kept.append(one)
                continue
            self.reported = True
            self.warnings.append(f"the record is closed, so its status was not set to {one.value!r}")
        return kept

    def _keep(self, key: str, done: Done, words: str) -> None:
        if done.fate in (Fate.DONE, Fate.FOUND):
            self.did.append(words)
            if done.message:
                self.warnings.append(done.message)
            return
        if not done.settled:
            self.left.add(key)
        if done.fate in (Fate.REFUSED, Fate.GIVEN_UP):
            self.reported = True
            self.warnings.append(f"{words}: {done.message}")
        elif done.fate is not Fate.BEFORE:
            self.waiting.append(done)

    def outcome(self, back: Back, problems: tuple[str, ...]) -> Back:
        """The result to tell, worst first."""
        result, message, retry_after = Result.UPDATED if self.did else Result.UNCHANGED, "", None
        if self.reported:
            result = Result.REPORTED
        if self.waiting:
            fates = {each.fate for each in self.waiting}
            result = next(found for fate, found in _RESULTS.items() if fate in fates)
            message = self.waiting[0].message
            retry_after = max((each.retry_after or 0.0) for each in self.waiting)
        warnings = (*back.warnings, *problems, *self.warnings)
        for warning in warnings:
            run_logger().warning("Work order %d: %s", back.work_order_id, warning)
        return replace(
            back,
            result=result,
            did=tuple(self.did),
            warnings=warnings,
            message=message,
            retry_after=retry_after,
        )

"""What happened to one configuration, held against who may write what (docs/spec.md, law 4).

Persons may write everything; the integration only mapped fields, and of those only what its authority allows.
A PUT writes back the whole record as its batch read it a moment before, so a person's edit in between is
lost by design; a person's edit at any other time, or under PATCH, must stay. A server that resets members on
PUT is found out by a run's first batch, which puts them back; a run that is ended before that can't, and one
that finds a person at work on the record leaves it alone and says so. Where the server resets nothing, to put
back is too late: somebody may have missed the value meanwhile. A late PUT may take away an edit that the run
has read by then, and gives back. A field that is only to be filled, or that is to be put back, may be typed
between the reading and the PATCH of its record: ConnectWise takes no conditions with a PATCH.

``Rereads`` knows which reading of a record may stand behind which PUT of it: the batch's own, made a moment
before. A read of something else, such as all records at the beginning of a run, serves no PUT, however few
things happened in between.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.chaos.asset_model import LINK, custom_values
from benchmarks.chaos.verdict import RunRecord, requests_of

AT_ONCE = 3
"""Batches that are under way side by side: so many PUTs of others may lie between a batch's two requests."""
_BY_ID = re.compile(r"(^|[?&])conditions=\s*id in \(", re.IGNORECASE)
Record = dict[str, Any]
Entry = dict[str, Any]
MayWrite = Callable[[Record, str, Any], bool]
"""(record after the write, member, value before it) -> whether the integration may write that member."""
Serves = Callable[[Entry, Entry], bool]
"""(read, PUT) -> whether the PUT may be of what that read gave."""
API = "apimember"
LOST = "edit lost between re-read and PUT"
GIVEN_BACK = "edit that a late PUT took away and the run gave back"
PUT_BACK = "unmapped field changed and put back"
RESET = "unmapped field reset by the server, and the run ended before it looked"
LEFT = "unmapped field reset by the server, left since a person changed the record, and told"
FILLED = "field to fill that a person typed between re-read and PATCH"
MOVED = "record that a person gave to another company between re-read and PATCH"
TYPED = "field to put back that a person typed between re-read and PATCH"
_DERIVED = frozenset({"_info", "id", "customFields", "locationId", "businessUnitId"})


class Rereads:
    """Knows all PUTs that wrote, and the runs that sent them."""

    def __init__(self, entries: Iterable[Entry], runs: Sequence[RunRecord]) -> None:
        puts = {each["request"]: each["since"] for each in entries if is_put(each)}
        self._arrived = sorted(puts.values())
        self._runs = [requests_of(run) for run in runs]

    def serves(self, read: Entry, put: Entry) -> bool:
        """Whether the PUT may be of what that request read.

        The read asked for records by their ids, was answered before the PUT arrived, belongs to the same run,
        and no more PUTs arrived in between than other batches can have sent meanwhile.
        """
        if read["at"] >= put["since"] or not _BY_ID.search(read["query"]):
            return False
        others = bisect_right(self._arrived, put["since"]) - bisect_right(self._arrived, read["at"]) - 1
        return others <= AT_ONCE and self._run_of(read) == self._run_of(put)

    def _run_of(self, entry: Entry) -> int:
        return next((at for at, numbers in enumerate(self._runs) if entry["request"] in numbers), -1)


def is_put(entry: Entry) -> bool:
    """Whether whole records were written."""
    return bool(entry["name"].startswith("PUT "))


def members(record: Record) -> Record:
    """What a record says, member by member: references by id, custom fields and answers one by one."""
    found = {
        name: value["id"] if isinstance(value, dict) and "id" in value else value
        for name, value in record.items()
        if name not in _DERIVED
    }
    for each in found.pop("questions", None) or ():
        if each.get("answer") is not None:
            found[f"questions.{each['questionId']}"] = each["answer"]
    return found | custom_values(record)


@dataclass
class Trail:
    """One configuration from the snapshot to the end.

    Attributes:
        start: the record in the snapshot; None if it was not there.
        keys: every asset key that it carried, and who wrote it last.
        made: the entry with which the integration created it.
        freed: keys that persons took from it, by deleting it or emptying the field.
        keys_moved: whether a person changed a field that links, or added the record.
        resets: the members that the server resets on PUT.
        merged: the members of which an edit is kept while the asset's value stays the same.
    """

    id: int
    start: Record | None
    serves: Serves
    keys: dict[str, str] = field(default_factory=dict)
    made: Entry | None = None
    gone: bool = False
    freed: list[str] = field(default_factory=list)
    keys_moved: bool = False
    faults: list[str] = field(default_factory=list)
    checked: int = 0
    resets: frozenset[str] = frozenset()
    merged: frozenset[str] = frozenset()
    apart: Counter[str] = field(default_factory=Counter)
    images: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = members(self.start or {})
        self.expected = dict(self.now)
        self._reads: list[Entry] = []
        self._puts: list[Entry] = []
        self._edited_at: dict[str, int] = {}
        self._typed: dict[str, Any] = {}
        self._wrote: dict[str, tuple[Any, int]] = {}
        self._person_at = -1
        self._suspects: dict[str, Entry] = {}
        if self.start is not None:
            self.images.append(self.start)
            self._carry("before")

    def follow(self, entry: Entry, may_write: MayWrite, *, patch_only: bool) -> None:
        if entry["action"] == "read":
            self._reads.append(entry)
        elif entry["by"] != API:
            self._by_person(entry)
        elif entry["action"] == "deleted":
            self.gone = True
            self.faults.append(f"configuration {self.id} was deleted by {entry['name']}")
        else:
            self._by_integration(entry, may_write, patch_only)

    def _by_person(self, entry: Entry) -> None:
        before = self.now.get(LINK)
        if entry["action"] == "deleted":
            self.gone = True
            self.freed += [before] if before else []
            return
        after = members(entry["record"])
        for name in _changed(self.now, after):
            self.expected[name] = after.get(name)
            self._edited_at[name] = entry["at"]
            self._typed[name] = after.get(name)
            self._undone(name, "a person changed it")
            self.keys_moved |= name in ("serialNumber", "macAddress", "name")
        self._person_at = entry["at"]
        self.keys_moved |= entry["action"] == "added"
        self._step(after, entry, "person")
        self.freed += [before] if before and after.get(LINK) != before else []

    def _by_integration(self, entry: Entry, may_write: MayWrite, patch_only: bool) -> None:
        after = members(entry["record"])
        if entry["action"] == "added":
            self.made = entry
            self.expected = dict(after)
            self._wrote = {name: (value, entry["at"]) for name, value in after.items()}
        for name in _changed(self.now, after) if entry["action"] == "updated" else ():
            self.checked += 1
            self._written(name, after.get(name), entry, may_write, patch_only)
        if is_put(entry):
            self._puts.append(entry)
        self._step(after, entry, "integration")

    def _written(self, name: str, value: Any, entry: Entry, may_write: MayWrite, patch_only: bool) -> None:
        if may_write(entry["record"], name, self.now.get(name)):
            self._is_merge(name, value, entry, patch_only)
            self.expected[name] = value
        elif value == self.expected.get(name):
            self._undone(name, f"{entry['name']} put it back")
        elif reason := self._apart(name, value, entry, may_write, patch_only):
            self.expected[name] = value
            self.apart[reason] += 1
        else:
            self._suspects[name] = entry

    def _is_merge(self, name: str, value: Any, entry: Entry, patch_only: bool) -> None:
        """An edit is kept until the asset's value moves: what was written before it is not written again."""
        wrote, at = self._wrote.get(name, (None, entry["at"]))
        if name in self.merged and not self.freed and value == wrote and self._edited_at.get(name, -1) > at:
            late = not patch_only and is_put(entry) and self._unseen(name, entry)
            if late or self._typed_meanwhile(name, entry):
                self.apart[LOST] += 1
            else:
                self.faults.append(
                    f"configuration {self.id}: {entry['name']} wrote {name} {value!r:.80} again, over a "
                    f"person's edit {self.now.get(name)!r:.80}"
                )
        self._wrote[name] = (value, entry["at"])

    def keeps_edit(self, name: str, is_wanted: Callable[[Record], bool]) -> bool | None:
        """Whether the member is as a person typed it, and had the asset's value before; None: only typed."""
        typed = name in self._edited_at and self.now.get(name) == self._typed[name]
        if not typed:
            return False
        return any(is_wanted(each) for each in self.images[:-1]) or None

    def _apart(self, name: str, value: Any, entry: Entry, may_write: MayWrite, patch_only: bool) -> str:
        """Why a write that the mapping does not explain is neither right nor wrong; empty: it is suspect."""
        if name in self._typed and value == self._typed[name]:
            return GIVEN_BACK
        if not patch_only and is_put(entry) and self._unseen(name, entry):
            return LOST
        if name in self.resets and self._is_put_back(name, value, entry):
            return PUT_BACK
        if self._typed_meanwhile("company", entry):
            return MOVED
        if not self._typed_meanwhile(name, entry):
            return ""
        if may_write(entry["record"], name, None):
            return FILLED
        return TYPED if name in self.resets and self._was_there(name, value) else ""

    def _undone(self, name: str, how: str) -> None:
        """A wrong value did not stay; only what the server reset by itself is no fault then."""
        suspect = self._suspects.pop(name, None)
        if suspect and name in self.resets:
            self.apart[PUT_BACK] += 1
        elif suspect:
            value = members(suspect["record"]).get(name)
            self.faults.append(
                f"configuration {self.id}: {name}, which is not to be written, was {value!r:.80} from "
                f"{suspect['name']} until {how}"
            )

    def _is_put_back(self, name: str, value: Any, entry: Entry) -> bool:
        """Whether a PATCH gives back what was read before a PUT that reset it and lost a person's edit."""
        return (
            entry["name"].startswith("PATCH ")
            and self._was_there(name, value)
            and bool(self._puts)
            and self._edited_at.get(name, -1) < self._puts[-1]["at"]
        )

    def _was_there(self, name: str, value: Any) -> bool:
        return any(members(each).get(name) == value for each in self.images)

    def _unseen(self, name: str, entry: Entry) -> bool:
        """Whether a person edited the member after the read for this request: no read serves two of them."""
        own = [each["at"] for each in self._reads if self.serves(each, entry)]
        earlier = max((each["since"] for each in self._puts if each["since"] < entry["since"]), default=0)
        return bool(own) and own[-1] >= earlier and self._edited_at.get(name, -1) > own[-1]

    def _typed_meanwhile(self, name: str, entry: Entry) -> bool:
        """Whether a person typed the value after the last read before this PATCH."""
        read = max((each["at"] for each in self._reads if each["at"] < entry["at"]), default=-1)
        return entry["name"].startswith("PATCH ") and self._edited_at.get(name, -1) > read

    def _step(self, after: Record, entry: Entry, by: str) -> None:
        self.now = after
        self.images.append(entry["record"])
        self._carry(by)

    def _carry(self, by: str) -> None:
        if key := self.now.get(LINK):
            self.keys.setdefault(str(key), by)
            if by == "person":
                self.keys[str(key)] = by

    def finish(
        self,
        record: Record | None,
        ended_early: Callable[[Entry], bool],
        told: Callable[[Entry, int, str], bool],
    ) -> None:
        """Hold the last state against what persons left.

        ``ended_early``: an entry's run has no report; ``told``: it names the member as left.
        """
        if (record is None) != self.gone:
            there = "gone" if record is None else "there"
            self.faults.append(f"configuration {self.id} is {there}, which no change of it explains")
        if record is None:
            return
        have = members(record)
        self.checked += len(have)
        for name in _changed(self.expected, have):
            suspect = self._suspects.get(name)
            if suspect and name in self.resets and have.get(name) is None:
                if ended_early(suspect):
                    self.apart[RESET] += 1
                    continue
                if self._person_at > suspect["at"] and told(suspect, self.id, name):
                    self.apart[LEFT] += 1
                    continue
            since = self._suspects.get(name, {}).get("name", "nobody knows when")
            person = "a person's value" if name in self._edited_at else "the value before the runs"
            self.faults.append(
                f"configuration {self.id} (asset {have.get(LINK)}): {name} is {have.get(name)!r:.80} since "
                f"{since} instead of {person} {self.expected.get(name)!r:.80}"
            )


def _changed(before: Record, after: Record) -> list[str]:
    names = before.keys() | after.keys()
    return sorted(name for name in names if before.get(name) != after.get(name))

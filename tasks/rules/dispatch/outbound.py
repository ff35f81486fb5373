"""What the events and values of a work order do to its record: each action with a name of its own. Pure.

The name is what the outbox remembers an action by, so it must be the same whenever the same event is seen.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jmespath.exceptions import JMESPathError

from tasks.rules.dispatch.events import (
    HappenedEvent,
    OutboundAction,
    OutboundRule,
    TimeEntrySettings,
    closed_logs,
    log_end,
    log_start,
)
from tasks.rules.dispatch.mapping import outbound_source, outbound_values
from tasks.rules.dispatch.mapping_actions import single_text
from tasks.rules.dispatch.mapping_model import DispatchMapping
from tasks.rules.dispatch.paths import is_nothing
from tasks.rules.dispatch.reference import effect_mark, marked
from tasks.rules.dispatch.targets import LONGEST_TEXTS, TICKET_MOMENTS
from tasks.rules.expression_limits import LARGEST_VALUE, LONGEST_EXPRESSION, parse
from tasks.rules.isolation import bounded, problem_words
from tasks.rules.markup import fitting, text_of_markup, units_of
from tasks.rules.values import read_date_time, write_date_time

WorkOrder = Mapping[str, Any]
_BLANK = re.compile(r"\{\{(.{0,3000}?)\}\}")
_LONGEST_BLANK = 3000
"""Characters between the brackets that are looked through, as the expression above says."""
_NOTES = {"internalNote": "internal", "discussionNote": "discussion", "resolutionNote": "resolution"}
_PLACES = {"internal": "an internal note", "discussion": "a note", "resolution": "a resolution note"}
_TIME_TEXT = "Field Nation work order {{id}}: {{provider.name}}"
TICKET_FIELD = "customFields."


@dataclass(frozen=True, slots=True)
class NoteWanted:
    """A note; ``place`` is internal, discussion or resolution. ``key``: the event that it is for."""

    name: str
    key: str
    mark: str
    text: str
    place: str = "internal"


@dataclass(frozen=True, slots=True)
class TimeWanted:
    """A time entry for one stay on site; moments as ConnectWise writes them."""

    name: str
    key: str
    mark: str
    text: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class ValueWanted:
    """A value of the record itself. ``target``: ``status.name``, ``customFields.<caption>``, ...

    ``name`` empty: it comes of an outbound mapping and is remembered by its value, not as an action.
    """

    name: str
    key: str
    target: str
    value: Any


@dataclass(frozen=True, slots=True)
class WantedActions:
    """All that is to be done, in order; ``problems`` are sentences about what can't be."""

    notes: tuple[NoteWanted, ...] = ()
    times: tuple[TimeWanted, ...] = ()
    values: tuple[ValueWanted, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        return bool(self.notes or self.times or self.values)


def wanted_of(
    work_order: WorkOrder, opened: Sequence[HappenedEvent], rules: Sequence[OutboundRule]
) -> WantedActions:
    """What the rules want for events that are not handled yet. Time entries are not among it.

    Of several statuses, or values of one field, only the last one counts: a ticket whose work order was
    assigned and approved between two looks goes to the last status at once.
    """
    notes: list[NoteWanted] = []
    values: dict[str, ValueWanted] = {}
    problems: list[str] = []
    for happened in opened:
        seen: Counter[OutboundAction] = Counter()
        for rule in rules:
            if rule.event is not happened.event or rule.action is OutboundAction.ADD_TIME_ENTRY:
                continue
            seen[rule.action] += 1
            try:
                if rule.action is OutboundAction.ADD_NOTE:
                    notes += _note(work_order, happened, rule, seen[rule.action])
                else:
                    value = _value(work_order, happened, rule)
                    # Taken out first, so that the last one also comes last.
                    values.pop(value.target, None)
                    values[value.target] = value
            except Exception as error:
                # One rule's value must not take the others of the work order with it.
                problems.append(f"{happened.key}: {problem_words(error)}.")
    return WantedActions(tuple(notes), (), tuple(values.values()), tuple(problems))


def times_wanted(
    work_order: WorkOrder,
    happened: Iterable[HappenedEvent],
    rules: Sequence[OutboundRule],
    handled: Iterable[str],
) -> WantedActions:
    """A time entry for every stay that has ended, once an event has happened that a rule names for it.

    One a stay, however many rules there are. A stay that is entered late has its entry late.
    """
    events = {each.event for each in happened}
    rule = next(
        (one for one in rules if one.action is OutboundAction.ADD_TIME_ENTRY and one.event in events), None
    )
    if rule is None:
        return WantedActions()
    times: list[TimeWanted] = []
    problems: list[str] = []
    known = set(handled)
    for log in closed_logs(work_order):
        key = log_key(log)
        if key in known:
            continue
        try:
            times.append(_time(work_order, rule, log, key))
        except Exception as error:
            problems.append(f"{key}: {problem_words(error)}.")
    return WantedActions(times=tuple(times), problems=tuple(problems))


def _time(work_order: WorkOrder, rule: OutboundRule, log: Mapping[str, Any], key: str) -> TimeWanted:
    start, end = read_date_time(log_start(log)), read_date_time(log_end(log))
    if start is None or end is None or end <= start:
        raise ValueError(f"a stay from {log_start(log)} to {log_end(log)} can't be entered as time")
    mark = effect_mark(int(work_order["id"]), key)
    text = filled(rule.value.strip() or _TIME_TEXT, {**outbound_source(work_order), "time_log": log})
    return TimeWanted(key, key, mark, marked(text, mark), write_date_time(start), write_date_time(end))


def stays_without_rule(work_order: WorkOrder, rules: Sequence[OutboundRule]) -> frozenset[str]:
    """Keys of the stays that are over while no rule enters time: a rule made later is not meant for them."""
    if any(rule.action is OutboundAction.ADD_TIME_ENTRY for rule in rules):
        return frozenset()
    return frozenset(map(log_key, closed_logs(work_order)))


def log_key(log: Mapping[str, Any]) -> str:
    """``time-77`` for the stay of that id; of its beginning where it has none."""
    return f"time-{log.get('id') or re.sub(r'[^0-9]', '', log_start(log))}"


def mapped_of(
    work_order: WorkOrder, lines: Sequence[DispatchMapping], before: Mapping[str, Any]
) -> tuple[WantedActions, dict[str, Any]]:
    """What an outbound mapping wants that it did not write before, and all that it wants, by target.

    A value that a person changed since in ConnectWise stays, until it changes in Field Nation.
    """
    found, problems = outbound_values(lines, work_order)
    changed = {target: value for target, value in found.items() if before.get(target) != value}
    notes: list[NoteWanted] = []
    for target in (each for each in _NOTES if each in changed):
        try:
            text = text_of_markup(single_text(changed.pop(target)))
            notes.append(_mapped_note(work_order, target, text))
        except Exception as error:
            problems.append(f"{target}: {problem_words(error)}.")
    if "actualHours" in changed:
        del changed["actualHours"]
        problems.append(f"actualHours: time is entered by a rule with {OutboundAction.ADD_TIME_ENTRY!r}.")
    values: list[ValueWanted] = []
    for target, value in changed.items():
        try:
            values.append(ValueWanted("", f"mapped {target}", target, _shown(target, value, problems)))
        except Exception as error:
            problems.append(f"{target}: {problem_words(error)}.")
    return WantedActions(tuple(notes), (), tuple(values), tuple(problems)), found


def _shown(target: str, value: Any, problems: list[str]) -> Any:
    """The value as ConnectWise takes it. A text may be HTML, which no field of ConnectWise shows.

    Raises ValueError where a moment is wanted and the value is none.
    """
    if target in TICKET_MOMENTS:
        moment = read_date_time(value)
        if moment is None:
            raise ValueError(f"{str(value)[:60]!r} is no date and time")
        return write_date_time(moment)
    if not isinstance(value, str):
        return value
    text = text_of_markup(value)
    longest = LONGEST_TEXTS.get(target)
    if longest is None or units_of(text) <= longest:
        return text
    problems.append(f"{target}: ConnectWise takes {longest} characters, so the text was cut.")
    return fitting(text, longest)


def joined(*parts: WantedActions) -> WantedActions:
    """All of them; where two want a value for one target, the first one's counts."""
    values: dict[str, ValueWanted] = {}
    for part in parts:
        for value in part.values:
            values.setdefault(value.target, value)
    return WantedActions(
        tuple(note for part in parts for note in part.notes),
        tuple(time for part in parts for time in part.times),
        tuple(values.values()),
        tuple(problem for part in parts for problem in part.problems),
    )


def wanted_words(wanted: WantedActions) -> list[str]:
    """Each action in words, as a report shows it."""
    return [
        *(note_words(note) for note in wanted.notes),
        *(time_words(time) for time in wanted.times),
        *(value_words(value) for value in wanted.values),
    ]


def note_words(note: NoteWanted) -> str:
    """``an internal note for completed``."""
    return f"{_PLACES[note.place]} for {note.key}"


def time_words(time: TimeWanted) -> str:
    """``a time entry from ... to ...``."""
    return f"a time entry from {time.start} to {time.end}"


def value_words(value: ValueWanted) -> str:
    """``status.name = Assigned``."""
    return f"{value.target} = {value.value}"


def rules_problems(rules: Sequence[OutboundRule]) -> list[str]:
    """Texts whose ``{{...}}`` is no JMESPath expression, a sentence each; empty: the rules can be used."""
    found = []
    for rule in rules:
        for expression in _BLANK.findall(rule.value):
            try:
                parse(expression.strip())
            except ValueError as error:
                found.append(f"The rule for {rule.event} ({rule.action}): {error}")
        rest = _BLANK.sub("", rule.value)
        start = rest.find("{{")
        if 0 <= start < rest.find("}}", start) - _LONGEST_BLANK:
            found.append(
                f"The rule for {rule.event} ({rule.action}): an expression may have"
                f" {LONGEST_EXPRESSION:,} characters."
            )
    return found


def filled(text: str, document: Mapping[str, Any]) -> str:
    """The text with each ``{{expression}}`` replaced by its value, nothing where there is none.

    Raises:
        ValueError: an expression is not JMESPath, or its value is no single one.
    """

    def value(found: re.Match[str]) -> str:
        try:
            answer = parse(found[1].strip()).search(document)
        except JMESPathError as error:
            raise ValueError(bounded(str(error))) from None
        return "" if is_nothing(answer) else text_of_markup(single_text(answer))

    pieces: list[str] = []
    size = place = 0
    for blank in _BLANK.finditer(text):
        pieces += [text[place : blank.start()], value(blank)]
        size += len(pieces[-1])
        if size > LARGEST_VALUE:
            raise ValueError(f"the text would have more than {LARGEST_VALUE:,} characters")
        place = blank.end()
    return "".join([*pieces, text[place:]]).strip()


def time_entry(wanted: TimeWanted, charge: Mapping[str, Any], settings: TimeEntrySettings) -> dict[str, Any]:
    """The body of ``POST /time/entries``; ``charge`` names the ticket."""
    record: dict[str, Any] = {
        **charge,
        "timeStart": wanted.start,
        "timeEnd": wanted.end,
        "billableOption": settings.billable,
        "notes": wanted.text,
    }
    return record | ({"member": {"identifier": settings.member}} if settings.member.strip() else {})


def _note(
    work_order: WorkOrder, happened: HappenedEvent, rule: OutboundRule, number: int
) -> Iterator[NoteWanted]:
    what = happened.key if number == 1 else f"{happened.key}.{number}"
    mark = effect_mark(int(work_order["id"]), what)
    default = f"Field Nation work order {{{{id}}}}: {happened.event.value.replace('_', ' ')}."
    text = filled(rule.value.strip() or default, outbound_source(work_order))
    yield NoteWanted(f"{what}/note", happened.key, mark, marked(text, mark))


def _value(work_order: WorkOrder, happened: HappenedEvent, rule: OutboundRule) -> ValueWanted:
    value = filled(rule.value, outbound_source(work_order))
    status = rule.action is OutboundAction.SET_STATUS
    target = "status.name" if status else f"{TICKET_FIELD}{rule.custom_field.strip()}"
    if not value:
        raise ValueError(f"the work order has nothing yet for {target}")
    # With the value in it, a corrected rule is another action than the one that was refused.
    name = f"{happened.key}/{target}"[:180]
    return ValueWanted(f"{name}/{_short(value)}", happened.key, target, value)


def _mapped_note(work_order: WorkOrder, target: str, text: str) -> NoteWanted:
    what = f"{_NOTES[target]}-{_short(text)}"
    mark = effect_mark(int(work_order["id"]), what)
    return NoteWanted(f"mapped {what}", f"mapped {target}", mark, marked(text, mark), _NOTES[target])


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]

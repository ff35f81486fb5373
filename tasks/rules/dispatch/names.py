"""Whether what the rules name exists: boards, statuses, types, priorities, members, custom fields, ids.

A rule that names what does not exist fails silently for ever: its trigger never holds. ``KnownNames`` is what
both vendors have, as far as it could be read; ``name_problems`` holds the rules against it, a sentence each,
with the names that come near. A status or type belongs to a board, so it is looked for on the boards of the
same trigger.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.rules.dispatch.events import OutboundAction, OutboundRule
from tasks.rules.dispatch.mapping_model import DispatchMapping, MappingAction
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import Operator, Trigger, TriggerCondition
from tasks.rules.values import folded

MOST_NEAR = 4
"""Near names in one sentence."""
ON_BOARDS = ("status", "type")
"""Fields whose names belong to a board."""
_CUSTOM_FIELD = "customFields."
_VARIABLE = "{{"
NameList = Sequence[str]


@dataclass(frozen=True, slots=True)
class BoardNames:
    """One board: its statuses and types, None where they could not be read."""

    name: str
    projects: bool = False
    statuses: NameList | None = None
    types: NameList | None = None

    def of(self, name: str) -> NameList | None:
        """The names that a field of that name may have on this board."""
        return self.statuses if name == "status" else self.types


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What exists; None: it could not be read, so nothing is said about it.

    ``members``: of those that the rules name, the ones that exist. ``ids``: by the target path of a mapping,
    such as ``template.id``, the ids that Field Nation has.
    """

    boards: Sequence[BoardNames] | None = None
    priorities: NameList | None = None
    opportunity_statuses: NameList | None = None
    captions: NameList | None = None
    members: NameList | None = None
    ids: Mapping[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NamingRules:
    """Of the rules of dispatch all that names something; ``rules`` are those in use."""

    triggers: Sequence[Trigger]
    rules: Sequence[OutboundRule] = ()
    status: str = ""
    custom_field: str = ""
    member: str = ""
    inbound: Mapping[RecordKind, Sequence[DispatchMapping]] = field(default_factory=dict)


def name_problems(rules: NamingRules, known: KnownNames) -> list[str]:
    """A sentence for everything that the rules name and that does not exist, each once."""
    found = [
        *(problem for each in rules.triggers for problem in _of_trigger(each, known)),
        *(problem for each in rules.rules for problem in _of_rule(each, rules.triggers, known)),
        *_of_status("Write back", rules.status, rules.triggers, known),
        *_missing("Time entries name the member", rules.member, known.members),
        *(problem for kind, lines in rules.inbound.items() for problem in _of_ids(kind, lines, known)),
    ]
    return list(dict.fromkeys(found))


def named_boards(rules: NamingRules, boards: Iterable[BoardNames]) -> list[BoardNames]:
    """The boards whose statuses and types the rules need: those of the triggers."""
    every = list(boards)
    of_triggers = [boards_of(trigger, every) for trigger in rules.triggers]
    wanted = {each.name for found in of_triggers for each in found}
    return [each for each in every if each.name in wanted]


def boards_of(trigger: Trigger, boards: Sequence[BoardNames]) -> list[BoardNames]:
    """The boards on which a trigger can hold: those that it names, else all of its kind."""
    if trigger.kind is RecordKind.OPPORTUNITY:
        return []
    projects = trigger.kind is RecordKind.PROJECT_TICKET
    found = [each for each in boards if each.projects is projects]
    for condition in trigger.conditions:
        if condition.field in ("board", "board.name"):
            found = [each for each in found if condition.holds({"board": {"name": each.name}})]
    return found


def near_names(wanted: str, names: Iterable[str]) -> list[str]:
    """Names that come near: alike, or beginning with the wanted one, as "Priority 1 - Critical" does."""
    by_folded = {folded(each): each for each in names}
    text = folded(wanted)
    begins = [name for key, name in by_folded.items() if text and key.startswith(text)]
    close = [by_folded[key] for key in difflib.get_close_matches(text, by_folded, n=MOST_NEAR, cutoff=0.6)]
    return list(dict.fromkeys([*begins, *close]))[:MOST_NEAR]


def _of_trigger(trigger: Trigger, known: KnownNames) -> Iterator[str]:
    words = f"The trigger for {trigger.kind.words}s"
    for condition in trigger.conditions:
        for value in condition.values:
            if not isinstance(value, str):
                continue
            names, where = _names_for(condition, trigger, known)
            if names is not None and not _is_there(value, names, condition.operator):
                what = condition.field.removesuffix(".name")
                yield f"{words} names the {what} {value!r}, which {where}.{_near(value, names, condition)}"
        yield from _of_caption(words, condition.field, known)


def _names_for(
    condition: TriggerCondition, trigger: Trigger, known: KnownNames
) -> tuple[NameList | None, str]:
    """The names that the field may have, None where that is not known, and where a missing one is missing."""
    name = condition.field.removesuffix(".name")
    if name == "priority":
        return known.priorities, "does not exist"
    if trigger.kind is RecordKind.OPPORTUNITY:
        return (known.opportunity_statuses if name == "status" else None), "does not exist"
    if known.boards is None:
        return None, ""
    if name == "board":
        return [each.name for each in known.boards], "does not exist"
    if name not in ON_BOARDS:
        return None, ""
    boards = boards_of(trigger, known.boards)
    if not boards or any(each.of(name) is None for each in boards):
        return None, ""
    return [one for each in boards for one in each.of(name) or ()], _lacking(boards)


def _lacking(boards: Sequence[BoardNames]) -> str:
    if len(boards) == 1:
        return f"the board {boards[0].name!r} does not have"
    return "none of its boards has"


def _is_there(value: str, names: NameList, operator: Operator = Operator.IS) -> bool:
    wanted = folded(value)
    if operator is Operator.STARTS_WITH:
        return any(folded(each).startswith(wanted) for each in names)
    return any(folded(each) == wanted for each in names)


def _near(value: str, names: NameList, condition: TriggerCondition | None = None) -> str:
    near = near_names(value, names)
    if not near:
        return f" There is {_listed(names) or 'none'}."
    begins = any(folded(each).startswith(folded(value)) for each in near)
    prefix = " Or choose 'starts with'." if begins and condition is not None else ""
    return f" Did you mean {' or '.join(map(repr, near))}?{prefix}"


def _listed(names: NameList) -> str:
    shown = ", ".join(map(repr, names[:MOST_NEAR]))
    return shown if len(names) <= MOST_NEAR else f"{shown} and {len(names) - MOST_NEAR} more"


def _of_rule(rule: OutboundRule, triggers: Sequence[Trigger], known: KnownNames) -> Iterator[str]:
    words = f"The rule for {rule.event}"
    if rule.action is OutboundAction.SET_STATUS and _VARIABLE not in rule.value:
        yield from _of_status(words, rule.value, triggers, known)
    if rule.action is OutboundAction.SET_CUSTOM_FIELD:
        yield from _of_caption(words, f"{_CUSTOM_FIELD}{rule.custom_field}", known)


def _of_status(words: str, status: str, triggers: Sequence[Trigger], known: KnownNames) -> Iterator[str]:
    """Every board of a trigger must have the status, else its tickets keep the one that they have."""
    if not status.strip():
        return
    for trigger in triggers:
        for board in boards_of(trigger, known.boards or ()):
            if board.statuses is not None and not _is_there(status, board.statuses):
                where = f"which the board {board.name!r} does not have.{_near(status, board.statuses)}"
                yield f"{words} sets the status {status!r}, {where}"


def _of_caption(words: str, path: str, known: KnownNames) -> Iterator[str]:
    """A custom field is read by its very caption, case included."""
    caption = path.removeprefix(_CUSTOM_FIELD).strip() if path.startswith(_CUSTOM_FIELD) else ""
    if caption and known.captions is not None and caption not in known.captions:
        near = _near(caption, known.captions)
        yield f"{words} names the custom field {caption!r}, which does not exist.{near}"


def _missing(words: str, name: str, names: NameList | None) -> Iterator[str]:
    if names is not None and name.strip() and not _is_there(name, names):
        yield f"{words} {name.strip()!r}, which does not exist.{_near(name, names)}"


def _of_ids(kind: RecordKind, lines: Sequence[DispatchMapping], known: KnownNames) -> Iterator[str]:
    """Fixed ids of a mapping, and the custom fields that it writes."""
    words = f"The mapping of {kind.words}s"
    for line in lines:
        first, _, rest = line.target.partition(".")
        if first == "custom_fields":
            wanted, ids = rest, known.ids.get(first)
        else:
            wanted = str(line.value) if line.action is MappingAction.SET_STATIC else ""
            ids = known.ids.get(line.target.replace("[0]", ""))
        if ids is not None and wanted.isdecimal() and int(wanted) not in ids:
            there = _listed([str(each) for each in ids]) or "none"
            yield f"{words} names {line.target} {wanted}, which Field Nation does not have. There is {there}."

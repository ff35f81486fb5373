"""Whether what the rules name exists: boards, statuses, companies, members, custom fields, ids and so on.

A rule that names what does not exist fails silently for ever: its trigger never holds. ``KnownNames`` is what
both vendors have, as far as it could be read; ``name_problems`` holds the rules against it, a sentence each,
with the names that come near. A status, type, subtype, item or team belongs to a board, so it is looked for
on the boards of the same trigger.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.rules.dispatch.events import OutboundAction, OutboundRule
from tasks.rules.dispatch.mapping_model import DispatchMapping, MappingAction
from tasks.rules.dispatch.named_fields import (
    IDENTIFIERS,
    ON_BOARDS,
    NameTable,
    name_of,
    readable_members,
    table_of,
    unread_below,
)
from tasks.rules.dispatch.paths import is_nothing, steps_of
from tasks.rules.dispatch.reference import NUMBER_FIELD, RecordKind
from tasks.rules.dispatch.triggers import Operator, Trigger, TriggerCondition
from tasks.rules.values import folded

MOST_NEAR = 4
"""Near names in one sentence."""
_CUSTOM_FIELD = "customFields."
_WORK_ORDER_FIELDS = "custom_fields"
_VARIABLE = "{{"
NameList = Sequence[str]


@dataclass(frozen=True, slots=True)
class BoardNames:
    """One board; ``names``: by field (``ON_BOARDS``) what it has, without those that were not read."""

    name: str
    projects: bool = False
    names: Mapping[str, NameList] = field(default_factory=dict)

    def of(self, name: str) -> NameList | None:
        """The names that a field of that name may have on this board; None: not known."""
        return self.names.get(name)


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What exists; what is missing here could not be read, so nothing is said about it.

    ``tables``: of a table that is searched, those of the wanted names that exist, and some that come near.
    ``ids``: by the target path of a mapping, such as ``template.id``, the ids that Field Nation has.
    """

    boards: Sequence[BoardNames] | None = None
    tables: Mapping[NameTable, NameList] = field(default_factory=dict)
    captions: NameList | None = None
    ids: Mapping[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NamingRules:
    """Of the rules of dispatch all that names something; ``rules`` are those in use.

    ``number_field``: the custom field for the work order's number. ``authors``: whose notes are not copied.
    """

    triggers: Sequence[Trigger]
    rules: Sequence[OutboundRule] = ()
    status: str = ""
    number_field: str = ""
    member: str = ""
    authors: Sequence[str] = ()
    inbound: Mapping[RecordKind, Sequence[DispatchMapping]] = field(default_factory=dict)
    outbound: Mapping[RecordKind, Sequence[DispatchMapping]] = field(default_factory=dict)


def name_problems(rules: NamingRules, known: KnownNames) -> list[str]:
    """A sentence for everything that the rules name and that does not exist, each once."""
    found = [
        *(problem for each in rules.triggers for problem in _of_trigger(each, known)),
        *(problem for each in rules.rules for problem in _of_rule(each, rules.triggers, known)),
        *_of_status("Write back", rules.status, rules.triggers, known),
        *_of_number(rules.number_field, known),
        *_of_members(rules, known),
        *(problem for kind, lines in rules.inbound.items() for problem in _of_inbound(kind, lines, known)),
        *(
            problem
            for kind, lines in rules.outbound.items()
            for problem in _of_outbound(kind, lines, rules.triggers, known)
        ),
    ]
    return list(dict.fromkeys(found))


def named_on_boards(rules: NamingRules, boards: Sequence[BoardNames]) -> dict[str, list[str]]:
    """By board the fields of ``ON_BOARDS`` of which the rules name something there."""
    found: dict[str, set[str]] = {}
    for trigger in rules.triggers:
        fields = {name_of(condition.field) for condition in trigger.conditions} | _status_if_set(rules)
        for board in boards_of(trigger, boards):
            found.setdefault(board.name, set()).update(fields & ON_BOARDS.keys())
    return {name: sorted(fields) for name, fields in found.items() if fields}


def _status_if_set(rules: NamingRules) -> set[str]:
    return {"status"} if any(_statuses_set(rules)) else set()


def named_in_tables(rules: NamingRules) -> dict[NameTable, list[tuple[str, Operator]]]:
    """What the rules name of each table, and whether a name that begins so is enough."""
    wanted: dict[NameTable, list[tuple[str, Operator]]] = {}

    def want(table: NameTable | None, name: str, operator: Operator = Operator.IS) -> None:
        if table is not None and name.strip():
            wanted.setdefault(table, []).append((name, operator))

    for trigger in rules.triggers:
        for condition in trigger.conditions:
            for name in _texts(condition):
                want(table_of(trigger, condition.field), name, condition.operator)
        if trigger.kind is RecordKind.OPPORTUNITY:
            for name in _statuses_set(rules):
                want(table_of(trigger, "status"), name)
        for line in rules.outbound.get(trigger.kind, ()):
            for name in _fixed_texts(line) if line.target == "priority.name" else ():
                want(table_of(trigger, "priority"), name)
    for name in (rules.member, *filter(_is_identifier, rules.authors)):
        want(IDENTIFIERS, name)
    return wanted


def names_board(rules: NamingRules) -> bool:
    """Whether the rules name a board, or something that belongs to one."""
    tickets = [each for each in rules.triggers if each.kind is not RecordKind.OPPORTUNITY]
    fields = {name_of(condition.field) for trigger in tickets for condition in trigger.conditions}
    return bool(tickets) and not {"board", *ON_BOARDS}.isdisjoint(fields | _status_if_set(rules))


def fixed_ids(rules: NamingRules) -> dict[str, list[int]]:
    """By target (``plain_target``) the ids of Field Nation that stand in a mapping itself."""
    found: dict[str, list[int]] = {}
    for lines in rules.inbound.values():
        for line in lines:
            first, _, rest = line.target.partition(".")
            target = first if first == _WORK_ORDER_FIELDS else plain_target(line.target)
            wanted = [rest] if first == _WORK_ORDER_FIELDS else map(_id_text, _fixed_values(line))
            if ids := [int(each) for each in wanted if each.isascii() and each.isdecimal()]:
                found[target] = [*dict.fromkeys([*found.get(target, ()), *ids])]
    return found


def names_captions(rules: NamingRules) -> bool:
    """Whether the rules name any custom field of ConnectWise."""
    paths = [each.field for trigger in rules.triggers for each in trigger.conditions]
    paths += [path for lines in rules.inbound.values() for line in lines for path in _sources(line)]
    paths += [line.target for lines in rules.outbound.values() for line in lines]
    fields = [rule.custom_field for rule in rules.rules if rule.action is OutboundAction.SET_CUSTOM_FIELD]
    return bool(rules.number_field.strip() or fields or any(map(_caption, paths)))


def _statuses_set(rules: NamingRules) -> Iterator[str]:
    """Every status that is set by its name."""
    yield from (
        rule.value
        for rule in rules.rules
        if rule.action is OutboundAction.SET_STATUS and _VARIABLE not in rule.value
    )
    yield from filter(None, [rules.status.strip()])
    for lines in rules.outbound.values():
        yield from (name for line in lines if line.target == "status.name" for name in _fixed_texts(line))


def _texts(condition: TriggerCondition) -> list[str]:
    return [value for value in condition.values if isinstance(value, str)]


def _fixed_values(line: DispatchMapping) -> list[Any]:
    """What stands in the mapping itself."""
    values = [line.default, *(each.value for each in line.mappings), *(each.value for each in line.ranges)]
    if line.action is MappingAction.SET_STATIC:
        values.append(line.value)
    return [value for value in values if not is_nothing(value)]


def _fixed_texts(line: DispatchMapping) -> list[str]:
    return [value for value in _fixed_values(line) if isinstance(value, str)]


def _sources(line: DispatchMapping) -> list[str]:
    return [line.source, *(part.value for part in line.parts if part.type == "field")]


def _is_identifier(author: str) -> bool:
    """Whether it may be a member's identifier: a name to show has blanks."""
    return bool(author.strip()) and len(author.split()) == 1


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
    words = f"The trigger for {trigger.kind.plural}"
    for condition in trigger.conditions:
        yield from _of_member(words, trigger.kind, condition.field)
        names, where = _names_for(condition, trigger, known)
        for value in _texts(condition) if names is not None else ():
            if not _is_there(value, names or (), condition.operator):
                what = name_of(condition.field)
                near = _near(value, names or (), condition, table_of(trigger, condition.field))
                yield f"{words} names the {what} {value!r}, which {where}.{near}"
        yield from _of_caption(words, _caption(condition.field), known)


def _of_member(words: str, kind: RecordKind, path: str) -> Iterator[str]:
    """A member that the record does not have is nothing for ever, so that its condition never holds."""
    first = str(steps_of(path)[0])
    if first not in readable_members(kind):
        near = near_names(first, readable_members(kind))
        shown = f" Did you mean {' or '.join(near)}?" if near else ""
        yield f"{words} reads {path!r}, which such a record does not have.{shown}"
    elif reference := unread_below(path):
        yield (
            f"{words} reads {path!r}, of which the record itself holds no more than {reference}.name, "
            f"{reference}.id and, where it has one, {reference}.identifier."
        )


def _names_for(
    condition: TriggerCondition, trigger: Trigger, known: KnownNames
) -> tuple[NameList | None, str]:
    """The names that the field may have, None where that is not known, and where a missing one is missing."""
    table = table_of(trigger, condition.field)
    if table is not None:
        where = f"the company {table.company!r} does not have" if table.company else "does not exist"
        return known.tables.get(table), where
    name = name_of(condition.field)
    if trigger.kind is RecordKind.OPPORTUNITY or known.boards is None:
        return None, ""
    if name == "board":
        return [each.name for each in known.boards], "does not exist"
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


def _near(
    value: str,
    names: NameList,
    condition: TriggerCondition | None = None,
    table: NameTable | None = None,
) -> str:
    near = near_names(value, names)
    if not near:
        if table is not None and table.is_searched:
            # What a search found for some names is no list of what there is.
            return ""
        return f" There is {_listed(names) or 'none that can be seen'}."
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
        yield from _of_caption(words, rule.custom_field.strip(), known)


def _of_status(words: str, status: str, triggers: Sequence[Trigger], known: KnownNames) -> Iterator[str]:
    """Every board of a trigger must have the status, else its tickets keep the one that they have."""
    if not status.strip():
        return
    for trigger in triggers:
        table = table_of(trigger, "status")
        names = known.tables.get(table) if table is not None else None
        if names is not None and not _is_there(status, names):
            near = _near(status, names)
            yield f"{words} sets the status {status!r}, which opportunities do not have.{near}"
        for board in boards_of(trigger, known.boards or ()):
            statuses = board.of("status")
            if statuses is not None and not _is_there(status, statuses):
                where = f"which the board {board.name!r} does not have.{_near(status, statuses)}"
                yield f"{words} sets the status {status!r}, {where}"


def _caption(path: str) -> str:
    """The caption of a path to a custom field, "" for another path."""
    return path.removeprefix(_CUSTOM_FIELD).strip() if path.startswith(_CUSTOM_FIELD) else ""


def _of_caption(words: str, caption: str, known: KnownNames) -> Iterator[str]:
    if caption and known.captions is not None and not _is_there(caption, known.captions):
        near = _near(caption, known.captions)
        yield f"{words} names the custom field {caption!r}, which does not exist.{near}"


def _of_number(caption: str, known: KnownNames) -> Iterator[str]:
    """The usual caption is an offer: who set up no such field, nor one that looks like it, does without."""
    for problem in _of_caption("Write back", caption.strip(), known):
        if folded(caption) != folded(NUMBER_FIELD) or near_names(caption, known.captions or ()):
            yield problem


def _of_members(rules: NamingRules, known: KnownNames) -> Iterator[str]:
    """The member of time entries; of authors only what looks like a member: others are Field Nation's."""
    names = known.tables.get(IDENTIFIERS)
    if names is None:
        return
    member = rules.member.strip()
    if member and not _is_there(member, names):
        near = _near(member, names, table=IDENTIFIERS)
        yield f"Time entries name the member {member!r}, which does not exist.{near}"
    for author in filter(_is_identifier, rules.authors):
        near = _near(author, names, table=IDENTIFIERS)
        if near and not _is_there(author, names):
            yield f"Notes of the author {author.strip()!r} are not copied, who is no member.{near}"


def _of_inbound(kind: RecordKind, lines: Sequence[DispatchMapping], known: KnownNames) -> Iterator[str]:
    """Custom fields that a mapping reads and writes, and its fixed ids."""
    words = f"The mapping of {kind.plural}"
    for line in lines:
        for path in _sources(line):
            yield from _of_caption(words, _caption(path), known)
        own = NamingRules((), inbound={kind: [line]})
        for target, wanted in fixed_ids(own).items():
            ids = known.ids.get(target)
            for number in wanted if ids is not None else ():
                if number not in (ids or ()):
                    there = _listed([str(one) for one in ids or ()]) or "none"
                    words_of_id = f"{words} names {line.target} {number}"
                    yield f"{words_of_id}, which Field Nation does not have. There is {there}."


def plain_target(target: str) -> str:
    """``types_of_work.id`` for ``types_of_work[0].id``."""
    return target.partition("[")[0] + target.partition("]")[2] if "[" in target else target


def _id_text(value: Any) -> str:
    """An id as text; ``103.0`` of a form is 103."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _of_outbound(
    kind: RecordKind, lines: Sequence[DispatchMapping], triggers: Sequence[Trigger], known: KnownNames
) -> Iterator[str]:
    """Custom fields, statuses and priorities that a mapping writes to the record."""
    words = f"The mapping back to {kind.plural}"
    of_kind = [trigger for trigger in triggers if trigger.kind is kind]
    for line in lines:
        yield from _of_caption(words, _caption(line.target), known)
        for name in _fixed_texts(line):
            if line.target == "status.name":
                yield from _of_status(words, name, of_kind, known)
            table = table_of(of_kind[0], "priority") if of_kind and line.target == "priority.name" else None
            names = known.tables.get(table) if table is not None else None
            if names is not None and not _is_there(name, names):
                yield f"{words} sets the priority {name!r}, which does not exist.{_near(name, names)}"

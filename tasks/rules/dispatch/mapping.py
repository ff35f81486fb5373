"""Maps a record to the work order it becomes, and a work order to values of its record. Pure.

``check_dispatch_mappings`` says what is wrong with a mapping before anything is read or written; afterwards
``work_order_of`` maps each record, and ``outbound_values`` each work order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.rules.dispatch.dates import format_problems, names_a_day, zone_of
from tasks.rules.dispatch.mapping_actions import mapped_value
from tasks.rules.dispatch.mapping_model import DispatchMapping, DispatchMappings, MappingAction
from tasks.rules.dispatch.paths import is_nothing, members_of, objects_of, steps_of, write_path
from tasks.rules.dispatch.regions import is_foreign
from tasks.rules.dispatch.sources import read_values, work_order_members
from tasks.rules.dispatch.targets import (
    TICKET_TARGETS,
    WORK_ORDER_FIELD,
    WORK_ORDER_TARGETS,
    TargetValue,
    fitted,
    missing_fields,
    missing_message,
    near_targets,
    target_kind,
)
from tasks.rules.isolation import problem_words, refusal_of
from tasks.rules.mapping.compile import expression_problems
from tasks.rules.values import folded

Members = Mapping[str, Collection[str] | None]
_READING = {MappingAction.SYNC, MappingAction.ARRAY_MAP, MappingAction.RANGE_MAP, MappingAction.DATE_CONVERT}


def inbound_problems(
    lines: Sequence[DispatchMapping],
    sources: Members | None = None,
    *,
    captions: Collection[str] | None = None,
    custom_fields: Collection[int] | None = None,
) -> list[str]:
    """Every problem of the lines that make a work order, a sentence or two each; empty: they can be used.

    Args:
        sources: members of the record that is read (``sources.source_members``); None: any.
        captions: ConnectWise's custom fields; None: any.
        custom_fields: ids of Field Nation's custom fields; None: any.
    """
    known = [str(number) for number in custom_fields] if custom_fields is not None else None
    return [
        *(problem for line in lines for problem in _of_line(line, sources, captions)),
        *(problem for line in lines for problem in _of_work_order_target(line, known)),
        *_twice(lines),
    ]


def outbound_problems(
    lines: Sequence[DispatchMapping],
    sources: Members | None = None,
    *,
    captions: Collection[str] | None = None,
) -> list[str]:
    """As ``inbound_problems`` for the lines that lead back; ``captions`` are ConnectWise's custom fields."""
    return [
        *(problem for line in lines for problem in _of_line(line, sources, None)),
        *(problem for line in lines for problem in _of_ticket_target(line, captions)),
        *_twice(lines),
    ]


def _of_line(
    line: DispatchMapping, sources: Members | None, captions: Collection[str] | None
) -> Iterator[str]:
    missing = [name for name in _needed(line) if is_nothing(getattr(line, name))]
    if missing:
        yield f"{_named(line)} needs {' and '.join(missing)}."
    paths = [line.source] if line.action in _READING and line.source else []
    if line.action is MappingAction.CONCAT:
        paths = [each.value for each in line.parts if each.type == "field"]
    for path in paths:
        yield from _of_source(line, path, sources, captions)
    if line.action is MappingAction.DATE_CONVERT:
        yield from _of_dates(line)
    if line.action is MappingAction.CUSTOM and line.script:
        yield from expression_problems(line.script)
    bounds = [each.compare for each in line.ranges]
    if bounds != sorted(bounds):
        yield f"{_named(line)} has bounds that do not rise, so that some are never reached."


def _needed(line: DispatchMapping) -> list[str]:
    own = {
        MappingAction.SET_STATIC: ["value"],
        MappingAction.ARRAY_MAP: ["mappings"],
        MappingAction.RANGE_MAP: ["ranges"],
        MappingAction.CONCAT: ["parts"],
        MappingAction.CUSTOM: ["script"],
    }
    return (["source"] if line.action in _READING else []) + own.get(line.action, [])


def _of_source(
    line: DispatchMapping, path: str, sources: Members | None, captions: Collection[str] | None
) -> Iterator[str]:
    try:
        first, *rest = steps_of(path)
    except ValueError as error:
        yield f"{_named(line)}: {error}."
        return
    if first == "customFields" and captions is not None and rest and not _is_caption(rest[0], captions):
        near = _near(str(rest[0]), captions)
        yield f"{_named(line)} reads custom field {rest[0]!r}, which ConnectWise does not have.{near}"
    elif sources is not None and first not in sources:
        yield f"{_named(line)} reads {path!r}, which the record does not have.{_near(str(first), sources)}"
    elif sources is not None and rest and isinstance(rest[0], str):
        below = sources[str(first)]
        if below is not None and rest[0] not in below:
            yield f"{_named(line)} reads {path!r}, which the {first} does not have.{_near(rest[0], below)}"


def _of_dates(line: DispatchMapping) -> Iterator[str]:
    for name in ("input_format", "output_format"):
        for problem in format_problems(getattr(line, name)):
            yield f"{_named(line)}, {name}: {problem}."
    if line.input_format and not names_a_day(line.input_format):
        yield f"{_named(line)}: its input_format names no year, month and day."
    for name in ("timezone_in", "timezone_out"):
        try:
            zone_of(getattr(line, name))
        except ValueError as error:
            yield f"{_named(line)}: {error}."


def _of_work_order_target(line: DispatchMapping, custom_fields: Collection[str] | None) -> Iterator[str]:
    kind = target_kind(line.target)
    if kind is None:
        yield f"{line.target!r} is no Field Nation field.{_near(line.target, WORK_ORDER_TARGETS)}"
        return
    name = line.target.partition(".")[2]
    if line.target.startswith("custom_fields.") and custom_fields is not None and name not in custom_fields:
        yield f"Field Nation has no custom field with the id {name}."
    for value in _fixed_values(line):
        try:
            fitted(kind, value)
        except ValueError as error:
            yield f"{_named(line)}: {error}."


def _fixed_values(line: DispatchMapping) -> list[object]:
    """Values that stand in the mapping itself, so that they can be tried before a run."""
    values = [line.default, *(each.value for each in line.mappings), *(each.value for each in line.ranges)]
    if line.action is MappingAction.SET_STATIC:
        values.append(line.value)
    return [value for value in values if not is_nothing(value)]


def _of_ticket_target(line: DispatchMapping, captions: Collection[str] | None) -> Iterator[str]:
    prefix, _, caption = line.target.partition(".")
    if prefix == "customFields" and caption:
        if captions is not None and not _is_caption(caption, captions):
            yield f"ConnectWise has no custom field {caption!r} there.{_near(caption, captions)}"
    elif line.target not in TICKET_TARGETS:
        yield f"{line.target!r} can't be written back.{_near(line.target, TICKET_TARGETS)}"


def _is_caption(name: str | int, captions: Collection[str]) -> bool:
    return name in captions or folded(str(name)) in set(map(folded, captions))


def _twice(lines: Sequence[DispatchMapping]) -> Iterator[str]:
    for target, count in Counter(line.target for line in lines).items():
        if count > 1:
            yield f"{target!r} is mapped {count} times. Keep one of the lines."


def _named(line: DispatchMapping) -> str:
    return f"The line {line.action} to {line.target!r}"


def _near(name: str, known: Iterable[str]) -> str:
    near = near_targets(name, known)
    return f" Did you mean {' or '.join(near)}?" if near else ""


class DispatchMappingError(ValueError):
    """The mapping can't be used; the text names each wrong line and its remedy."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The work order that a record becomes.

    Attributes:
        body: the body of a create or update, in the vendor's shape.
        problems: values that could not be made to fit, a sentence each; they are left out of ``body``.
        missing: required Field Nation fields, in words, that ``body`` lacks.
    """

    body: dict[str, Any]
    problems: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """One message that names all that is missing or does not fit; empty if the record can be sent."""
        return " ".join([*self.problems, *([missing_message(self.missing)] if self.missing else [])])


def check_dispatch_mappings(
    mappings: DispatchMappings,
    *,
    sources: Members | None = None,
    captions: Sequence[str] | None = None,
    custom_fields: Sequence[int] | None = None,
) -> None:
    """Checks both lists; field lists as in ``inbound_problems``.

    Raises:
        DispatchMappingError: with every problem of both.
    """
    problems = [
        *inbound_problems(mappings.inbound, sources, captions=captions, custom_fields=custom_fields),
        *outbound_problems(mappings.outbound, work_order_members(), captions=captions),
    ]
    if problems:
        raise DispatchMappingError(refusal_of(problems))


def work_order_of(lines: Sequence[DispatchMapping], document: Mapping[str, Any]) -> Mapped:
    """The work order that a document of ``sources.dispatch_source`` becomes; lines as checked."""
    record: dict[str, Any] = {}
    fields: dict[int, str] = {}
    problems: list[str] = []
    for line in lines:
        kind = target_kind(line.target)
        try:
            value = mapped_value(line, document)
            if is_nothing(value) or kind is None:
                continue
            _lay(record, fields, line.target, kind, fitted(kind, value))
        except Exception as error:
            # Whatever a vendor's value does to a line, the other lines and records go on without it.
            problems.append(f"{line.target}: {problem_words(error)}.")
    problems += _address_problems(record)
    shaped = _shaped(record, fields)
    return Mapped(shaped, tuple(problems), tuple(missing_fields(shaped)))


def _address_problems(record: dict[str, Any]) -> list[str]:
    """Takes out a state that the address's country does not have, and says so."""
    place = members_of(record.get("location"))
    state, country = place.get("state"), place.get("country")
    if not state or not country or not is_foreign(str(state), str(country)):
        return []
    record["location"] = {name: value for name, value in place.items() if name != "state"}
    return [f"location.state: {state!r} is no state or province of {country}."]


def outbound_values(
    lines: Sequence[DispatchMapping], work_order: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Target path -> value for what comes back of a work order, and the problems, a sentence each."""
    document = outbound_source(work_order)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for line in lines:
        try:
            value = mapped_value(line, document)
        except Exception as error:
            problems.append(f"{line.target}: {problem_words(error)}.")
            continue
        if not is_nothing(value):
            values[line.target] = value
    return values, problems


def outbound_source(work_order: Mapping[str, Any]) -> dict[str, Any]:
    """The work order with ``custom_fields`` by id and by name, and ``provider`` with ``name`` in one."""
    work_order = read_values(work_order)
    groups = objects_of(members_of(work_order.get("custom_fields")).get("results"))
    fields = [field for group in groups for field in objects_of(group.get("results"))]
    by_name = {
        str(field[name]): field.get("value") for name in ("name", "id") for field in fields if field.get(name)
    }
    user = members_of(members_of(work_order.get("assignee")).get("user"))
    name = " ".join(str(user[part]) for part in ("first_name", "last_name") if user.get(part))
    return {**work_order, "custom_fields": by_name, "provider": {**user, "name": name}}


def _lay(record: dict[str, Any], fields: dict[int, str], target: str, kind: TargetValue, value: Any) -> None:
    if target.startswith(WORK_ORDER_FIELD):
        fields[int(target[len(WORK_ORDER_FIELD) :])] = value
    elif kind is TargetValue.PLAIN_HTML:
        write_path(record, f"{target}.html", value)
    else:
        write_path(record, target, value)


def _shaped(record: dict[str, Any], fields: dict[int, str]) -> dict[str, Any]:
    """The vendor's envelopes around lists; the first type of work is the primary one unless said."""
    shaped = {**record}
    for name in ("types_of_work", "service_types", "contacts"):
        if name in shaped:
            shaped[name] = [each for each in shaped[name] if each]
    if shaped.get("types_of_work") and not any("isPrimary" in each for each in shaped["types_of_work"]):
        first, *rest = shaped["types_of_work"]
        shaped["types_of_work"] = [{**first, "isPrimary": True}, *rest]
    if "contacts" in shaped:
        # A contact without a name is none.
        shaped["contacts"] = {"results": [each for each in shaped["contacts"] if each.get("name")]}
    if fields:
        values = [{"id": number, "value": value} for number, value in fields.items()]
        shaped["custom_fields"] = {"results": [{"results": values}]}
    return {name: value for name, value in shaped.items() if value != {"results": []}}

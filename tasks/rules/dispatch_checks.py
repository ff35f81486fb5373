"""What is wrong with a dispatch mapping, in words, before anything is read or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from tasks.rules.dispatch_paths import is_nothing, steps_of
from tasks.rules.dispatch_targets import (
    TICKET_TARGETS,
    WORK_ORDER_TARGETS,
    fitted,
    near_targets,
    target_kind,
)
from tasks.rules.dispatch_words import DispatchMapping, MappingAction
from tasks.rules.mapping_checks import expression_problems
from tasks.rules.moment_formats import format_problems, names_a_day, zone_of

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
        sources: members of the record that is read (``dispatch_sources.source_members``); None: any.
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
    for path in _paths(line):
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


def _paths(line: DispatchMapping) -> list[str]:
    if line.action is MappingAction.CONCAT:
        return [each.value for each in line.parts if each.type == "field"]
    return [line.source] if line.action in _READING and line.source else []


def _of_source(
    line: DispatchMapping, path: str, sources: Members | None, captions: Collection[str] | None
) -> Iterator[str]:
    try:
        first, *rest = steps_of(path)
    except ValueError as error:
        yield f"{_named(line)}: {error}."
        return
    if first == "customFields" and captions is not None and rest and rest[0] not in captions:
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
        if captions is not None and caption not in captions:
            yield f"ConnectWise has no custom field {caption!r} there.{_near(caption, captions)}"
    elif line.target not in TICKET_TARGETS:
        yield f"{line.target!r} can't be written back.{_near(line.target, TICKET_TARGETS)}"


def _twice(lines: Sequence[DispatchMapping]) -> Iterator[str]:
    for target, count in Counter(line.target for line in lines).items():
        if count > 1:
            yield f"{target!r} is mapped {count} times. Keep one of the lines."


def _named(line: DispatchMapping) -> str:
    return f"The line {line.action} to {line.target!r}"


def _near(name: str, known: Iterable[str]) -> str:
    near = near_targets(name, known)
    return f" Did you mean {' or '.join(near)}?" if near else ""

"""From a fetched ticket, project ticket or opportunity to the work order it becomes, and back. Pure.

``check_mappings`` first, with the source's and target's field lists; then ``work_order_of`` for each record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.rules.dispatch_actions import value_of
from tasks.rules.dispatch_checks import Members, inbound_problems, outbound_problems
from tasks.rules.dispatch_paths import is_nothing, read_path, write_path
from tasks.rules.dispatch_required import missing_fields, missing_message
from tasks.rules.dispatch_sources import work_order_members
from tasks.rules.dispatch_targets import CUSTOM_FIELD, Kind, fitted, target_kind
from tasks.rules.dispatch_words import DispatchMapping, DispatchMappings

__all__ = [
    "DispatchMapping",
    "DispatchMappings",
    "Mapped",
    "MappingError",
    "check_mappings",
    "outbound_values",
    "work_order_of",
]


class MappingError(ValueError):
    """The mapping can't be used; the text names each wrong line and its remedy."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a record becomes.

    Attributes:
        record: the body of a create or update, in the vendor's shape.
        problems: values that could not be made to fit, a sentence each; they are left out of ``record``.
        missing: required Field Nation fields, in words, that ``record`` lacks.
    """

    record: dict[str, Any]
    problems: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """One message that names all that is missing or does not fit; empty if the record can be sent."""
        return " ".join([*self.problems, *([missing_message(self.missing)] if self.missing else [])])


def check_mappings(
    mappings: DispatchMappings,
    *,
    sources: Members | None = None,
    captions: Sequence[str] | None = None,
    custom_fields: Sequence[int] | None = None,
) -> None:
    """Raises ``MappingError`` with every problem of both lists; field lists as in ``dispatch_checks``."""
    problems = [
        *inbound_problems(mappings.inbound, sources, captions=captions, custom_fields=custom_fields),
        *outbound_problems(mappings.outbound, work_order_members(), captions=captions),
    ]
    if problems:
        raise MappingError(" ".join(problems))


def work_order_of(lines: Sequence[DispatchMapping], document: Mapping[str, Any]) -> Mapped:
    """The work order that a source document (``dispatch_sources``) becomes; lines as checked."""
    record: dict[str, Any] = {}
    fields: dict[int, str] = {}
    problems: list[str] = []
    for line in lines:
        kind = target_kind(line.target)
        try:
            value = value_of(line, document)
            if is_nothing(value) or kind is None:
                continue
            _lay(record, fields, line.target, kind, fitted(kind, value))
        except ValueError as error:
            problems.append(f"{line.target}: {error}.")
    shaped = _shaped(record, fields)
    return Mapped(shaped, tuple(problems), tuple(missing_fields(shaped)))


def outbound_values(
    lines: Sequence[DispatchMapping], work_order: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Target path -> value for what comes back of a work order, and the problems, a sentence each."""
    document = outbound_source(work_order)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for line in lines:
        try:
            value = value_of(line, document)
        except ValueError as error:
            problems.append(f"{line.target}: {error}.")
            continue
        if not is_nothing(value):
            values[line.target] = value
    return values, problems


def outbound_source(work_order: Mapping[str, Any]) -> dict[str, Any]:
    """The work order with ``custom_fields`` by id and by name, and ``provider`` with ``name`` in one."""
    groups = read_path(work_order, "custom_fields")
    fields = [
        field
        for group in (groups or {}).get("results") or []
        for field in (group.get("results") or [])
        if isinstance(field, Mapping)
    ]
    by_name = {
        str(field[name]): field.get("value") for name in ("name", "id") for field in fields if field.get(name)
    }
    user = (work_order.get("assignee") or {}).get("user") or {}
    name = " ".join(str(user[part]) for part in ("first_name", "last_name") if user.get(part))
    return {**work_order, "custom_fields": by_name, "provider": {**user, "name": name}}


def _lay(record: dict[str, Any], fields: dict[int, str], target: str, kind: Kind, value: Any) -> None:
    if target.startswith(CUSTOM_FIELD):
        fields[int(target[len(CUSTOM_FIELD) :])] = value
    elif kind is Kind.PLAIN_HTML:
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

"""Which existing record a name means, and which records are missing: types, statuses, locations, ...

Names compare without regard to case and outer blanks. Two existing records of one name: the lowest id is
used, an active one before an inactive one. An inactive record is reported, neither used nor doubled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.rules.limits import NAME_LENGTH, too_long
from tasks.rules.values import FieldChange, folded


@dataclass(frozen=True, slots=True)
class ReferenceKind:
    """A kind of record that configurations refer to by id.

    ``path`` is the mapping's target, ``name_fields`` the members that make its name, joined by a blank.
    ``required``: ConnectWise refuses a configuration without it. ``creatable``: the flows may create it.
    """

    path: str
    label: str
    name_fields: tuple[str, ...] = ("name",)
    creatable: bool = False
    required: bool = False
    max_length: int | None = None

    def name_of(self, record: Mapping[str, Any]) -> str:
        """The name of a wire record; empty if it has none."""
        return " ".join(
            text for text in (str(record.get(part) or "").strip() for part in self.name_fields) if text
        )


TYPE = ReferenceKind("type.name", "configuration type", creatable=True, required=True, max_length=NAME_LENGTH)
STATUS = ReferenceKind("status.name", "status", ("description",), creatable=True, max_length=NAME_LENGTH)
MANUFACTURER = ReferenceKind("manufacturer.name", "manufacturer", creatable=True, max_length=NAME_LENGTH)
LOCATION = ReferenceKind("location.name", "location", creatable=True, max_length=NAME_LENGTH)
SITE = ReferenceKind("site.name", "site")
CONTACT = ReferenceKind("contact.name", "contact", ("firstName", "lastName"))
VENDOR = ReferenceKind("vendor.name", "vendor")
DEPARTMENT = ReferenceKind("department.name", "department")

REFERENCE_KINDS: dict[str, ReferenceKind] = {
    kind.path: kind for kind in (TYPE, STATUS, MANUFACTURER, LOCATION, SITE, CONTACT, VENDOR, DEPARTMENT)
}
"""By target path. ``company.name`` is not among them: a configuration never moves to another company."""


@dataclass(slots=True)
class ReferencePlan:
    """The wanted names of one kind, sorted; each is in exactly one of the first five.

    ``ids``: folded name -> id of the existing record. ``missing``: to be created, sorted. ``inactive``:
    exist, but inactive. ``not_found``: don't exist and are not to be created. ``refused``: name -> why it
    can't be created. ``problems``: folded name -> why no configuration can refer to it. ``existing``: folded
    name -> id of every record there is, wanted or not, to name what a configuration held before.
    """

    kind: ReferenceKind
    ids: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    inactive: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    existing: dict[str, int] = field(default_factory=dict)

    def id_of(self, name: str) -> int | None:
        """The id of an existing, active record of this name; None if there is none (yet)."""
        return self.ids.get(folded(name))

    def problem(self, name: str) -> str | None:
        """Why a configuration can't refer to ``name``, in words; None if it can once the missing exist."""
        return self.problems.get(folded(name))


def plan_references(
    kind: ReferenceKind, wanted: Iterable[str], existing: Sequence[Mapping[str, Any]], *, create: bool
) -> ReferencePlan:
    """Sort the wanted names into existing, to be created, inactive, not found and refused.

    Args:
        wanted: names as the mapping gives them, prefix included; blanks and repeats are ignored.
        existing: all wire records of that kind (``id``, the name's members, ``inactiveFlag``).
        create: whether missing ones may be created (for locations: a structure level id is set).
    """
    active, inactive = _by_name(kind, existing)
    plan = ReferencePlan(kind, existing={**inactive, **active})
    for key, name in sorted(_spellings(wanted).items()):
        if key in active:
            plan.ids[key] = active[key]
        elif key in inactive:
            plan.inactive.append(name)
            plan.problems[key] = f"{kind.label} {_start(name)!r} is inactive in ConnectWise"
        elif problem := too_long(f"{kind.label} {_start(name)!r}", name, kind.max_length):
            plan.refused[name] = plan.problems[key] = problem
        elif create and kind.creatable:
            plan.missing.append(name)
        else:
            plan.not_found.append(name)
            plan.problems[key] = f"{kind.label} {_start(name)!r} does not exist in ConnectWise"
    return plan


def referred_names(
    missing: Mapping[str, Sequence[str]],
    paths: Sequence[str],
    created: Sequence[Sequence[Any]],
    changes: Iterable[FieldChange],
) -> dict[str, list[str]]:
    """The missing names that something written refers to, sorted, by target path; the others aren't created.

    Args:
        missing: names that don't exist, by target path.
        paths: the fields of the mapping, in the order of the values.
        created: the values of each creation.
        changes: those of all modifications.
    """
    wanted: dict[str, set[Any]] = {path: set() for path, names in missing.items() if names}
    for path in wanted.keys() & set(paths):
        position = paths.index(path)
        wanted[path].update(values[position] for values in created)
    for change in changes:
        if change.field in wanted:
            wanted[change.field].add(change.wanted)
    used = {path: {folded(str(each)) for each in found if each is not None} for path, found in wanted.items()}
    names = {path: sorted(name for name in missing[path] if folded(name) in used[path]) for path in wanted}
    return {path: found for path, found in sorted(names.items()) if found}


def _spellings(wanted: Iterable[str]) -> dict[str, str]:
    """One spelling a name, whatever the order of input: the first in sorting order."""
    names = sorted({name.strip() for name in wanted}, reverse=True)
    return {folded(name): name for name in names if name}


def _by_name(
    kind: ReferenceKind, records: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, int], dict[str, int]]:
    active: dict[str, int] = {}
    inactive: dict[str, int] = {}
    for record in sorted(records, key=lambda each: int(each["id"]), reverse=True):
        names = inactive if record.get("inactiveFlag") else active
        names[folded(kind.name_of(record))] = int(record["id"])
    return active, inactive


def _start(name: str, length: int = 30) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"

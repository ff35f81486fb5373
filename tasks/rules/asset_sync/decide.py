"""Which of the differences found may be written, which are left out, and which skip the asset.

One rule for the plan and for the moment of writing: the plan asks it with the names that exist or will be
created, the writer with the ids at hand and the record read a moment ago.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.merge import Bases, edits
from tasks.rules.asset_sync.references import REFERENCE_KINDS, TYPE, ReferencePlan
from tasks.rules.edits import Edit
from tasks.rules.limits import LimitError
from tasks.rules.mapping.comparison import is_empty
from tasks.rules.mapping.compile import CompiledMapping, MappedField
from tasks.rules.mapping.targets import References, ValueKind, wire_value
from tasks.rules.values import AssetRecord, ConfigurationRecord, FieldChange, folded

ReferenceProblem = Callable[[str, str], str | None]
"""(target path, name) -> why a configuration can't refer to that name, or None."""

REQUIRED = {"name", TYPE.path}
"""What ConnectWise requires of a configuration (beside the company, which the run gives)."""

_COMPANY = "company.name"
_UNREAD = (
    "The configuration was read again without its custom fields, or somebody emptied ls_asset_id: it is left "
    "alone, since writing it back would take away what was not read."
)
_NOT_WHOLE = (
    "The configuration was read again without {}, which every configuration has: it is left alone, since "
    "writing it back would take away what was not read."
)


@dataclass(slots=True)
class WriteDecision:
    """What to write of one asset. ``skipped``: the reason why nothing of it is written.

    ``type_change`` is apart: changing a type is ConnectWise's own call and never part of a PUT or PATCH.
    """

    changes: list[FieldChange] = field(default_factory=list)
    type_change: FieldChange | None = None
    warnings: list[str] = field(default_factory=list)
    skipped: str | None = None

    @property
    def nothing(self) -> bool:
        return self.skipped is not None or (not self.changes and self.type_change is None)


@dataclass(slots=True)
class CreationDecision:
    """What to write of an asset that is created. ``skipped``: the reason why it can't be.

    ``values`` holds one value per field of the compiled mapping, as ConnectWise takes it, a reference by its
    name; None where there is none, or none that can be written (``warnings`` say why).
    """

    values: tuple[Any, ...] = ()
    warnings: list[str] = field(default_factory=list)
    skipped: str | None = None


@dataclass(slots=True)
class FreshDecision:
    """What is left to write after the fresh re-read.

    ``refused``: the record must not be written, and why. ``moved``: the fields that somebody changed between
    the plan and the re-read. ``conflicts``: the fields that both sides changed since they agreed.
    """

    changes: list[FieldChange] = field(default_factory=list)
    refused: str | None = None
    moved: list[str] = field(default_factory=list)
    conflicts: list[Edit] = field(default_factory=list)


def planned_problems(plans: Mapping[str, ReferencePlan]) -> ReferenceProblem:
    """The problems as the plan sees them: a name to be created is none."""

    def problem(path: str, name: str) -> str | None:
        plan = plans.get(path)
        return plan.problem(name) if plan else f"{path} was not looked up in ConnectWise"

    return problem


def unlinkable(asset: AssetRecord) -> str | None:
    """Why nothing may be written of an asset that has no key, or None.

    Without it nobody could tell whose configuration it is: it could be another asset's.
    """
    return None if asset.key.strip() else "Lansweeper gives no key for it"


def known_problems(references: References) -> ReferenceProblem:
    """The problems as the writer sees them: only an id at hand is none."""

    def problem(path: str, name: str) -> str | None:
        return None if folded(name) in references.get(path, {}) else unknown_reference(path, name)

    return problem


def unknown_reference(path: str, name: str) -> str:
    """What is said where a record that a configuration refers to is not there."""
    label = REFERENCE_KINDS[path].label if path in REFERENCE_KINDS else path
    return f"{label} {name[:60]!r} has no record in ConnectWise"


def decide_creation(
    asset: AssetRecord, mapping: CompiledMapping, problem: ReferenceProblem
) -> CreationDecision:
    """Whether the asset can be created, and which of its values are left out.

    An asset that can't be linked is skipped: the next run would not find its configuration and create it
    twice. The run's company is never taken from the asset.
    """
    if why := unlinkable(asset):
        return CreationDecision(skipped=why)
    values: list[Any] = [None] * len(mapping.fields)
    warnings, missing = [], {*REQUIRED, mapping.fields[-1].target.path}
    for at, (mapped, wanted) in enumerate(zip(mapping.fields, asset.wanted, strict=True)):
        path = mapped.target.path
        if wanted is None or path == _COMPANY or is_empty(wanted):
            continue
        try:
            values[at] = _wire(mapped, wanted, problem)
            missing.discard(path)
        except LimitError as error:
            if path in missing:
                return CreationDecision(skipped=str(error))
            warnings.append(left_out(mapped, str(error)))
    if missing:
        paths = " and ".join(sorted(missing))
        return CreationDecision(skipped=f"No value for {paths}, which a configuration needs")
    return CreationDecision(tuple(values), warnings)


def decide_changes(
    changes: Sequence[FieldChange],
    configuration: ConfigurationRecord,
    mapping: CompiledMapping,
    problem: ReferenceProblem,
    *,
    reactivate: bool = False,
) -> WriteDecision:
    """Sort the differences of one matched asset.

    ``reactivate``: whether an inactive configuration may be made active again.
    """
    by_path = mapping.by_path
    decision = WriteDecision()
    for change in changes:
        if change.field == "activeFlag" and not configuration.active and not reactivate:
            continue
        if change.field in REQUIRED and is_empty(change.wanted):
            decision.warnings.append(f"{change.field} can't be empty in ConnectWise; it is left alone")
            continue
        why = _change_obstacle(by_path[change.field], change, problem)
        if why is not None and change.field in REQUIRED:
            return WriteDecision(skipped=why)
        if why is not None:
            decision.warnings.append(left_out(by_path[change.field], why))
        elif change.field == TYPE.path:
            decision.type_change = change
        else:
            decision.changes.append(change)
    return decision


def decide_fresh(
    asset: AssetRecord,
    planned: Sequence[FieldChange],
    fresh: Mapping[str, Any] | None,
    mapping: CompiledMapping,
    references: References,
    *,
    company_id: int,
    planned_key: str | None = None,
    reactivate: bool = False,
    bases: Bases | None = None,
    withheld: Collection[str] = (),
) -> FreshDecision:
    """Decide again on the record as read right before it is written; None: it was not found any more.

    Every mapped field is compared anew, so a value that somebody changed meanwhile meets the authority rules
    again; ``bases`` knows what both sides agreed on. A record that now belongs to another asset or company is
    refused. So is one without its name, type, company or custom fields, or without the key that it had at the
    plan (``planned_key``): written back whole, it would lose what was not read. A type change is not repeated
    here: it is its own call. ``withheld`` are fields that a person left out, whatever they hold by now.
    """
    if fresh is None:
        return FreshDecision(refused="The configuration no longer exists.")
    if (owner := (fresh.get("company") or {}).get("id")) not in (None, company_id):
        return FreshDecision(refused=f"The configuration was moved to the company with id {owner}.")
    if missing := [member for member in ("name", "type", "company") if member not in fresh]:
        return FreshDecision(refused=_NOT_WHOLE.format(" and ".join(missing)))
    current = mapping.read_configuration(fresh)
    if "customFields" not in fresh or (planned_key and not current.asset_key):
        return FreshDecision(refused=_UNREAD)
    if other := _other_asset(asset, planned, current, mapping):
        return FreshDecision(refused=f"The configuration is now linked to asset {other}.")
    base = bases.of(asset, current) if bases is not None and bases.matter else {}
    found = [each for each in differences(asset, current, mapping, base) if each.field not in withheld]
    decision = decide_changes(found, current, mapping, known_problems(references), reactivate=reactivate)
    if decision.skipped:
        return FreshDecision(refused=decision.skipped)
    conflicts = [each for each in edits(asset, current, mapping, base) if each.is_conflict] if base else []
    return FreshDecision(decision.changes, moved=_moved(planned, decision.changes), conflicts=conflicts)


def _other_asset(
    asset: AssetRecord, planned: Sequence[FieldChange], current: ConfigurationRecord, mapping: CompiledMapping
) -> str | None:
    """The key of the asset that took the configuration meanwhile; a planned take-over is none."""
    holder = (current.asset_key or "").strip()
    given_up = {str(change.current).strip() for change in planned if change.field == mapping.fields[-1].path}
    return holder if holder and holder != asset.key.strip() and holder not in given_up else None


def _moved(planned: Sequence[FieldChange], fresh: Sequence[FieldChange]) -> list[str]:
    before = {change.field: change for change in planned}
    after = {change.field: change for change in fresh}
    paths = (before.keys() | after.keys()) - {TYPE.path}
    return sorted(path for path in paths if before.get(path) != after.get(path))


def _change_obstacle(mapped: MappedField, change: FieldChange, problem: ReferenceProblem) -> str | None:
    if change.field == _COMPANY:
        return "company.name is compared only: a configuration is never moved to another company"
    return None if is_empty(change.wanted) else _obstacle(mapped, change.wanted, problem)


def _obstacle(mapped: MappedField, wanted: Any, problem: ReferenceProblem) -> str | None:
    try:
        _wire(mapped, wanted, problem)
    except LimitError as error:
        return str(error)
    return None


def _wire(mapped: MappedField, wanted: Any, problem: ReferenceProblem) -> Any:
    """The value as ConnectWise takes it, a reference by its name; LimitError: why it can't be written."""
    target = mapped.target
    if target.kind is ValueKind.REFERENCE:
        if why := problem(target.path, str(wanted)):
            raise LimitError(why)
        return wanted
    if mapped.custom_field_id is None and target.kind is ValueKind.CUSTOM:
        raise LimitError(f"{target.path} is not a custom field of configurations in ConnectWise")
    return wire_value(target, wanted)


def left_out(mapped: MappedField, why: str) -> str:
    """The warning that a value is not written."""
    return f"{why}; {mapped.path} is left out"

"""Plan the reverse of an enrichment: the earlier texts go back where nobody changed them since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.ledger.models import JournalledWrite
from tasks.rules.enrichment.plan import AssetUpdate, ConfigurationName
from tasks.rules.enrichment.texts import FIELD_TYPES, AssetState, same_text
from tasks.rules.isolation import problem_words
from tasks.rules.undo import UndoPlan, UndoRefusal, UndoStep
from tasks.rules.values import FieldChange

ASSET = "asset"
"""The kind of record under which the journal keeps edits of Lansweeper assets."""


@dataclass(slots=True)
class TextUndoPlan:
    """The reverse of a run as edits of assets. ``undone_already`` counts the texts that need nothing."""

    updates: list[AssetUpdate] = field(default_factory=list)
    refused: list[UndoRefusal] = field(default_factory=list)
    undone_already: int = 0

    def as_undo_plan(self) -> UndoPlan:
        """As a plan that ``undo_markdown`` shows; a step's record id is its place in ``updates``."""
        steps = [
            UndoStep("modify", place, each.name, each.asset.key, each.after(), each.before())
            for place, each in enumerate(self.updates)
        ]
        return UndoPlan(steps, self.refused, self.undone_already, by_asset=True)


def wrote_assets(writes: Sequence[JournalledWrite]) -> bool:
    """Whether the run edited Lansweeper assets."""
    return any(each.record_kind == ASSET for each in writes)


def plan_text_undo(
    writes: Sequence[JournalledWrite], assets: Mapping[str, AssetState], known: Mapping[str, str]
) -> TextUndoPlan:
    """The undo of one run.

    Args:
        writes: all journalled writes of the run.
        assets: the assets as they are now, by key.
        known: our custom fields that still exist, by name.

    Several edits of one asset are undone as one. Edits that were never done are ignored; of unclear ones the
    asset tells whether they were.
    """
    plan = TextUndoPlan()
    by_key: dict[str, list[JournalledWrite]] = {}
    for write in sorted(writes, key=lambda each: each.id):
        if write.operation == "create_reference" and write.outcome == "done":
            stays = f"A {write.record_kind} that the run created stays: others may use it by now."
            plan.refused.append(_refusal(write, stays))
        if write.record_kind == ASSET and write.outcome not in ("failed", "not_sent") and write.asset_key:
            by_key.setdefault(write.asset_key, []).append(write)
    for key in sorted(by_key):
        asset = assets.get(key)
        if asset is None:
            plan.refused.append(_refusal(by_key[key][0], "The asset is gone from Lansweeper."))
        else:
            try:
                _undo_asset(plan, by_key[key], asset, known)
            except Exception as error:
                plan.refused.append(
                    _refusal(by_key[key][0], f"It can't be compared: {problem_words(error)}.")
                )
    return plan


def _undo_asset(
    plan: TextUndoPlan, writes: Sequence[JournalledWrite], asset: AssetState, known: Mapping[str, str]
) -> None:
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for write in writes:
        before = {**(write.before or {}), **before}
        after.update(write.after or {})
    changes = []
    order = list(FIELD_TYPES)
    for name in sorted(after, key=lambda name: (order.index(name) if name in order else len(order), name)):
        current = asset.values.get(name)
        if name not in known:
            plan.refused.append(_refusal(writes[0], "The custom field is gone from Lansweeper.", name))
        elif same_text(name, current, before.get(name)):
            plan.undone_already += 1
        elif not same_text(name, current, after[name]):
            plan.refused.append(_refusal(writes[0], f"Changed since: it is now {current!r}.", name))
        else:
            changes.append(FieldChange(name, current, before.get(name) or ""))
    if changes:
        named = ConfigurationName(0, writes[0].record_name, asset.key)
        plan.updates.append(AssetUpdate(asset, named, tuple(changes)))


def _refusal(write: JournalledWrite, reason: str, name: str | None = None) -> UndoRefusal:
    return UndoRefusal(None, write.record_name, name, reason, write.asset_key)

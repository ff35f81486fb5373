"""Texts that a person changed in Lansweeper since this project wrote them: kept, or in conflict.

A text is a person's if it is none that the journal says was written there last. What was sent last without
an answer may be there or not, so both count as written. Nothing typed is lost by filling an empty text, and a
field that was deleted and made again is empty everywhere: an emptied text is no edit. The configuration's
address is written always: by it a run sees that an asset carries another company's configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from tasks.rules.edits import Edit
from tasks.rules.enrichment.plan import AssetUpdate, EnrichmentPlan, SkippedConfiguration
from tasks.rules.enrichment.texts import CONFIGURATION_URL, same_text
from tasks.rules.isolation import convert_all_or, problem_words
from tasks.rules.mapping.model import OnConflict
from tasks.rules.values import FieldChange

Written = Mapping[str, Mapping[str, Sequence[str]]]
"""By asset key and custom field: the texts that may have been written there last."""


class EditedTexts(StrEnum):
    """What becomes of a text that only a person changed."""

    KEEP = "keep"
    REPLACE = "replace"


def may_be_edited(plan: EnrichmentPlan) -> list[str]:
    """The keys of the assets of which a text would be replaced."""
    return [each.asset.key for each in plan.updates if any(map(_replaces, each.changes))]


def without_edits(
    plan: EnrichmentPlan, written: Written, rule: EditedTexts, on_conflict: OnConflict
) -> EnrichmentPlan:
    """The plan without the texts that people changed, which it names; its counts add up.

    Args:
        written: of at least the assets of ``may_be_edited``; of one that is not in it no edit is known.
        rule: with ``REPLACE`` every edit is named and replaced.
        on_conflict: which text holds where ConnectWise's changed as well.
    """
    left = replace(plan, updates=[], skipped=list(plan.skipped), edits=[])
    found: list[list[Edit] | str] = convert_all_or(
        plan.updates,
        lambda each: _edits(each, written.get(each.asset.key, {}), rule, on_conflict),
        lambda _, error: f"It can't be compared with what was written: {problem_words(error)}",
    )
    for update, edits in zip(plan.updates, found, strict=True):
        if isinstance(edits, str):
            left.skipped.append(SkippedConfiguration(update.configuration, edits))
            continue
        kept = {each.field for each in edits if each.on_conflict is not OnConflict.CONNECTWISE}
        changes = tuple(each for each in update.changes if each.field not in kept)
        left.edits += edits
        if changes:
            left.updates.append(replace(update, changes=changes) if kept else update)
        else:
            left.unchanged += 1
    return left


def _edits(
    update: AssetUpdate,
    written: Mapping[str, Sequence[str]],
    rule: EditedTexts,
    on_conflict: OnConflict,
) -> list[Edit]:
    found = []
    for change in update.changes:
        bases = written.get(change.field, ())
        if not bases or not _replaces(change) or _is_any(change.field, change.current, bases):
            continue
        policy: OnConflict | None = on_conflict
        if rule is EditedTexts.REPLACE or change.field == CONFIGURATION_URL:
            policy = OnConflict.CONNECTWISE
        elif _is_any(change.field, change.wanted, bases):
            policy = None
        found.append(
            Edit(
                update.asset.key,
                update.configuration.id,
                update.name,
                change.field,
                bases[0],
                change.wanted,
                change.current,
                policy,
            )
        )
    return found


def _replaces(change: FieldChange) -> bool:
    return bool(change.current and str(change.current).strip())


def _is_any(name: str, text: str | None, bases: Sequence[str]) -> bool:
    return any(same_text(name, text, each) for each in bases)

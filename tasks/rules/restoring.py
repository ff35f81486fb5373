"""The values that put members back as they were before a PUT that reset them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.rules.journal_values import kept_value, value_of
from tasks.rules.targets import CUSTOM_FIELD_PREFIX


def values_to_restore(before: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """By journal key what the members held in ``before``; named as ``canary.unmapped_changes`` names them."""
    ids = {
        str(each.get("caption") or each.get("id")): each.get("id")
        for each in before.get("customFields") or []
    }
    keys = [_key(member, ids) for member in members]
    return {key: kept_value(value_of(before, key)) for key in keys}


def _key(member: str, ids: Mapping[str, Any]) -> str:
    if not member.startswith(CUSTOM_FIELD_PREFIX):
        return member
    caption = member.removeprefix(CUSTOM_FIELD_PREFIX)
    return f"customFields/{ids.get(caption, caption)}"

"""Filters of a read of assets, written and checked without sending anything."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.errors import RejectedError
from connectors.lansweeper.models import Condition, Filters

#: What one query may hold (reference, section 3).
MOST_CONDITIONS = 100
OPERATORS = frozenset(
    {
        "EQUAL",
        "NOT_EQUAL",
        "GREATER_THAN",
        "GREATER_THAN_OR_EQUAL",
        "SMALLER_THAN",
        "SMALLER_THAN_OR_EQUAL",
        "EXISTS",
        "LIKE",
        "REGEXP",
    }
)


def condition(path: str, operator: str, value: str) -> Condition:
    """One condition; an unknown operator is a RejectedError."""
    if operator not in OPERATORS:
        raise _refused(f"{operator!r} is no filter operator", f"Use one of {', '.join(sorted(OPERATORS))}.")
    return {"operator": operator, "path": path, "value": value}


def all_of(conditions: Sequence[Condition]) -> Filters:
    """Assets that meet every condition."""
    return {"conjunction": "AND", "conditions": list(conditions)}


def any_of(conditions: Sequence[Condition]) -> Filters:
    """Assets that meet at least one condition."""
    return {"conjunction": "OR", "conditions": list(conditions)}


def any_key(keys: Sequence[str]) -> Filters:
    """Assets with one of these keys, at most 100."""
    return any_of([condition("key", "EQUAL", key) for key in keys])


def checked_filters(filters: Filters | None) -> Filters | None:
    """The filters, None if they hold no condition; more than 100 conditions are a RejectedError."""
    if not filters:
        return None
    inner = [group.get("conditions") or [] for group in filters.get("groups") or []]
    conditions = [*(filters.get("conditions") or []), *(one for group in inner for one in group)]
    if len(conditions) > MOST_CONDITIONS:
        raise _refused(
            f"The asset filter has {len(conditions)} conditions", f"Use at most {MOST_CONDITIONS} conditions."
        )
    for one in conditions:
        condition(one["path"], one["operator"], one["value"])
    return filters if conditions else None


def _refused(message: str, remedy: str) -> RejectedError:
    return RejectedError(message, system="Lansweeper", remedy=remedy)

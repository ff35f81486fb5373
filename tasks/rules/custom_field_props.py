"""What a custom field's type needs and takes, checked before anything is sent: it can't be changed later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from connectors.lansweeper.models import CustomFieldProps
from tasks.rules.limits import LimitError

FieldType = Literal["INPUT", "TEXTAREA", "SELECT", "DATE", "TIME", "CURRENCY", "HYPERLINK", "NUMERIC"]
PROPS: Mapping[str, tuple[str, ...]] = {
    "SELECT": ("options",),
    "CURRENCY": ("currencyType",),
    "HYPERLINK": ("linkTag",),
    "NUMERIC": ("minNumericValue", "maxNumericValue"),
}
"""The properties that each type takes; the others take none (reference, section 5)."""


def checked_props(kind: FieldType, props: Mapping[str, Any] | None) -> CustomFieldProps | None:
    """The properties as they are sent; None if there are none.

    Raises:
        LimitError: a property that the type does not take, or a SELECT without options.
    """
    given = dict(props or {})
    taken = PROPS.get(kind, ())
    unknown = sorted(set(given) - set(taken))
    if unknown:
        remedy = f"It takes {' and '.join(taken)}." if taken else "It takes none."
        raise LimitError(f"Props: a {kind} custom field has no {', '.join(unknown)}. {remedy}")
    if kind == "SELECT":
        _check_options(given.get("options"))
    if kind == "NUMERIC":
        _check_bounds(given.get("minNumericValue"), given.get("maxNumericValue"))
    return cast(CustomFieldProps, given) or None


def _check_options(options: Any) -> None:
    texts = options if isinstance(options, list) else []
    if not texts or not all(isinstance(each, str) and each.strip() for each in texts):
        raise LimitError('Props: a SELECT custom field needs options. Give {"options": ["first", "second"]}.')
    if len(set(texts)) < len(texts):
        raise LimitError("Props: an option of the SELECT custom field stands there twice. Give each once.")


def _check_bounds(lowest: Any, highest: Any) -> None:
    for name, bound in (("minNumericValue", lowest), ("maxNumericValue", highest)):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
            raise LimitError(f"Props: {name} is {bound!r}. Give a whole number.")
    if lowest is not None and highest is not None and lowest > highest:
        raise LimitError(f"Props: minNumericValue {lowest} is above maxNumericValue {highest}. Swap them.")

"""Input of the Lansweeper actions, checked before anything is sent: the edit of an asset, a new custom field.

Members that the vendor's schema wraps as ``{value}`` are filled by Lansweeper's scans. An edit locks such a
field: later scans no longer change it until somebody unlocks it in Lansweeper (help text on normalization).
So an edit that would lock one is refused. The type of a custom field can't be changed later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, cast

from connectors.lansweeper.models import CustomField, CustomFieldProps
from tasks.rules.limits import LimitError
from tasks.rules.values import folded

SCANNED: Mapping[str, frozenset[str]] = {
    section: frozenset(names.split())
    for section, names in {
        "assetBasicInfo": "description domain fqdn name",
        "assetCustom": "contact firmwareVersion location manufacturer model purchaseDate serialNumber sku "
        "warrantyDate",
        "cloudAssetCustom": "",
    }.items()
}
"""Members of EditAssetInput that take ``{value}``, by section."""
FREE: Mapping[str, frozenset[str]] = {
    section: frozenset(names.split())
    for section, names in {
        "assetBasicInfo": "ipAddress",
        "assetCustom": "barCode branchOffice building comment department dnsName lastFullBackup "
        "lastFullImage lastPatched orderNumber",
        "cloudAssetCustom": "acquisitionType costCenter industry invoiceNumber owner purchaseOrderDate "
        "vendorName",
    }.items()
}
"""Members that take a bare text, by section; custom fields are given by name and not here."""
_REMEDY = "Turn on Allow Locking if that is meant."

FieldType = Literal["INPUT", "TEXTAREA", "SELECT", "DATE", "TIME", "CURRENCY", "HYPERLINK", "NUMERIC"]
PROPS: Mapping[str, tuple[str, ...]] = {
    "SELECT": ("options",),
    "CURRENCY": ("currencyType",),
    "HYPERLINK": ("linkTag",),
    "NUMERIC": ("minNumericValue", "maxNumericValue"),
}
"""The properties that each type takes; the others take none (docs/vendors.md, Lansweeper 5)."""


def asset_edit(
    custom_fields: Mapping[str, Any],
    fields: Mapping[str, Any],
    existing: Sequence[CustomField],
    *,
    allow_locking: bool = False,
) -> dict[str, Any]:
    """An EditAssetInput.

    Args:
        custom_fields: name or key of a custom field -> text, number, or None to clear it.
        fields: further members by section, such as ``{"assetCustom": {"comment": "on loan"}}``; a bare text
            is wrapped where the vendor wants ``{value}``.
        existing: the site's custom fields, in the order in which it lists them.
        allow_locking: take members that Lansweeper's scan fills.

    Raises:
        LimitError: a name that the site or the schema does not know, a value that can't be written, a
            member that would be locked, or nothing to write.
    """
    edit: dict[str, Any] = {}
    for section, members in fields.items():
        checked = _checked_section(section, members, allow_locking)
        if checked:
            edit[section] = checked
    entries = _custom_entries(custom_fields, existing)
    if entries:
        edit.setdefault("assetCustom", {})["fields"] = entries
    if not edit:
        raise LimitError("There is nothing to write. Give custom fields or fields.")
    return edit


def custom_field_key(name: str, existing: Sequence[CustomField]) -> str:
    """The key of a custom field given by key or name; of several with one name the first listed.

    Raises:
        LimitError: the site has no such field.
    """
    if any(each["key"] == name for each in existing):
        return name
    exact = [each["key"] for each in existing if each["name"] == name]
    alike = [each["key"] for each in existing if folded(each["name"] or "") == folded(name)]
    if not exact and not alike:
        names = [each["name"] for each in existing if each["name"]]
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"Near it: {', '.join(near)}." if near else "Create it first."
        raise LimitError(f"Lansweeper has no custom field {name!r} on this site. {hint}")
    return (exact or alike)[0]


def _custom_entries(values: Mapping[str, Any], existing: Sequence[CustomField]) -> list[dict[str, str]]:
    entries: dict[str, str] = {}
    for name, value in values.items():
        key = custom_field_key(name, existing)
        if key in entries:
            raise LimitError(f"The custom field {name} is given twice. Give it one value.")
        # Empty text clears a custom field, null one of the other fields (docs/vendors.md, Lansweeper 5).
        entries[key] = _text(f"The custom field {name}", value) or ""
    return [{"fieldKey": key, "value": value} for key, value in entries.items()]


def _checked_section(section: str, members: Any, allow_locking: bool) -> dict[str, Any]:
    if section not in SCANNED:
        raise LimitError(f"Fields: {section!r} can't be edited. Use {', '.join(SCANNED)}.")
    if not isinstance(members, Mapping):
        raise LimitError(f"Fields: {section} is not an object. Give {{member: text}}.")
    return {name: _checked_member(section, name, value, allow_locking) for name, value in members.items()}


def _checked_member(section: str, name: str, value: Any, allow_locking: bool) -> Any:
    path = f"{section}.{name}"
    if name in FREE[section]:
        return _text(path, value)
    if name not in SCANNED[section]:
        hint = " Give custom fields by name, as Custom Fields." if name == "fields" else ""
        known = ", ".join(sorted(SCANNED[section] | FREE[section]))
        raise LimitError(f"Fields: {path} can't be edited.{hint} Members of {section}: {known}.")
    if not allow_locking:
        raise LimitError(
            f"Fields: Lansweeper's scan fills {path}, and an edit locks it: later scans no longer change it. "
            f"{_REMEDY}"
        )
    wrapped = isinstance(value, Mapping) and set(value) == {"value"}
    return {"value": _text(path, value["value"] if wrapped else value)}


def _text(what: str, value: Any) -> str | None:
    """A value as the vendor takes it: always text, whatever the type; None clears."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise LimitError(f"{what} is {type(value).__name__}, not a text. Give a text or a number.")
    return str(value)


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

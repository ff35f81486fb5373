"""Wire shapes of Lansweeper, as far as this project reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypedDict

Asset = dict[str, Any]
"""An asset as the vendor sends it: objects nested by path, absent values left out."""


class Site(TypedDict):
    """A site that the token may see; the id is a UUID."""

    id: str
    name: str


class CustomFieldProps(TypedDict, total=False):
    """What a type needs: options of SELECT, currency of CURRENCY, text of a link, numeric bounds."""

    currencyType: str | None
    linkTag: str | None
    maxNumericValue: int | None
    minNumericValue: int | None
    options: list[str] | None


class CustomField(TypedDict):
    """A custom field; ``type``: INPUT, TEXTAREA, SELECT, DATE, TIME, CURRENCY, HYPERLINK, NUMERIC."""

    key: str
    name: str
    type: str
    props: CustomFieldProps | None


class FilterCondition(TypedDict):
    """One filter condition; ``value`` is always text, dates as ISO 8601."""

    operator: str
    path: str
    value: str


class Filters(TypedDict, total=False):
    """Filters of a read: conditions joined by ``conjunction`` (AND, OR), and groups, which don't nest."""

    conjunction: str
    conditions: list[FilterCondition]
    groups: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class AssetEdit:
    """What is to be written to one asset; ``fields`` is an EditAssetInput of the vendor's schema."""

    key: str
    fields: dict[str, Any]

    @classmethod
    def of_custom_fields(cls, key: str, values: Mapping[str, str]) -> Self:
        """Custom fields by ``fieldKey``; empty text clears one, and what is not named stays."""
        entries = [{"fieldKey": field, "value": value} for field, value in values.items()]
        return cls(key, {"assetCustom": {"fields": entries}})


@dataclass(frozen=True, slots=True)
class EditOutcome:
    """The outcome of one edit of several; ``message`` is empty if it was written.

    ``explained``: whether the message is certainly this edit's own. Where Lansweeper's errors name no edit,
    the message holds all of them and says so; edited alone, the asset gets its own. ``status``: the HTTP
    status that the refusal has or that its code stands for, None where neither tells.
    """

    key: str
    ok: bool
    message: str = ""
    explained: bool = True
    status: int | None = None


@dataclass(frozen=True, slots=True)
class AssetPage:
    """Some assets, whole; ``total`` is the number of all, on the first page only, and may be unknown."""

    items: list[Asset]
    total: int | None = None

"""Wire shapes of Lansweeper, as far as this project reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

#: An asset as the vendor sends it: objects nested by path, absent values left out.
Asset = dict[str, Any]


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
    """A custom field of a site. ``type``: INPUT, TEXTAREA, SELECT, DATE, TIME, CURRENCY, HYPERLINK, NUMERIC.

    Names need not be unique.
    """

    key: str
    name: str
    type: str
    props: CustomFieldProps | None


class Condition(TypedDict):
    """One filter condition; ``value`` is always text, dates as ISO 8601."""

    operator: str
    path: str
    value: str


class Filters(TypedDict, total=False):
    """Filters of a read: conditions joined by ``conjunction`` (AND, OR), and groups, which don't nest."""

    conjunction: str
    conditions: list[Condition]
    groups: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class AssetPage:
    """Some assets, whole; ``total`` is the number of all, on the first page only, and may be unknown."""

    items: list[Asset]
    total: int | None = None

"""Queries of a site: pages of assets, one asset, types, custom fields.

Filters know conditions, one level of groups, and every operator of AssetsFilterType. A cursor is the place of
an asset, 24 hex digits: it never expires. ``next`` is the last asset of a page and ``current`` the first, so
NEXT goes on after its cursor and PREV ends before it. Order, cursors and their life are assumed
(docs/vendors.md, Lansweeper 4). Assets are cut down to the requested paths by a function that is compiled
once for each list of paths.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import FieldNode, GraphQLResolveInfo

from sandbox.lansweeper.documents import (
    ASSET_TYPES,
    LEAF_PATHS,
    RefusedError,
    invalid_filter_path,
    invalid_path,
    unknown_asset,
)
from sandbox.lansweeper.store import LansweeperStore
from sandbox.switches import Switches

MAX_CONDITIONS = 100
LONGEST_PATTERN = 1000  # assumed; a common limit of search servers
NOWHERE = ("",)
"""The steps of a path at which no asset has a value."""

Asset = dict[str, Any]
Predicate = Callable[[Asset], bool]
Test = Callable[[Any], bool]
MAX_LIMIT = 500
DEFAULT_LIMIT = 100
_CURSOR = re.compile(r"[0-9a-f]{24}")
_START: dict[str, Callable[[list[str], PageRequest], int]] = {
    "FIRST": lambda order, request: 0,
    "NEXT": lambda order, request: bisect_right(order, request.cursor),
    "PREV": lambda order, request: bisect_left(order, request.cursor) - request.limit,
    "LAST": lambda order, request: len(order) - request.limit,
}
Tree = dict[str, "Tree | None"]
Projection = Callable[[dict[str, Any]], dict[str, Any]]
MAX_PATHS = 30


def compile_filters(
    filters: dict[str, Any] | None, refused: Collection[str] = (), unfilled: Collection[str] = ()
) -> Predicate | None:
    """A predicate, or None; refuses unknown paths, broken patterns, over 100 conditions, groups included.

    ``refused``: paths that are refused besides; ``unfilled``: those at which no asset has a value.
    """
    if not filters:
        return None
    groups = filters.get("groups") or []
    number = sum(len(group.get("conditions") or []) for group in (filters, *groups))
    if number > MAX_CONDITIONS:
        raise RefusedError(f"Maximum number of conditions exceeded: {number} of {MAX_CONDITIONS}")

    def tested(condition: dict[str, Any]) -> Predicate:
        if condition["path"] in refused:
            raise invalid_filter_path(condition["path"])
        return _condition(condition, unfilled)

    parts = [tested(condition) for condition in filters.get("conditions") or []]
    parts += [_joined([tested(c) for c in group["conditions"]], group) for group in groups]
    return _joined(parts, filters) if parts else None


def _joined(parts: list[Predicate], group: dict[str, Any]) -> Predicate:
    join = any if group.get("conjunction") == "OR" else all
    return lambda asset: join(part(asset) for part in parts)


def _condition(condition: dict[str, Any], unfilled: Collection[str]) -> Predicate:
    path, operator, value = condition["path"], condition["operator"], condition["value"]
    if path not in LEAF_PATHS:
        raise invalid_filter_path(path)
    steps = NOWHERE if path in unfilled else tuple(path.split("."))
    if operator == "EXISTS":
        wanted = value.strip().lower() != "false"
        return lambda asset: any(True for _ in _values(asset, steps)) is wanted
    if operator == "NOT_EQUAL":
        equal = _equal(value)
        return lambda asset: not any(equal(found) for found in _values(asset, steps))
    test = _TESTS[operator](value)
    return lambda asset: any(test(found) for found in _values(asset, steps))


def _values(node: Any, steps: tuple[str, ...]) -> Iterator[Any]:
    """Every value at a path; a list section gives one for each element."""
    if node is None:
        return
    if not steps:
        yield node
    elif isinstance(node, list):
        for element in node:
            yield from _values(element, steps)
    else:
        yield from _values(node.get(steps[0]), steps[1:])


def _text(found: Any) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)


def _equal(value: str) -> Test:
    return lambda found: _text(found) == value


def _like(value: str) -> Test:
    """Contains, without regard to case; ``%`` and ``*`` are wildcards. The case rule is assumed."""
    parts = [part for part in re.split(r"[%*]", value.lower()) if part]

    def holds(found: Any) -> bool:
        text, at = _text(found).lower(), 0
        for part in parts:
            at = text.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return True

    return holds


def _regexp(value: str) -> Test:
    try:
        if len(value) > LONGEST_PATTERN:
            raise ValueError(f"longer than {LONGEST_PATTERN} characters")
        matches = re.compile(value).search
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        raise RefusedError(f"Invalid regular expression: {value[:LONGEST_PATTERN]}") from error
    return lambda found: matches(_text(found)) is not None


def _ordered(accepts: Callable[[int], bool]) -> Callable[[str], Test]:
    return lambda value: lambda found: accepts(_compare(found, value))


def _compare(found: Any, value: str) -> int:
    """-1, 0 or 1. Numbers by value; everything else as text, which orders ISO dates rightly."""
    left, right = _comparable(found, value)
    return int(left > right) - int(left < right)


def _comparable(found: Any, value: str) -> tuple[Any, Any]:
    if isinstance(found, int | float) and not isinstance(found, bool):
        try:
            return float(found), float(value)
        except ValueError:
            pass
    return _text(found), value


_TESTS: dict[str, Callable[[str], Test]] = {
    "EQUAL": _equal,
    "LIKE": _like,
    "REGEXP": _regexp,
    "GREATER_THAN": _ordered(lambda order: order > 0),
    "GREATER_THAN_OR_EQUAL": _ordered(lambda order: order >= 0),
    "SMALLER_THAN": _ordered(lambda order: order < 0),
    "SMALLER_THAN_OR_EQUAL": _ordered(lambda order: order <= 0),
}


@dataclass(frozen=True)
class PageRequest:
    """``page`` is FIRST, NEXT, PREV or LAST; ``cursor`` is empty where none was given."""

    limit: int
    page: str
    cursor: str


def read_page(pagination: dict[str, Any] | None) -> PageRequest:
    """The page asked for. Refuses limits outside 1 to 500, and NEXT or PREV without a cursor."""
    given = pagination or {}
    limit, cursor = given.get("limit"), given.get("cursor") or ""
    limit = DEFAULT_LIMIT if limit is None else limit
    page = given.get("page") or ("NEXT" if cursor else "FIRST")
    if not 1 <= limit <= MAX_LIMIT:
        raise RefusedError(f"Invalid limit: {limit}. It must be between 1 and {MAX_LIMIT}")
    if page in ("NEXT", "PREV") and not _CURSOR.fullmatch(cursor):
        raise RefusedError(f"Invalid cursor: {cursor}")
    return PageRequest(limit, page, cursor)


def cut_page(order: list[str], request: PageRequest) -> tuple[list[str], dict[str, Any]]:
    """The ids of a page and its ``pagination``. ``order`` is ascending."""
    start = max(0, _START[request.page](order, request))
    end = start + request.limit
    if request.page == "PREV":
        end = min(end, bisect_left(order, request.cursor))
    ids = order[start:end]
    pagination = {
        "limit": request.limit,
        "current": ids[0] if ids else None,
        "next": ids[-1] if ids and end < len(order) else None,
        "page": request.page,
    }
    return ids, pagination


@lru_cache(maxsize=256)
def projection(paths: tuple[str, ...]) -> Projection:
    """A function from a whole asset to an item: only the leaves asked for, nulls left out, ``key`` always."""
    return _object(_tree(("key", *paths)))


def _tree(paths: Iterable[str]) -> Tree:
    tree: Tree = {}
    for path in paths:
        node = tree
        *sections, leaf = path.split(".")
        for section in sections:
            below = node.setdefault(section, {})
            node = below if below is not None else {}
        node[leaf] = None
    return tree


def _object(tree: Tree) -> Projection:
    leaves = tuple(name for name, below in tree.items() if below is None)
    sections = tuple((name, _section(below)) for name, below in tree.items() if below is not None)

    def project(node: dict[str, Any]) -> dict[str, Any]:
        get = node.get
        item = {name: value for name in leaves if (value := get(name)) is not None}
        for name, cut in sections:
            if (value := get(name)) is not None and (part := cut(value)):
                item[name] = part
        return item

    return project


def _section(tree: Tree) -> Callable[[Any], Any]:
    project = _object(tree)

    def cut(value: Any) -> Any:
        return [project(element) for element in value] if isinstance(value, list) else project(value)

    return cut


class SiteReader:
    """The read side of one site; ``fields()`` is what GraphQL resolves ``site`` with."""

    def __init__(self, store: LansweeperStore, switches: Switches) -> None:
        self._store = store
        self._switches = switches
        self._filtered: tuple[str, int, list[str]] = ("", -1, [])

    def fields(self) -> dict[str, Any]:
        return {
            "id": self._store.site_id,
            "name": self._store.site_name,
            "brandingName": self._store.site_name.title(),
            "assetResources": self.asset_resources,
            "assetDetails": self.asset_details,
            "assetTypes": self.asset_types,
            "customFields": lambda info: list(self._store.custom_fields.values()),
        }

    def asset_resources(
        self,
        info: GraphQLResolveInfo[Any],
        fields: list[str],
        assetPagination: dict[str, Any] | None = None,  # noqa: N803 - the vendor's argument name
        pagination: dict[str, Any] | None = None,
        filters: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One page of items; ``total`` with page FIRST only, unless the switch says with every page."""
        request = read_page(assetPagination or pagination)
        late = request.page != "FIRST" and not self._switches.total_on_every_page
        if late and _asks_for(info, "total"):
            raise RefusedError("The field total is only available when page is FIRST")  # text assumed
        unfilled = self._switches.unfilled_paths
        cut = projection(tuple(path for path in _checked_paths(fields) if path not in unfilled))
        order = self._matching(filters)
        ids, page = cut_page(order, request)
        items = [cut(self._store.by_id(asset_id)) for asset_id in ids]
        return {"items": items, "pagination": page, "total": len(order)}

    def asset_details(self, info: GraphQLResolveInfo[Any], key: str) -> dict[str, Any]:
        """One whole asset; refused with 404 for an unknown key."""
        asset = self._store.assets.get(key)
        if asset is None:
            raise unknown_asset(key)
        return asset

    def asset_types(self, info: GraphQLResolveInfo[Any]) -> list[str]:
        """The built-in names and whatever the site's own assets add."""
        found = {asset.get("assetBasicInfo", {}).get("type") for asset in self._store.assets.values()}
        return sorted({*ASSET_TYPES, *(name for name in found if name)})

    def _matching(self, filters: dict[str, Any] | None) -> list[str]:
        """The ids that pass the filters; the last answer is kept, since pages ask the same again."""
        switches = self._switches
        accepts = compile_filters(filters, switches.refused_filters, switches.unfilled_paths)
        if accepts is None:
            return self._store.order()
        name, revision = json.dumps([filters, switches.unfilled_paths], sort_keys=True), self._store.revision
        if self._filtered[:2] != (name, revision):
            order = [i for i in self._store.order() if accepts(self._store.by_id(i))]
            self._filtered = (name, revision, order)
        return self._filtered[2]


def _checked_paths(fields: list[str]) -> tuple[str, ...]:
    if len(fields) > MAX_PATHS:
        raise RefusedError(f"Maximum number of fields exceeded: {len(fields)} of {MAX_PATHS}")  # text assumed
    for path in fields:
        if path not in LEAF_PATHS:
            raise invalid_path(path)
    return tuple(fields)


def _asks_for(info: GraphQLResolveInfo[Any], name: str) -> bool:
    asked = [
        child for node in info.field_nodes if node.selection_set for child in node.selection_set.selections
    ]
    return any(isinstance(child, FieldNode) and child.name.value == name for child in asked)

"""Field paths of Lansweeper: cut into queries of at most 30, or written as a GraphQL selection."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.errors import RejectedError

#: Field paths that one assetResources query may ask for (reference, section 3).
MOST_PATHS = 30
KEY = "key"
#: What ``asset_details`` reads where nothing else is asked for.
DETAILS = (
    KEY,
    "url",
    *(
        f"assetBasicInfo.{name}"
        for name in ("name", "type", "mac", "ipAddress", "domain", "fqdn", "userName")
    ),
    *(f"assetBasicInfo.{name}" for name in ("description", "firstSeen", "lastSeen")),
    *(f"assetCustom.{name}" for name in ("manufacturer", "model", "serialNumber", "stateName", "location")),
    *(f"assetCustom.{name}" for name in ("purchaseDate", "warrantyDate")),
    *(f"assetCustom.fields.{name}" for name in ("fieldKey", "name", "value")),
    "operatingSystem.caption",
)
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
# Sections that are one object and no list.
_OBJECTS = frozenset({"", "assetBasicInfo", "assetCustom", "operatingSystem", "otData", "cloudAssetCustom"})
Tree = dict[str, "Tree"]


def path_groups(paths: Sequence[str]) -> list[list[str]]:
    """The paths in groups for one query each; every group has ``key``, by which the answers are joined.

    Paths below one list, such as softwares.name and softwares.version, stay in one query: the entries of a
    list have no key by which two answers could be joined.
    """
    single: list[str] = []
    together: dict[str, list[str]] = {}
    for path in dict.fromkeys(map(checked, paths)):
        parent = path.rpartition(".")[0]
        if parent in _OBJECTS:
            single.append(path)
        else:
            together.setdefault(parent, []).append(path)
    groups: list[list[str]] = [[KEY]]
    for unit in [*together.values(), *([path] for path in single if path != KEY)]:
        _place(unit, groups)
    return groups


def _place(unit: list[str], groups: list[list[str]]) -> None:
    """Puts paths into the first group with room for all; what no query can hold at once is cut."""
    for start in range(0, len(unit), MOST_PATHS - 1):
        part = unit[start : start + MOST_PATHS - 1]
        group = next((group for group in groups if len(group) + len(part) <= MOST_PATHS), None)
        if group is None:
            groups.append([KEY, *part])
        else:
            group.extend(part)


def checked(path: str) -> str:
    """The path, if it can be one; RejectedError otherwise, before anything is sent."""
    if not _PATH.fullmatch(path):
        raise RejectedError(
            f"{path!r} is no Lansweeper field path",
            system="Lansweeper",
            remedy="Write names with dots between them, such as assetBasicInfo.name.",
        )
    return path


def selection(paths: Sequence[str]) -> str:
    """The paths as a GraphQL selection: ``a.b, a.c`` is ``a { b c }``."""
    tree: Tree = {}
    for path in paths:
        branch = tree
        for name in checked(path).split("."):
            branch = branch.setdefault(name, {})
    return _written(tree)


def _written(tree: Tree) -> str:
    return " ".join(f"{name} {{ {_written(inner)} }}" if inner else name for name, inner in tree.items())

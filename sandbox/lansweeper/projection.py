"""Cuts assets down to the requested paths, compiled once for each list of paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

Tree = dict[str, "Tree | None"]
Projection = Callable[[dict[str, Any]], dict[str, Any]]


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

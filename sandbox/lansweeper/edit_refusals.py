"""Fault "partial" on edits: some of the ``editAsset`` fields of a mutation are refused, the others done.

``{"kind": "partial", "keys": [...]}`` refuses the edits of those assets, ``"share": 0.2`` every fifth edit of
all requests; ``message`` and ``status`` say with which words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from sandbox.faults import Fault
from sandbox.lansweeper.errors import RefusedError

Resolver = Callable[..., Any]
LOCKED = "The asset can not be edited right now"  # text assumed


class EditRefusals:
    """Counts the edits of all disturbed requests, so that a share of them is refused evenly."""

    def __init__(self) -> None:
        self._seen = 0

    def before(self, edit: Resolver, fault: Fault) -> Resolver:
        """The resolver of ``editAsset`` with the fault before it."""
        if fault.get("kind") != "partial":
            return edit

        def resolve(info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            if self._is_refused(fault, arguments["key"]):
                raise RefusedError(str(fault.get("message", LOCKED)), int(fault.get("status", 400)))
            return edit(info, **arguments)

        return resolve

    def _is_refused(self, fault: Fault, key: str) -> bool:
        if "keys" in fault:
            return key in fault["keys"]
        share = float(fault.get("share", 1))
        self._seen += 1
        return int(self._seen * share) > int((self._seen - 1) * share)

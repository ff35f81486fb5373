"""Which related records a mapping needs that the fetched record does not hold: each costs a request.

The mapping is tried with what is there, and every member that it asks for in vain is noted. So a choice such
as ``contactPhoneNumber || contact.defaultPhoneNbr`` costs nothing where the first has a value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tasks.rules.dispatch_actions import value_of
from tasks.rules.dispatch_paths import is_nothing, read_path
from tasks.rules.dispatch_words import DispatchMapping

RELATED = ("company", "contact", "site", "board", "member")
DESCRIPTION = "description"
ADDRESS = "address"
Document = Mapping[str, Any]


class _Noting(dict[str, Any]):
    """An object that notes under its own name that a member was asked for in vain."""

    def __init__(self, name: str, members: Mapping[str, Any], noted: set[str]) -> None:
        super().__init__(members)
        self._name = name
        self._noted = noted

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        if is_nothing(found):
            self._noted.add(self._name)
        return found


class _NotingDescription(dict[str, Any]):
    """A document that notes that its description was asked for."""

    def __init__(self, members: Mapping[str, Any], noted: set[str]) -> None:
        super().__init__(members)
        self._noted = noted

    def get(self, key: str, default: Any = None) -> Any:
        if key == DESCRIPTION:
            self._noted.add(DESCRIPTION)
        return super().get(key, default)


def reads_description(lines: Sequence[DispatchMapping], document: Document) -> bool:
    """Whether some line reads the description, which is a note of its own."""
    return DESCRIPTION in _asked_for(lines, document)


def related_needed(
    lines: Sequence[DispatchMapping], document: Document, fetched: Collection[str] = ()
) -> list[str]:
    """Names of ``RELATED``, in that order, whose whole records are to be fetched for this document.

    Ask again once they are laid into it: a site without an address makes the company needed.

    Args:
        document: a ``dispatch_source``.
        fetched: those that are in it already, or could not be had.
    """
    asked = _asked_for(lines, document)
    if ADDRESS in asked:
        asked |= _for_address(document, fetched)
    return [name for name in RELATED if name in asked and name not in fetched and _has_id(document, name)]


def _asked_for(lines: Sequence[DispatchMapping], document: Document) -> set[str]:
    noted: set[str] = set()
    objects = {name: _Noting(name, document.get(name) or {}, noted) for name in (*RELATED, ADDRESS)}
    noting = _NotingDescription({**document, **objects}, noted)
    for line in lines:
        try:
            value_of(line, noting)
        except ValueError:
            # Often since a value is missing yet; what is wrong with it else is told when it is mapped.
            continue
    return noted


def _for_address(document: Document, fetched: Collection[str]) -> set[str]:
    """The site's address, and the company's where the record names no site or that one has none."""
    if not is_nothing(read_path(document, "address.addressLine1")):
        return set()
    names = (name for name in ("site", "company") if _has_id(document, name) and name not in fetched)
    return {name for name in [next(names, "")] if name}


def _has_id(document: Document, name: str) -> bool:
    return bool(read_path(document, f"{name}.id"))

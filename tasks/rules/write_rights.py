"""The rights to write that each flow needs, and which of them a security role of ConnectWise gives.

No vendor has a call that tries a right without writing. ConnectWise tells the levels of a role's modules,
where the API member may read them; Lansweeper and Field Nation tell nothing, so their rights are named as
untested.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.rules.connection_findings import Finding, FindingResult
from tasks.rules.values import folded

CHECK = "Rights to write"
_LEVELS = {"Add": "addLevel", "Edit": "editLevel", "Delete": "deleteLevel"}
_NAMES = ("moduleFunctionDescription", "moduleFunctionName", "moduleFunctionIdentifier")
_NOTHING = frozenset({"", "none", "0"})
_OWN = frozenset({"my", "mine"})


@dataclass(frozen=True, slots=True)
class ModuleRight:
    """A function of a role's module and what is to be allowed there; ``only``: when it is needed."""

    function: str
    rights: tuple[str, ...]
    only: str = ""

    def __str__(self) -> str:
        return f"{self.function}: {', '.join(self.rights)}{f' ({self.only})' if self.only else ''}"


RIGHTS: Mapping[str, tuple[ModuleRight, ...]] = {
    "asset-synchronization": (
        ModuleRight("Configurations", ("Add", "Edit")),
        ModuleRight("Table Setup", ("Add",), "to create types, statuses, manufacturers, locations"),
    ),
    "undo-run": (ModuleRight("Configurations", ("Edit", "Delete")),),
    "dispatch": (
        ModuleRight("Service Tickets", ("Edit",)),
        ModuleRight("Close Service Tickets", ("Edit",), "to set a closed status"),
        ModuleRight("Project Tickets", ("Edit",), "for project tickets"),
        ModuleRight("Opportunities", ("Edit",), "for opportunities"),
        ModuleRight("Time Entry", ("Add",), "for time entries"),
    ),
    "register-callbacks": (ModuleRight("Table Setup", ("Add", "Delete"), "Manage Hosted API"),),
}
"""By flow, as docs/setup.md names them. A role names its functions a little differently by version."""

LANSWEEPER_MUTATIONS: Mapping[str, str] = {
    "editAsset": "edit assets, for tickets-agreements-sla-sync",
    "createCustomField": "add custom fields, for tickets-agreements-sla-sync and lansweeper-custom-fields",
}
FIELD_NATION_RIGHTS = (
    "create, publish, change and cancel work orders and post messages, for dispatch; "
    "create webhooks, for register-callbacks"
)


def role_findings(label: str, settings: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """One finding a flow: the levels of the role, a note where one is missing or covers own records only."""
    levels = _levels(settings)
    return [_of_flow(label, flow, rights, levels) for flow, rights in RIGHTS.items()]


def untested_role(label: str, why: str) -> list[Finding]:
    """What each flow needs where the role can't be read, and why not."""
    needs = "; ".join(f"{flow} needs {', '.join(map(str, rights))}" for flow, rights in RIGHTS.items())
    return [Finding(label, CHECK, FindingResult.NOTE, f"Untested: {why} {needs}.")]


def mutation_findings(label: str, known: Iterable[str] | None) -> Finding:
    """Whether the schema has what is written with; ``known`` None: it was not told."""
    needed = "; ".join(LANSWEEPER_MUTATIONS.values())
    untested = f"Untested, since Lansweeper tells no rights: the token's role must be able to {needed}."
    if known is None:
        return Finding(label, CHECK, FindingResult.NOTE, untested)
    missing = sorted(set(LANSWEEPER_MUTATIONS) - set(known))
    if missing:
        details = f"Lansweeper does not offer {', '.join(missing)} to this token. It must be able to "
        details += f"{needed}."
        return Finding(label, CHECK, FindingResult.NOTE, details)
    details = f"Lansweeper offers {' and '.join(LANSWEEPER_MUTATIONS)}. {untested}"
    return Finding(label, CHECK, FindingResult.NOTE, details)


def untested_field_nation(label: str) -> Finding:
    """What dispatch needs of a Field Nation user."""
    details = f"Untested, since Field Nation tells no rights: the user must be able to {FIELD_NATION_RIGHTS}."
    return Finding(label, CHECK, FindingResult.NOTE, details)


def _levels(settings: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for each in settings:
        for name in _NAMES:
            if text := _plain(each.get(name)):
                found.setdefault(text, each)
    return found


def _of_flow(
    label: str, flow: str, rights: Iterable[ModuleRight], levels: Mapping[str, Mapping[str, Any]]
) -> Finding:
    missing: list[str] = []
    own: list[str] = []
    held: list[str] = []
    unknown: list[str] = []
    for right in rights:
        level = levels.get(_plain(right.function))
        if level is None:
            unknown.append(str(right))
            continue
        for word in right.rights:
            one = str(ModuleRight(right.function, (word,), right.only))
            given = _plain(level.get(_LEVELS[word]))
            (missing if given in _NOTHING else own if given in _OWN else held).append(one)
    parts = [
        f"The role lacks {'; '.join(missing)}." if missing else "",
        f"For own records only: {'; '.join(own)}." if own else "",
        f"Untested, since the role does not name it: {'; '.join(unknown)}." if unknown else "",
        f"It has {'; '.join(held)}." if held else "",
    ]
    bad = missing or own or unknown
    result = FindingResult.NOTE if bad else FindingResult.OK
    return Finding(label, f"{CHECK}: {flow}", result, " ".join(filter(None, parts)))


def _plain(value: Any) -> str:
    """A name without blanks and case: versions write them with and without."""
    return "".join(folded(str(value if value is not None else "")).split())

"""The choices that a run form offers, and which ConnectWise company a person's choice means.

A list ``enum`` in a parameter schema becomes a searchable dropdown in the Prefect UI. Only the schema of
the form is changed; defaults stay as they are, and the flows check what they are given by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tasks.rules.values import folded

ASK = "(ask when the run starts)"
"""The choice of no company: a run that a person started asks for it."""
ROW_CHOICE = "record"
"""The input of a table's row that takes the name of a record, see ``value_tables``."""
_SEPARATOR = ": "


@dataclass(frozen=True, slots=True)
class Choices:
    """What a form may offer; an empty list leaves the form as it is.

    Attributes:
        inputs: by the name of an input anywhere in a form (``company``, ``site_id``, ``connectwise``).
        values: by the name of an input that is a table: the names its rows may have (``types``).
    """

    inputs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)


def company_choices(companies: Iterable[Mapping[str, Any]]) -> list[str]:
    """``identifier: name`` of every company that is not deleted, in the order of their identifiers."""
    alive = [each for each in companies if not each.get("deletedFlag") and each.get("identifier")]
    shown = {_choice(str(each["identifier"]), str(each.get("name") or "")) for each in alive}
    return sorted(shown, key=str.casefold)


def site_choices(sites: Iterable[Mapping[str, Any]]) -> list[str]:
    """``id: name`` of every Lansweeper site, in the order of their names."""
    by_name = sorted(sites, key=lambda each: str(each.get("name") or "").casefold())
    return [_choice(str(each["id"]), str(each.get("name") or "")) for each in by_name]


def name_choices(records: Iterable[Mapping[str, Any]], member: str = "name") -> list[str]:
    """The names of the records that are active, without doubles, in alphabetic order."""
    names = {str(each.get(member) or "").strip() for each in records if not each.get("inactiveFlag")}
    return sorted(names - {""}, key=str.casefold)


def choice_value(choice: Any) -> Any:
    """The id in ``id: name``; what a person typed without a name stays as it is."""
    return choice.partition(_SEPARATOR)[0].strip() if isinstance(choice, str) else choice


def _choice(value: str, name: str) -> str:
    return f"{value}{_SEPARATOR}{' '.join(name.split())}" if name.strip() else value


def with_choices(schema: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    """The schema with dropdowns for every input of a known name; applied twice it gives the same.

    An input that may stay empty keeps that; an input's own default is always among the choices.
    """
    changed = deepcopy(dict(schema))
    for name, node in _inputs(changed):
        if offered := choices.inputs.get(name):
            _offer(node, offered)
        if offered := choices.values.get(name):
            _offer_in_rows(changed, node, offered)
    return changed


def _inputs(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every input of a form: those of the flow, and those of the models that they are made of.

    Blocks among the definitions are left out: theirs is a form of its own.
    """
    models = [each for each in (schema.get("definitions") or {}).values() if "block_type_slug" not in each]
    for model in [schema, *models]:
        for name, node in (model.get("properties") or {}).items():
            if isinstance(node, dict):
                yield name, node


def _offer(node: dict[str, Any], offered: Sequence[str]) -> None:
    """Of an input that may be of several types the text alternatives get the choices."""
    default = node.get("default")
    keep = [default] if isinstance(default, str) and default not in offered else []
    for each in node.get("anyOf") or [node]:
        if isinstance(each, dict) and each.get("type") == "string":
            each["enum"] = [*keep, *offered]


def _offer_in_rows(schema: dict[str, Any], node: dict[str, Any], offered: Sequence[str]) -> None:
    """The rows of each table have a model of their own, which the table refers to."""
    model = (node.get("items") or {}).get("$ref", "").rpartition("/")[2]
    row = (schema.get("definitions") or {}).get(model, {})
    if record := row.get("properties", {}).get(ROW_CHOICE):
        _offer(record, offered)


class CompanyNotFoundError(LookupError):
    """No company, or more than one, answers to what was typed; the text says which and the remedy."""


def company_terms(typed: str) -> list[str]:
    """What to search for: the text itself and, of a choice "identifier: name", the identifier."""
    text = typed.strip()
    identifier = text.partition(":")[0].strip()
    return list(dict.fromkeys(each for each in (text, identifier) if each))


def choose_company(typed: str, found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The company of that identifier, else the only one of that name or choice; case does not count.

    Raises:
        CompanyNotFoundError: there is none, or several answer to it.
    """
    alive = [each for each in found if not each.get("deletedFlag")]
    text, *identifier = [folded(each) for each in company_terms(typed)] or [""]
    by_name = [each for each in alive if text and _folded(each, "name") == text]
    by_choice = [each for each in alive if _folded(each, "identifier") in identifier]
    of_identifier = [each for each in alive if text and _folded(each, "identifier") == text]
    hits = of_identifier or by_name + [each for each in by_choice if each not in by_name]
    if len(hits) == 1:
        return hits[0]
    if hits:
        listed = ", ".join(f"{each.get('identifier')} (id {each['id']})" for each in hits)
        raise CompanyNotFoundError(f"Several companies are called {typed!r}: {listed}. Give the identifier.")
    raise CompanyNotFoundError(
        f"ConnectWise has no company with the identifier or name {typed!r} that this API member may see. "
        "Run List Companies to see them, and give one's identifier."
    )


def _folded(company: Mapping[str, Any], member: str) -> str:
    return folded(str(company.get(member) or ""))

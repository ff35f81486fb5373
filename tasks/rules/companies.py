"""Which ConnectWise company a person means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


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
    text, *identifier = [each.casefold() for each in company_terms(typed)] or [""]
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
    return str(company.get(member) or "").strip().casefold()

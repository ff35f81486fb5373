"""The companies of the configurations that links are wanted for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from connectors.errors import RejectedError


def by_company(configurations: Iterable[dict[str, Any]]) -> dict[int, list[int]]:
    """Ids of the configurations by company, each once.

    Raises:
        RejectedError: a configuration without an id or a company.
    """
    found: dict[int, dict[int, None]] = defaultdict(dict)
    for position, record in enumerate(configurations, start=1):
        record_id, company = _id(record), _id(record.get("company") or {})
        if record_id is None or company is None:
            raise RejectedError(
                f"Configuration {position} of the payload has no id or no company.id",
                remedy="Give the records as List of Configurations answers them.",
            )
        found[company][record_id] = None
    return {company: list(ids) for company, ids in found.items()}


def _id(record: dict[str, Any]) -> int | None:
    text = str(record.get("id"))
    return int(text) if text.isdecimal() else None

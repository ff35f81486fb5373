"""What Field Nation dropped of a create or update: unknown and misplaced members, silently. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

NOT_SHOWN = frozenset({"ignore_template", "require_ontime", "defaultTemplateId", "isUniversalTemplate"})
"""Members that a work order does not show again under the same name."""
_DATES = frozenset({"utc", "local"})


def dropped_fields(sent: Mapping[str, Any], work_order: Mapping[str, Any]) -> list[str]:
    """Dotted paths of sent values that the answered work order does not have.

    Absent, null and empty count alike; texts are compared without HTML entities and outer blanks, numbers by
    value, lists by their length. Moments are compared only as far as both are UTC or both local.
    """
    members = {name: value for name, value in sent.items() if name not in NOT_SHOWN}
    fields = members.pop("custom_fields", None)
    return [*_differences(members, work_order, ""), *_lost_values(fields, work_order.get("custom_fields"))]


def _differences(sent: Any, kept: Any, path: str) -> Iterator[str]:
    if _is_nothing(sent):
        return
    if isinstance(sent, Mapping):
        have = kept if isinstance(kept, Mapping) else {}
        for name, value in sent.items():
            if not (name in _DATES and name not in have and _DATES & set(have)):
                yield from _differences(value, have.get(name), f"{path}.{name}" if path else name)
    elif isinstance(sent, list):
        if not isinstance(kept, list) or len(kept) < len(sent):
            yield path
    elif not _same(sent, kept):
        yield path


def _lost_values(sent: Any, kept: Any) -> Iterator[str]:
    given, have = list(_values(sent)), dict(_values(kept))
    if not given and not _is_nothing(sent) and sent != {"results": []}:
        # Of another shape than groups of fields, so that the vendor saw no field in it.
        yield "custom_fields"
    for number, value in given:
        if not _is_nothing(value) and not _same(value, have.get(number)):
            yield f"custom_fields.{number}"


def _values(section: Any) -> Iterator[tuple[Any, Any]]:
    for group in _results(section):
        for field in _results(group):
            yield field.get("id"), field.get("value")


def _results(section: Any) -> list[Mapping[str, Any]]:
    found = section.get("results") if isinstance(section, Mapping) else None
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _same(sent: Any, kept: Any) -> bool:
    if isinstance(sent, bool) or isinstance(kept, bool):
        return bool(sent == kept)
    if isinstance(sent, int | float) and isinstance(kept, int | float):
        return abs(sent - kept) < 0.005
    return _plain(sent) == _plain(kept)


def _plain(value: Any) -> str:
    return html.unescape(str(value)).strip() if value is not None else ""

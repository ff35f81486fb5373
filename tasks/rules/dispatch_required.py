"""Which fields Field Nation needs before a work order can be published, and which of them are missing.

The list is that of the vendor's own connectors (reference, section 7.2): a template fills type of work, pay
and description; a remote or saved location needs no address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.rules.dispatch_paths import is_nothing, read_path

_ALWAYS = {"title": "title", "schedule.service_window.start": "start date and time"}
_SCHEDULE = {"schedule.service_window.mode": "schedule mode"}
_BY_TEMPLATE = {
    "description.html": "description",
    "types_of_work[0].id": "type of work",
    "pay.type": "pay type",
    "pay.base.amount": "pay base amount",
}
_ADDRESS = {
    "location.address1": "address",
    "location.city": "city",
    "location.state": "state",
    "location.zip": "zip",
    "location.country": "country",
}


def missing_fields(work_order: Mapping[str, Any]) -> list[str]:
    """What a create body lacks, in words, in the order of a form."""
    wanted = {**_ALWAYS, **_SCHEDULE}
    if not _has_template(work_order):
        wanted |= _BY_TEMPLATE
    mode = read_path(work_order, "location.mode")
    if mode == "location":
        wanted["location.saved_location.id"] = "saved location"
    elif mode != "remote":
        wanted |= {"location.mode": "location mode", **_ADDRESS}
    if read_path(work_order, "schedule.service_window.mode") == "between":
        wanted["schedule.service_window.end"] = "end date and time"
    return [words for path, words in wanted.items() if is_nothing(read_path(work_order, path))]


def missing_message(missing: Sequence[str]) -> str:
    """One sentence that names all that is missing, and the remedy."""
    *first, last = missing
    named = f"{', '.join(first)} and {last}" if first else last
    return f"The work order lacks {named}. Map them, give them a default, or name a template that has them."


def _has_template(work_order: Mapping[str, Any]) -> bool:
    chosen = not is_nothing(read_path(work_order, "template.id"))
    return chosen and not read_path(work_order, "ignore_template")

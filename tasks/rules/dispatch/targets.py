"""The targets of a dispatch mapping: the paths it may write, how values are made to fit, what is required.

Field Nation's are the members of a work order's create and update (vendor's schema ``WorkOrderCreateDto``);
``description`` and ``confidential`` take plain text, their ``.html`` takes HTML as it stands. States and
countries are two letters each; another country than US isn't found.

What Field Nation needs before a work order can be published is the list of the vendor's own connectors
(docs/vendors.md, Field Nation 7.2): a template fills type of work, pay and description; a remote or saved
location needs no address.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from connectors.field_nation.models import CONTACT_ROLES
from tasks.rules.dispatch.mapping_actions import single_text
from tasks.rules.dispatch.paths import is_nothing, read_path
from tasks.rules.dispatch.regions import country_code, state_code
from tasks.rules.values import Day, folded, read_boolean, read_date_time, read_number

DAY_BEGINS = "08:00:00"
"""Local time at which a visit starts whose source is a day (``values.Day``, or a date without a time)."""
VISIT_YEARS = range(2000, 3000)
"""Years outside of these are typing errors, or fillers such as 9999-12-31 and 1900-01-01."""
WORK_ORDER_FIELD = "custom_fields."
LARGEST_ID = 2**31
"""Both vendors' ids have 32 bits; a longer number is another system's."""


class TargetValue(Enum):
    """What a target takes."""

    TEXT = auto()
    PLAIN_HTML = auto()
    NUMBER = auto()
    ID = auto()
    FLAG = auto()
    MOMENT = auto()
    STATE = auto()
    COUNTRY = auto()
    LOCATION_MODE = auto()
    WINDOW_MODE = auto()
    PAY_TYPE = auto()
    ROLE = auto()


CHOICES: dict[TargetValue, tuple[str, ...]] = {
    TargetValue.LOCATION_MODE: ("custom", "location", "remote"),
    TargetValue.WINDOW_MODE: ("exact", "between", "hours"),
    TargetValue.PAY_TYPE: ("fixed", "hourly", "device", "blended"),
    TargetValue.ROLE: CONTACT_ROLES,
}
_BY_KIND: dict[TargetValue, str] = {
    TargetValue.TEXT: "title incident_id description.html confidential.html location.address1 "
    "location.address2 location.city location.zip location.display_name contacts[].name contacts[].phone "
    "contacts[].ext contacts[].email contacts[].notes",
    TargetValue.PLAIN_HTML: "description confidential",
    TargetValue.NUMBER: "pay.hours pay.base.amount pay.base.units pay.additional.amount pay.additional.units",
    TargetValue.ID: "types_of_work[].id service_types[].id template.id client.id project.id manager.id "
    "location.type.id location.saved_location.id pay.finance.id schedule.time_zone.id",
    TargetValue.FLAG: "ignore_template require_ontime require_gps allow_counter_offers printable "
    "types_of_work[].isPrimary",
    TargetValue.MOMENT: "schedule.service_window.start schedule.service_window.end",
    TargetValue.STATE: "location.state",
    TargetValue.COUNTRY: "location.country",
    TargetValue.LOCATION_MODE: "location.mode",
    TargetValue.WINDOW_MODE: "schedule.service_window.mode",
    TargetValue.PAY_TYPE: "pay.type",
    TargetValue.ROLE: "contacts[].role",
}
WORK_ORDER_TARGETS: dict[str, TargetValue] = {
    path: kind for kind, paths in _BY_KIND.items() for path in paths.split(" ")
}
"""By path, the places of a list left open."""
_TICKET_PATHS = (
    "status.name status.id priority.name summary internalNote discussionNote resolutionNote actualHours "
    "dateResolved"
)
TICKET_TARGETS = frozenset(_TICKET_PATHS.split())
"""What may come back; further ``customFields.<caption>``. Notes and hours become records of their own."""
TICKET_MOMENTS = frozenset({"dateResolved"})
"""Those that take a moment, as ConnectWise writes it."""
LONGEST_TEXTS = {"summary": 100}
"""UTF-16 units that ConnectWise takes at most; a longer text is cut and ends with an ellipsis."""
_PLACE = re.compile(r"\[\d+\]")


def target_kind(target: str) -> TargetValue | None:
    """What a Field Nation target takes, None for one that does not exist."""
    if target.startswith(WORK_ORDER_FIELD):
        return TargetValue.TEXT if target[len(WORK_ORDER_FIELD) :].strip().isdecimal() else None
    return WORK_ORDER_TARGETS.get(_PLACE.sub("[]", target))


def fitted(kind: TargetValue, value: Any) -> Any:
    """The value as the target takes it; ValueError, in words, for one that can't be made to fit."""
    if kind in CHOICES:
        return _choice(CHOICES[kind], value)
    return _FITTERS[kind](value)


def near_targets(target: str, known: Iterable[str]) -> list[str]:
    """Up to three paths that look like one that does not exist."""
    by_name = {folded(each): each for each in known}
    close = difflib.get_close_matches(folded(_PLACE.sub("[]", target)), by_name, n=3, cutoff=0.5)
    return [by_name[name].replace("[]", "[0]") for name in close]


def _choice(allowed: tuple[str, ...], value: Any) -> str:
    text = single_text(value).strip()
    found = next((each for each in allowed if each.lower() == text.lower()), None)
    if found is None:
        raise ValueError(f"{text!r} is none of {', '.join(allowed)}")
    return found


def _text(value: Any) -> str:
    return single_text(value).strip()


def _plain_html(value: Any) -> str:
    lines = html.escape(_text(value), quote=False).splitlines()
    return "<p>" + "<br>".join(line.rstrip() for line in lines) + "</p>"


def _number(value: Any) -> int | float:
    found = read_number(value.strip().lstrip("$") if isinstance(value, str) else value)
    if found is None:
        raise ValueError(f"{str(value)[:60]!r} is no number")
    return found


def _id(value: Any) -> int:
    found = read_number(value)
    if not isinstance(found, int) or not 0 < found < LARGEST_ID:
        raise ValueError(
            f"{str(value)[:60]!r} is no id; ids are whole numbers of this Field Nation environment"
        )
    return found


def _flag(value: Any) -> bool:
    found = read_boolean(value)
    if found is None:
        raise ValueError(f"{str(value)[:60]!r} is neither true nor false")
    return found


def _moment(value: Any) -> dict[str, Any]:
    """Field Nation's own two shapes pass; a day starts at ``DAY_BEGINS``, midnight elsewhere is a moment."""
    if isinstance(value, dict) and set(value) in ({"utc"}, {"local"}):
        return value
    moment = read_date_time(value)
    if moment is None:
        raise ValueError(f"{str(value)[:60]!r} is no date; convert it with Date Convert")
    if moment.year not in VISIT_YEARS:
        raise ValueError(f"{str(value)[:60]!r} is no date of a visit")
    if len(str(value).strip()) == 10 or (isinstance(value, Day) and moment.strftime("%H%M%S") == "000000"):
        return {"local": {"date": moment.strftime("%Y-%m-%d"), "time": DAY_BEGINS}}
    return {"utc": moment.strftime("%Y-%m-%d %H:%M:%S")}


_FITTERS: dict[TargetValue, Callable[[Any], Any]] = {
    TargetValue.TEXT: _text,
    TargetValue.PLAIN_HTML: _plain_html,
    TargetValue.NUMBER: _number,
    TargetValue.ID: _id,
    TargetValue.FLAG: _flag,
    TargetValue.MOMENT: _moment,
    TargetValue.STATE: lambda value: state_code(_text(value)),
    TargetValue.COUNTRY: lambda value: country_code(_text(value)),
}

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
    if is_nothing(read_path(work_order, "template.id")) or read_path(work_order, "ignore_template"):
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

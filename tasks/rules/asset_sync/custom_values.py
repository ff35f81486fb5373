"""The values of custom fields that a reading shows, held against what is known and what ConnectWise counts.

A role, or one answer, can lose them while the records stay. A bulk PUT writes a record back whole, so a value
that was not read would be emptied. ``CustomValues`` tallies one reading; what it shows less than before or
less than ConnectWise counts is a finding, and a record of which that may be true goes by PATCH, which leaves
alone what it does not name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from connectors.ledger.models import KnownAmount
from tasks.rules.asset_sync.reading import CONFIGURATIONS, CUSTOM_VALUES, WHOLE, AcceptOnce
from tasks.rules.guards import Amount, GuardFinding, ShrinkLimit, acceptable, accepted, shrink_words
from tasks.rules.mapping.comparison import is_empty
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.values import ConfigurationRecord

ANY_VALUE = "value != null"
"""The custom field condition for a configuration that has a value in any custom field."""
_OF_FIELD = f"{CUSTOM_VALUES} "


class CustomValues:
    """The tally of one reading of a company.

    Attributes:
        shown: configuration id -> how many of its custom fields have a value.
        of_field: custom field id -> how many configurations have a value in it.
        captions: custom field id -> caption, of those that were seen.
    """

    def __init__(self) -> None:
        self.shown: dict[int, int] = {}
        self.of_field: Counter[int] = Counter()
        self.captions: dict[int, str] = {}

    def note(self, record: Mapping[str, Any]) -> None:
        """Count one record; one that comes twice counts once."""
        record_id, fields = record["id"], record.get("customFields") or ()
        if record_id in self.shown:
            return
        if not self.shown:
            # Every defined field is listed with or without a value, so one record tells the captions.
            self.captions |= {each.get("id"): str(each.get("caption") or "") for each in fields}
        found = [each for each in fields if each.get("value") is not None]
        self.shown[record_id] = len(found)
        for each in found:
            self.of_field[each.get("id")] += 1
            if each.get("id") not in self.captions:
                self.captions[each.get("id")] = str(each.get("caption") or "")

    @property
    def total(self) -> int:
        """The number by which a person accepts a reading."""
        return self.of_field.total()

    @property
    def with_values(self) -> int:
        return sum(map(bool, self.shown.values()))

    def is_bare(self, record_id: int) -> bool:
        """Whether the record was read and shows no value at all."""
        return self.shown.get(record_id) == 0

    def amounts(self, mapped: Collection[int | None], known: Iterable[tuple[str, str]]) -> dict[str, int]:
        """What the ledger keeps of the fields that this project does not write, by name."""
        before = {number for name, _ in known if (number := _field_of(name)) is not None}
        found = (self.of_field.keys() | before) - set(mapped)
        return {f"{_OF_FIELD}{number}": self.of_field[number] for number in sorted(found)}


def _field_of(name: str) -> int | None:
    number = name.removeprefix(_OF_FIELD)
    return int(number) if number != name and number.isdecimal() else None


def value_findings(
    values: CustomValues,
    amounts: Mapping[tuple[str, str], KnownAmount],
    mapped: Collection[int | None],
    defined: Collection[int] | None,
    accept: AcceptOnce,
    limit: ShrinkLimit,
) -> list[GuardFinding]:
    """A finding for each custom field whose values are fewer than last time by more than the limit.

    Of a company with fewer configurations than last time only as many values are expected: those are a
    finding of their own. A field that ConnectWise no longer defines has no values to lose.

    Args:
        mapped: ids of the mapped custom fields, whose values the runs themselves change.
        defined: ids of the custom fields that ConnectWise has; None: not known.
    """
    whole = amounts.get((CONFIGURATIONS, WHOLE))
    share = min(1.0, len(values.shown) / whole.number) if whole and whole.number else 1.0
    found: list[GuardFinding] = []
    for (name, _), known in sorted(amounts.items(), key=lambda each: each[0]):
        number = _field_of(name)
        if number is None or number in mapped or (defined is not None and number not in defined):
            continue
        read = values.of_field[number]
        if not Amount(name, "", int(known.number * share), read).shrank(limit):
            continue
        caption = values.captions.get(number) or f"id {number}"
        amount = Amount(name, f"Values of the custom field {caption!r}", known.number, read)
        text = shrink_words(amount, limit, known.read_at)
        found.append(acceptable(text, CUSTOM_VALUES, values.total, _is_accepted(values, accept)))
    return found


def hidden_values(
    values: CustomValues, counted: int, accept: AcceptOnce, limit: ShrinkLimit
) -> GuardFinding | None:
    """The finding for configurations that have values by ConnectWise's count and show none.

    As with asset keys no ledger is needed, so there is no number below which it is not compared.
    """
    every = ShrinkLimit(share=limit.share, minimum=0)
    if not Amount(CUSTOM_VALUES, "", counted, values.with_values).shrank(every):
        return None
    text = (
        f"Configurations with a value in any custom field: {values.with_values:,} read, but the vendor "
        f"counts {counted:,}. The values of the others can't be read, and writing those records back whole "
        "would empty them. See whether the API member's role still shows custom fields."
    )
    return acceptable(text, CUSTOM_VALUES, values.total, _is_accepted(values, accept))


def _is_accepted(values: CustomValues, accept: AcceptOnce) -> bool:
    return accepted(CUSTOM_VALUES, values.total, accept.model_dump())


def is_partial(record: Mapping[str, Any], mapping: CompiledMapping) -> bool:
    """Whether a record that was asked for whole has nothing but the members that the plan's reading asks for.

    Such an answer is that reading once more, out of a cache say: what it lacks is not empty.
    """
    return mapping.configuration_members.issuperset(record.keys() - {"company"})


def shows_less(
    shown: int | None, planned: ConfigurationRecord, fresh: Mapping[str, Any], mapping: CompiledMapping
) -> bool:
    """Whether a record that is read again shows less than it did for the plan: then it is not written whole.

    Args:
        shown: how many of its custom fields had a value then; None: not known.
    """
    fields = fresh.get("customFields") or ()
    if shown is not None and sum(each.get("value") is not None for each in fields) < shown:
        return True
    now = mapping.read_configuration(fresh).current
    return any(
        is_empty(new) and not is_empty(old)
        for old, new in zip(planned.current, now, strict=True)
        if old is not new
    )

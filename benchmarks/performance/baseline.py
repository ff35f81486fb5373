"""The bound of the match benchmark: a dict index written by hand for exactly one mapping.

It does by hand what the rules do for any mapping: one generated function reads the fields of a record,
the same normal forms and fillers, the same prefixes, dates without fractions, uniqueness on both sides,
stronger keys that contradict, comparison field by field with the same forgiveness. It leaves out what a
one-off would leave out: candidates and reasons of what it can't decide, and any choice of mapping.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from tasks.rules.mapping.addresses import mac_digits
from tasks.rules.mapping.fillers import FILLERS, FillerKind
from tasks.rules.mapping.identifiers import normal_mac, normal_name, normal_serial
from tasks.rules.values import plain_text

Values = tuple[Any, ...]
_ASSET = """
def read(r):
    b = r.get("assetBasicInfo") or {}
    c = r.get("assetCustom") or {}
    o = r.get("operatingSystem") or {}
    p = r.get("processors")
    return (
        text(b.get("name")), named(b.get("type"), "ls_"), named(c.get("stateName"), "ls_"),
        named(c.get("manufacturer"), ""), named(c.get("location"), ""), serial(c.get("serialNumber")),
        known(c.get("model")), mac(b.get("mac")), known(b.get("ipAddress")), date(c.get("purchaseDate")),
        date(c.get("warrantyDate")), known(b.get("userName")), known(o.get("caption")),
        known(o.get("version")), known(p[0].get("name")) if p else None, text(r.get("key")),
    )
"""
_CONFIGURATION = """
def read(r):
    t, s, m, l = r.get("type"), r.get("status"), r.get("manufacturer"), r.get("location")
    key = None
    for f in r.get("customFields") or ():
        if f.get("id") == 5:
            key = f.get("value")
    return (
        r.get("name"), t.get("name") if t else None, s.get("name") if s else None,
        m.get("name") if m else None, l.get("name") if l else None, r.get("serialNumber"),
        r.get("modelNumber"), r.get("macAddress"), r.get("ipAddress"), r.get("purchaseDate"),
        r.get("warrantyExpirationDate"), r.get("lastLoginName"), r.get("osType"), r.get("osInfo"),
        r.get("cpuSpeed"), key, r["id"],
    )
"""
_SERIAL, MAC, _NAME, TYPE, _KEY, _ID = 5, 7, 0, 1, 15, 16
DATES = (9, 10)


def text(value: Any) -> str | None:
    if value is None:
        return None
    return value.strip() or None if value.__class__ is str else plain_text(value)


_is_filler_text, _is_filler_mac = FILLERS.test_of(FillerKind.TEXT), FILLERS.test_of(FillerKind.MAC)


def known_text(value: Any) -> str | None:
    return None if value is None or _is_filler_text(value) else value.strip()


def serial(value: Any) -> str | None:
    return None if value is None or normal_serial(value) is None else plain_text(value)


def mac(value: Any) -> str | None:
    if value is None:
        return None
    known = value.strip()
    return None if _is_filler_mac(known) else known


def date(value: Any) -> str | None:
    """A Lansweeper date as ConnectWise writes it; this inventory has one form only."""
    return None if value is None else value[:19] + "Z"


def naming() -> Callable[[Any, str], str | None]:
    """Names with a prefix, none for fillers; each is looked at once."""
    known: dict[tuple[str, str], str | None] = {}
    is_filler = FILLERS.test_of(FillerKind.REFERENCE)

    def named(value: Any, prefix: str) -> str | None:
        if value is None:
            return None
        pair = (value, prefix)
        if pair not in known:
            name = plain_text(value)
            known[pair] = None if name is None or is_filler(name) else prefix + name
        return known[pair]

    return named


def generated(source: str) -> Callable[[Any], Values]:
    """The field access of one side, compiled from text."""
    scope: dict[str, Any] = {
        "text": text,
        "known": known_text,
        "serial": serial,
        "mac": mac,
        "date": date,
        "named": naming(),
    }
    exec(source, scope)  # noqa: S102
    read: Callable[[Any], Values] = scope["read"]
    return read


def match_and_diff(assets: Sequence[Any], configurations: Sequence[Any]) -> dict[str, int]:
    return compared(*extracted(assets, configurations))


def extracted(assets: Sequence[Any], configurations: Sequence[Any]) -> tuple[list[Values], list[Values]]:
    """The mapped values of both sides, in the same places."""
    read_asset, read_configuration = generated(_ASSET), generated(_CONFIGURATION)
    return [read_asset(asset) for asset in assets], [read_configuration(record) for record in configurations]


def compared(wanted: list[Values], current: list[Values]) -> dict[str, int]:
    pairs, unmatched, ambiguous = paired(wanted, current)
    changes = [found for asset, record in pairs if (found := _differences(asset, record))]
    return {
        "matched": len(pairs),
        "changed": len(changes),
        "fields": sum(len(found) for found in changes),
        "unmatched": unmatched,
        "ambiguous": ambiguous,
    }


def paired(wanted: list[Values], current: list[Values]) -> tuple[list[tuple[Values, Values]], int, int]:
    """Which belong together, and how many assets are unmatched and ambiguous."""
    by_link = {record[_KEY]: record for record in current if record[_KEY]}
    pairs = [(asset, by_link[asset[_KEY]]) for asset in wanted if asset[_KEY] in by_link]
    rest = [asset for asset in wanted if asset[_KEY] not in by_link]
    if not rest:
        return pairs, 0, 0
    taken = {record[_ID] for _, record in pairs}
    mine = [(normal_serial(a[_SERIAL]), normal_mac(a[MAC]), normal_name(a[_NAME])) for a in wanted]
    theirs = [(normal_serial(c[_SERIAL]), normal_mac(c[MAC]), normal_name(c[_NAME])) for c in current]
    forms = {asset[_KEY]: form for asset, form in zip(wanted, mine, strict=True)}
    ambiguous = set()
    for key in range(3):
        holders = Counter(form[key] for form in mine)
        index: dict[str, list[tuple[Values, Any]]] = {}
        for record, form in zip(current, theirs, strict=True):
            if value := form[key]:
                index.setdefault(value, []).append((record, form))
        left = []
        for asset in rest:
            form = forms[asset[_KEY]]
            found = index.get(form[key] or "", ())
            fits = [(r, f) for r, f in found if r[_ID] not in taken and _agrees(form, f, key)]
            if fits and len(found) == 1 and holders[form[key]] == 1:
                pairs.append((asset, fits[0][0]))
                taken.add(fits[0][0][_ID])
                continue
            if fits:
                ambiguous.add(asset[_KEY])
            left.append(asset)
        rest = left
    undecided = sum(asset[_KEY] in ambiguous for asset in rest)
    return pairs, len(rest) - undecided, undecided


def _agrees(mine: Values, theirs: Values, key: int) -> bool:
    return all(mine[k] is None or theirs[k] is None or mine[k] == theirs[k] for k in range(key))


def _differences(asset: Values, record: Values) -> list[tuple[int, Any, Any]]:
    if asset == record[:_ID]:
        return []
    return [
        (at, have, want)
        for at, (want, have) in enumerate(zip(asset, record, strict=False))
        if want != have and want is not None and at != TYPE and not _same(at, have, want)
    ]


def _same(at: int, have: Any, want: Any) -> bool:
    if have is None:
        return False
    if at == MAC and (digits := mac_digits(have)):
        return digits == mac_digits(want)
    if at in DATES:
        return bool(have[:19] == want[:19])
    return plain_text(have) == plain_text(want)

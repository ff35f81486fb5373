"""The same extract, match and diff by other means: DiffSync, and JMESPath expressions compiled once.

Both start from the same parsed records, do the whole work and must come to the same counts as ``baseline``.
DiffSync compares records of one identifier, so its pairs are found by the hand-written index first; its diff
is taken, its sync (one call a record) is not run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jmespath

from benchmarks import baseline
from benchmarks.baseline import DATES, MAC, TYPE, Row
from tasks.rules.asset_sync.keys import mac_digits, plain_text

Counts = dict[str, int]

_ASSET_PATHS = (
    "assetBasicInfo.name",
    "assetBasicInfo.type",
    "assetCustom.stateName",
    "assetCustom.manufacturer",
    "assetCustom.location",
    "assetCustom.serialNumber",
    "assetCustom.model",
    "assetBasicInfo.mac",
    "assetBasicInfo.ipAddress",
    "assetCustom.purchaseDate",
    "assetCustom.warrantyDate",
    "assetBasicInfo.userName",
    "operatingSystem.caption",
    "operatingSystem.version",
    "processors[0].name",
    "key",
)
_CONFIGURATION_PATHS = (
    "name",
    "type.name",
    "status.name",
    "manufacturer.name",
    "location.name",
    "serialNumber",
    "modelNumber",
    "macAddress",
    "ipAddress",
    "purchaseDate",
    "warrantyExpirationDate",
    "lastLoginName",
    "osType",
    "osInfo",
    "cpuSpeed",
    "customFields[?id==`5`].value | [0]",
    "id",
)
FIELDS = tuple(f"f{at}" for at in range(len(_ASSET_PATHS)) if at != TYPE)
"""The compared places of a row, as DiffSync's attributes; the type belongs to ConnectWise."""


def with_jmespath(assets: Sequence[Any], configurations: Sequence[Any]) -> Counts:
    """The hand-written index with every value read by a compiled JMESPath expression of its own."""
    forms = _normal_forms()
    asset_paths = [jmespath.compile(path) for path in _ASSET_PATHS]
    record_paths = [jmespath.compile(path) for path in _CONFIGURATION_PATHS]
    wanted = [
        tuple(form(path.search(asset)) for form, path in zip(forms, asset_paths, strict=True))
        for asset in assets
    ]
    current = [tuple(path.search(record) for path in record_paths) for record in configurations]
    return baseline.compared(wanted, current)


def _normal_forms() -> list[Callable[[Any], Any]]:
    named = baseline.naming()
    forms: list[Callable[[Any], Any]] = [baseline.text] * len(_ASSET_PATHS)
    forms[1] = forms[2] = lambda value: named(value, "ls_")
    forms[3] = forms[4] = lambda value: named(value, "")
    forms[5], forms[MAC] = baseline.serial, baseline.mac
    forms[DATES[0]] = forms[DATES[1]] = baseline.date
    return forms


def diffsync() -> Callable[[Sequence[Any], Sequence[Any]], Counts]:
    """The same by DiffSync, extracted by the generated function.

    Raises:
        ImportError: DiffSync is not installed; it belongs to the extra ``bench``.
    """
    from diffsync import Adapter, DiffSyncModel
    from pydantic import create_model

    base: Any = create_model("Base", __base__=DiffSyncModel, link=(str, ...), **_attributes())
    machine = type(
        "Machine", (base,), {"_modelname": "machine", "_identifiers": ("link",), "_attributes": FIELDS}
    )
    side = type("Side", (Adapter,), {"machine": machine, "top_level": ["machine"]})

    def load(rows: list[tuple[str, Row]]) -> Any:
        adapter = side()
        for link, row in rows:
            adapter.add(machine(link=link, **{name: row[int(name[1:])] for name in FIELDS}))
        return adapter

    def work(assets: Sequence[Any], configurations: Sequence[Any]) -> Counts:
        wanted, current = baseline.extracted(assets, configurations)
        pairs, _, ambiguous = baseline.paired(wanted, current)
        diff = load(_theirs(pairs, current)).diff_from(load(_mine(pairs, wanted)))
        return _counts(diff, len(pairs), ambiguous)

    return work


def _attributes() -> dict[str, Any]:
    return dict.fromkeys(FIELDS, (str | None, None))


def _mine(pairs: list[tuple[Row, Row]], wanted: list[Row]) -> list[tuple[str, Row]]:
    """What is wanted, in normal forms; where nothing is, what is there stays."""
    matched = {asset[15] for asset, _ in pairs}
    rows = []
    for asset, record in pairs:
        laid = tuple(have if want is None else want for want, have in zip(asset, record, strict=False))
        rows.append((f"c{record[16]}", _normal(laid)))
    return rows + [(f"a{asset[15]}", _normal(asset)) for asset in wanted if asset[15] not in matched]


def _theirs(pairs: list[tuple[Row, Row]], current: list[Row]) -> list[tuple[str, Row]]:
    return [(f"c{record[16]}", _normal(record)) for record in current]


def _normal(row: Row) -> Row:
    """Values that are equal where the rules call them the same: DiffSync knows no other comparison."""
    values = [plain_text(value) for value in row]
    values[MAC] = (mac_digits(row[MAC]) if row[MAC] else None) or values[MAC]
    for at in DATES:
        values[at] = row[at] and row[at][:19]
    return tuple(values)


def _counts(diff: Any, matched: int, ambiguous: int) -> Counts:
    summary = diff.summary()
    changed = [element for element in diff.get_children() if element.action == "update"]
    return {
        "matched": matched,
        "changed": len(changed),
        "fields": sum(len(element.get_attrs_diffs()["+"]) for element in changed),
        "unmatched": summary["create"] - ambiguous,
        "ambiguous": ambiguous,
    }

"""Extract, match and diff beside other means: an index written by hand, DiffSync, compiled JMESPath.

``python -m benchmarks.performance.peers [n]`` prints a table; ``measure(n)`` returns it. The time is process
CPU from parsed records to counted changes, the median of an odd number of runs, all in turn. All must come to
the same counts as ``baseline``. DiffSync compares records of one identifier, so its pairs are found by the
hand-written index first; its diff is taken, its sync (one call a record) is not run.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jmespath

from benchmarks.performance import baseline
from benchmarks.performance.baseline import DATES, MAC, TYPE, Values
from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import MatchOptions
from tasks.rules.mapping.addresses import mac_digits
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import default_mappings
from tasks.rules.values import plain_text

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
Counts = dict[str, int]
Way = Callable[[Sequence[Any], Sequence[Any]], Counts]


def with_jmespath(assets: Sequence[Any], configurations: Sequence[Any]) -> Counts:
    """The hand-written index with every value read by a compiled JMESPath expression of its own."""
    forms = _normal_forms()
    asset_paths = [jmespath.compile(path) for path in _ASSET_PATHS]
    record_paths = [jmespath.compile(path) for path in _CONFIGURATION_PATHS]
    reads = [*zip(forms, asset_paths, strict=True)]
    wanted = [tuple(form(path.search(asset)) for form, path in reads) for asset in assets]
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
    """The same by DiffSync, extracted by the generated function; ImportError without the extra ``bench``."""
    from diffsync import Adapter, DiffSyncModel
    from pydantic import create_model

    attributes: dict[str, Any] = dict.fromkeys(FIELDS, (str | None, None))
    base: Any = create_model("Base", __base__=DiffSyncModel, link=(str, ...), **attributes)
    machine = type(
        "Machine", (base,), {"_modelname": "machine", "_identifiers": ("link",), "_attributes": FIELDS}
    )
    side = type("Side", (Adapter,), {"machine": machine, "top_level": ["machine"]})

    def load(rows: list[tuple[str, Values]]) -> Any:
        adapter = side()
        for link, row in rows:
            adapter.add(machine(link=link, **{name: row[int(name[1:])] for name in FIELDS}))
        return adapter

    def work(assets: Sequence[Any], configurations: Sequence[Any]) -> Counts:
        wanted, current = baseline.extracted(assets, configurations)
        pairs, _, ambiguous = baseline.paired(wanted, current)
        theirs = load([(f"c{record[16]}", _normal(record)) for record in current])
        return _counts(theirs.diff_from(load(_mine(pairs, wanted))), len(pairs), ambiguous)

    return work


def _mine(pairs: list[tuple[Values, Values]], wanted: list[Values]) -> list[tuple[str, Values]]:
    """What is wanted, in normal forms; where nothing is, what is there stays."""
    matched = {asset[15] for asset, _ in pairs}
    rows = []
    for asset, record in pairs:
        laid = tuple(have if want is None else want for want, have in zip(asset, record, strict=False))
        rows.append((f"c{record[16]}", _normal(laid)))
    return rows + [(f"a{asset[15]}", _normal(asset)) for asset in wanted if asset[15] not in matched]


def _normal(row: Values) -> Values:
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


def with_rules(assets: Sequence[Any], configurations: Sequence[Any]) -> Counts:
    """The project's own rules, with the default mapping."""
    mapping = compile_mapping(default_mappings(), custom_field_ids={"ls_asset_id": 5})
    result = match(
        [mapping.read_asset(asset) for asset in assets],
        [mapping.read_configuration(record) for record in configurations],
        MatchOptions(complete=True),
    )
    found = (differences(each.asset, each.configuration, mapping) for each in result.matched)
    changes = [each for each in found if each]
    return {
        "matched": len(result.matched),
        "changed": len(changes),
        "fields": sum(len(each) for each in changes),
        "unmatched": len(result.unmatched),
        "ambiguous": len(result.ambiguous),
    }


def measure(
    n: int = 15_000, *, runs: int = 3, linked: bool = False, others: Mapping[str, Way] | None = None
) -> dict[str, Any]:
    """CPU seconds of both ways, their ratio and the counts, which must be the same.

    ``ratio`` is of the medians, ``best_ratio`` of the fastest runs: other work only slows them down.
    ``linked``: every configuration holds its asset's key, as from the second run on.
    """
    assets = make_assets(n)
    records = make_configurations(assets, linked=linked)
    ways: dict[str, Way] = {"baseline": baseline.match_and_diff, "rules": with_rules, **(others or {})}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    counts: dict[str, Counts] = {}
    for _ in range(runs):
        for name, work in ways.items():
            spent, counts[name] = _cpu(work, assets, records)
            seconds[name].append(spent)
    if any(each != counts["baseline"] for each in counts.values()):
        raise AssertionError(f"The ways differ in what they find: {counts}")
    median = {name: statistics.median(each) for name, each in seconds.items()}
    return {
        "n": n,
        "linked": linked,
        "runs": runs,
        "cpu_seconds": {name: round(value, 4) for name, value in median.items()},
        "fastest_cpu_seconds": {name: round(min(each), 4) for name, each in seconds.items()},
        "ratio": round(median["rules"] / median["baseline"], 3),
        "best_ratio": round(min(seconds["rules"]) / min(seconds["baseline"]), 3),
        "counts": counts["rules"],
    }


def measure_beside_peers(n: int = 15_000, *, runs: int = 5) -> dict[str, Any]:
    """The same beside DiffSync and JMESPath, by the rules' CPU time; ImportError without ``bench``."""
    found = measure(n, runs=runs, others={"diffsync": diffsync(), "jmespath": with_jmespath})
    for name in ("diffsync", "jmespath"):
        found[f"{name}_ratio"] = {
            way: round(found[part][name] / found[part]["rules"], 2)
            for way, part in (("median", "cpu_seconds"), ("fastest", "fastest_cpu_seconds"))
        }
    return found


def _cpu(work: Way, assets: Sequence[Any], records: Sequence[Any]) -> tuple[float, Counts]:
    gc.collect()
    gc.freeze()  # The collector walks what the work makes, not the two inventories and the test runner.
    try:
        start = time.process_time()
        counts = work(assets, records)
        return time.process_time() - start, counts
    finally:
        gc.unfreeze()


def measure_memory(n: int = 15_000, *, settled: bool = False) -> dict[str, float]:
    """MiB of both inventories, and added by match and diff; ``settled``: the run that finds no change."""
    assets = make_assets(n)
    records = settled_configurations(assets) if settled else make_configurations(assets, linked=True)
    mapping = compile_mapping(default_mappings(), custom_field_ids={"ls_asset_id": 5})
    tracemalloc.start()
    mine = [mapping.read_asset(asset) for asset in assets]
    theirs = [mapping.read_configuration(record) for record in records]
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    result = match(mine, theirs, MatchOptions(complete=True))
    found = (differences(each.asset, each.configuration, mapping) for each in result.matched)
    changes = [each for each in found if each]
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "kept_mib": round(kept / 2**20, 2),
        "added_mib": round((after - kept) / 2**20, 2),
        "added_peak_mib": round((peak - kept) / 2**20, 2),
        "changed": len(changes),
    }


CHANGED, NEW, ORPHANED = 0.10, 0.05, 0.05
_TYPES = ("Windows", "Linux", "Printer", "Switch", "OT")
_MAKERS = ("Dell", "HP", "Lenovo", "Rockwell Automation", "To be filled by O.E.M.")


def make_assets(count: int) -> list[dict[str, Any]]:
    """Assets as the Lansweeper API answers them, parsed, with the fifteen default fields."""
    return [_asset(number) for number in range(count)]


def settled_configurations(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What ConnectWise holds after a run: everything linked, nothing missing, nothing changed."""
    return [_configuration(asset, 0, linked=True, identity=number) for number, asset in enumerate(found)]


def make_configurations(found: list[dict[str, Any]], *, linked: bool) -> list[dict[str, Any]]:
    """What ConnectWise holds of them: 5 % missing, 10 % with another address and user, 5 % orphans on top.

    A tenth has no serial number there and is found by its MAC address, a tenth by its name only.
    ``linked`` fills ``ls_asset_id``, as after a first run. The order is shuffled, the seed is fixed.
    """
    count = len(found)
    known = [_configuration(asset, number, linked, number) for number, asset in enumerate(found)]
    known = known[: round(count * (1 - NEW))]
    gone = range(10_000_000, 10_000_000 + round(count * ORPHANED))
    records = known + [_configuration(_asset(number), number, linked, number) for number in gone]
    random.Random(7).shuffle(records)
    return records


def _asset(number: int) -> dict[str, Any]:
    return {
        "key": f"0f5ac0be-93e3-3a9d-8fcb-{number:012x}",
        "assetBasicInfo": {
            "name": f"WKS-{number:06d}",
            "type": _TYPES[number % len(_TYPES)],
            "mac": _mac(number, ":").upper(),
            "ipAddress": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "userName": f"BLUE\\user{number}",
        },
        "assetCustom": {
            "stateName": "Active",
            "manufacturer": _MAKERS[number % len(_MAKERS)],
            "location": f"Site {number % 40}",
            "serialNumber": f"SN{number:08X}",
            "model": f"Model {number % 300}",
            "purchaseDate": f"202{number % 5}-0{number % 9 + 1}-11T07:35:18.000Z",
            "warrantyDate": f"203{number % 5}-0{number % 9 + 1}-09T07:34:42.000Z",
        },
        "operatingSystem": {"caption": "Microsoft Windows 11 Pro", "version": "10.0.22631"},
        "processors": [{"name": "Intel(R) Core(TM) i7-1265U"}],
    }


def _mac(number: int, between: str) -> str:
    digits = f"001d{number:08x}"
    return between.join(digits[at : at + 2] for at in range(0, 12, 2))


def _configuration(asset: dict[str, Any], number: int, linked: bool, identity: int) -> dict[str, Any]:
    """The asset's record; the last digit of ``number`` says what is changed or missing in it."""
    info, custom = asset["assetBasicInfo"], asset["assetCustom"]
    changed = number % 10 == 3
    maker = custom["manufacturer"]
    return {
        "id": 1000 + identity,
        "name": info["name"],
        "type": {"id": 139, "name": f"ls_{info['type']}"},
        "status": {"id": 34, "name": "ls_Active"},
        "company": {"id": 6, "identifier": "BlueLightCo", "name": "Blue Light, Co."},
        "location": {"id": 2, "name": custom["location"]},
        "manufacturer": None if maker == _MAKERS[-1] else {"id": 5, "name": maker},
        "serialNumber": custom["serialNumber"] if number % 10 not in (4, 5) else None,
        "modelNumber": custom["model"],
        "macAddress": _mac(identity, "-") if number % 10 != 5 else "",
        "ipAddress": "10.255.0.1" if changed else info["ipAddress"],
        "lastLoginName": "somebody" if changed else info["userName"],
        "purchaseDate": custom["purchaseDate"].replace(".000", ""),
        "warrantyExpirationDate": custom["warrantyDate"].replace(".000", ""),
        "osType": "Microsoft Windows 11 Pro",
        "osInfo": "10.0.22631",
        "cpuSpeed": "Intel(R) Core(TM) i7-1265U",
        "activeFlag": True,
        "customFields": [
            {"id": 5, "caption": "ls_asset_id", "type": "Text", "value": asset["key"] if linked else None},
            {"id": 6, "caption": "ls_asset_url", "type": "Text"},
            {"id": 7, "caption": "ls_software", "type": "TextArea"},
        ],
        "_info": {"lastUpdated": "2025-10-11T07:35:18Z"},
    }


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 15_000
    for linked in (False, True):
        found = measure(n, linked=linked)
        print(f"{n} x {n}, {'linked' if linked else 'first run'}: {found}")
    for settled in (False, True):
        print(f"memory, {'nothing changed' if settled else 'linked'}: {measure_memory(n, settled=settled)}")


if __name__ == "__main__":
    main()

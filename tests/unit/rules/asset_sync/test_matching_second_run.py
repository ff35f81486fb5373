"""A plan applied perfectly leaves a second run nothing to do, whatever the values look like."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.match import match
from tasks.rules.asset_sync.match_result import MatchOptions, MatchResult
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.identifiers import plain_text
from tasks.rules.mapping.model import default_custom_field_mappings, default_mappings
from tasks.rules.values import ConfigurationRecord

# Small pools, so that values meet; odd writings, so that normal forms are needed.
SERIALS = st.sampled_from(
    [None, "", "S1", " S1", "s1", "S2", "S3", "S4", "None", "0000", "Default string", "S2\u200b"]
)
MACS = st.sampled_from(
    [None, "", "00:1d:9c:00:00:01", "00-1D-9C-00-00-01", "001d.9c00.0002", "00:1D:9C:00:00:03", "0:0",
     "00:00:00:00:00:00"]
)  # fmt: skip
NAMES = st.sampled_from(
    [None, " ", "PC", "pc", "PC ", "Büro", "Bu\u0308ro", "10.0.0.7", "localhost", "x", "\u200bx"]
)
KEYS = st.sampled_from(["k1", "k2", "k3"])
LINKS = st.none() | st.sampled_from(["k1", "k2", " k1\u200b", "gone"])
OPTIONS = st.builds(MatchOptions, case_sensitive=st.booleans(), complete=st.booleans())
MAPPING = compile_mapping(
    [*default_mappings(), *default_custom_field_mappings()],
    custom_field_ids={"ls_asset_id": 5, "ls_asset_url": 6, "ls_software": 7, "ls_asset_location": 8},
)
TEXTS = st.none() | st.text(max_size=6) | st.sampled_from([" a ", "Ä\u200d", "\ufeff", "a\r\nb", "İ", "N/A"])
DATES = st.none() | st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z") | TEXTS
ODD = TEXTS | st.integers(-5, 5) | st.floats(allow_nan=False) | st.booleans()


def nested(**sections: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {name: st.fixed_dictionaries({}, optional=members) for name, members in sections.items()}
    )


ASSETS = nested(
    assetBasicInfo={"name": NAMES | ODD, "type": ODD, "mac": MACS | TEXTS, "ipAddress": ODD, "userName": ODD},
    assetCustom={
        "stateName": ODD, "manufacturer": ODD, "location": ODD, "serialNumber": SERIALS | ODD, "model": ODD,
        "purchaseDate": DATES, "warrantyDate": DATES,
    },
    operatingSystem={"caption": ODD, "version": ODD},
)  # fmt: skip
SOFTWARE = st.lists(st.fixed_dictionaries({"name": TEXTS, "version": TEXTS}), max_size=3)


@st.composite
def wire_assets(draw: st.DrawFn) -> list[dict[str, Any]]:
    shown = KEYS | st.text(min_size=1).filter(plain_text)
    keys = draw(st.lists(shown, unique_by=plain_text, max_size=4))
    return [{"key": key, **draw(ASSETS), "softwares": draw(SOFTWARE)} for key in keys]


def record_of(identity: int, values: list[Any]) -> dict[str, Any]:
    """A wire record as ConnectWise would answer it, holding these values of the mapped fields."""
    record: dict[str, Any] = {"id": identity, "activeFlag": True, "customFields": []}
    for mapped, value in zip(MAPPING.fields, values, strict=True):
        if mapped.custom_field_id is not None:
            record["customFields"].append({"id": mapped.custom_field_id, "value": value})
        elif "." in mapped.path:
            record[mapped.target.field] = None if value is None else {"id": 1, "name": value}
        else:
            record[mapped.path] = value
    return record


def applied(result: MatchResult, theirs: list[ConfigurationRecord]) -> list[ConfigurationRecord]:
    """ConnectWise after every planned write was done as planned."""
    values = {each.id: list(each.current) for each in theirs}
    for each in result.matched:
        for change in differences(each.asset, each.configuration, MAPPING):
            position = MAPPING.position(change.field)
            assert position is not None
            values[each.configuration.id][position] = change.wanted
    for number, created in enumerate(result.unmatched):
        values[10_000 + number] = list(created.asset.wanted)
    return [MAPPING.read_configuration(record_of(identity, row)) for identity, row in values.items()]


@settings(max_examples=80, deadline=None)
@given(wire_assets(), wire_assets(), st.lists(LINKS, min_size=4, max_size=4), OPTIONS)
def test_a_second_run_finds_every_link_and_no_difference(
    mine: list[dict[str, Any]],
    theirs: list[dict[str, Any]],
    links: list[str | None],
    options: MatchOptions,
) -> None:
    wanted = [MAPPING.read_asset(each) for each in mine]
    rows = [[*MAPPING.read_asset(each).wanted[:-1], link] for each, link in zip(theirs, links, strict=False)]
    before = [MAPPING.read_configuration(record_of(at + 1, row)) for at, row in enumerate(rows)]
    first = match(wanted, before, options)
    settled = {each.asset.key for each in [*first.matched, *first.unmatched]}
    second = match(wanted, applied(first, before), options)
    linked = {each.asset.key: each for each in second.matched if each.matched_on == "link"}
    assert settled <= linked.keys()
    for key in settled:
        assert differences(linked[key].asset, linked[key].configuration, MAPPING) == []
    assert not {each.asset.key for each in second.unmatched} & settled

"""Reading assets from the sandbox's Lansweeper: pages, paths, limits, envelope, filters."""

from __future__ import annotations

import time
from typing import Any

import pytest

from deployments.local.sandbox import Sandbox
from sandbox.lansweeper.documents import RefusedError
from sandbox.lansweeper.reads import compile_filters
from tests.support.sandbox.lansweeper import FIRST_PAGE, Caller

NAME = "assetBasicInfo.name"
SOFTWARE = "name version publisher category installDate lastChanged operatingSystem architecture"
BASIC = "name type mac ipAddress userName domain fqdn lastSeen firstSeen lastChanged description"
CUSTOM = (
    "serialNumber model manufacturer stateName location purchaseDate warrantyDate department barCode comment"
)
HARDWARE = (
    "operatingSystem.caption operatingSystem.version processors.name memoryModules.size logicalDisks.size"
)
OTHERS = f"{HARDWARE} networks.defaultGateway softwares.name softwares.version"


def resources(response: Any) -> dict[str, Any]:
    return dict(response.json()["data"]["site"]["assetResources"])


def test_every_page_once_and_then_the_end(sandbox: Sandbox) -> None:
    caller = Caller(sandbox)
    first = resources(caller.page([NAME], query=FIRST_PAGE, limit=25, page="FIRST"))
    assert first["total"] == 60
    keys, page = [item["key"] for item in first["items"]], first
    while page["pagination"]["next"]:
        page = resources(caller.page([NAME], limit=25, page="NEXT", cursor=page["pagination"]["next"]))
        keys += [item["key"] for item in page["items"]]
    assert len(keys) == len(set(keys)) == 60
    assert page["pagination"] | {"current": None} == {
        "limit": 25,
        "current": None,
        "next": None,
        "page": "NEXT",
    }


def test_cursors_are_24_hex_digits_and_lead_back(sandbox: Sandbox) -> None:
    caller = Caller(sandbox)
    first = resources(caller.page([NAME], limit=20, page="FIRST", cursor=""))
    second = resources(caller.page([NAME], limit=20, page="NEXT", cursor=first["pagination"]["next"]))
    back = resources(caller.page([NAME], limit=20, page="PREV", cursor=second["pagination"]["current"]))
    last = resources(caller.page([NAME], limit=7, page="LAST"))
    assert back["items"] == first["items"]
    assert len(last["items"]) == 7
    assert len(bytes.fromhex(first["pagination"]["next"])) == 12


def test_a_cursor_survives_that_its_asset_goes(sandbox: Sandbox) -> None:
    caller = Caller(sandbox)
    first = resources(caller.page([NAME], limit=30, page="FIRST"))
    caller.site(f'deleteAssets(keys: ["{first["items"][-1]["key"]}"])', "mutation")
    rest = resources(caller.page([NAME], limit=500, page="NEXT", cursor=first["pagination"]["next"]))
    assert len(rest["items"]) == 30


def test_an_item_holds_the_leaves_asked_for_and_the_key(sandbox: Sandbox) -> None:
    items = Caller(sandbox).items([NAME, "assetCustom.serialNumber", "processors.name"])
    sections = {"key", "assetBasicInfo", "assetCustom", "processors"}
    assert all(set(item) <= sections and item["key"] for item in items)
    assert all(set(item["assetBasicInfo"]) == {"name"} for item in items)
    assert any("assetCustom" not in item for item in items), "a missing serial number is left out"
    assert all("name" in one for item in items for one in item.get("processors", []))


def test_dates_have_milliseconds_and_z(sandbox: Sandbox) -> None:
    dates = [
        item["assetBasicInfo"]["lastSeen"] for item in Caller(sandbox).items(["assetBasicInfo.lastSeen"])
    ]
    assert all(len(date) == 24 and date.endswith(".000Z") for date in dates)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (["assetBasicInfo.nmae"], "Invalid path: assetBasicInfo.nmae"),
        (["assetBasicInfo"], "Invalid path: assetBasicInfo"),
        ([f"assetBasicInfo.{n}" for n in range(31)], "Maximum number of fields exceeded: 31 of 30"),
    ],
)
def test_paths_that_are_refused(sandbox: Sandbox, fields: list[str], message: str) -> None:
    sandbox.switch(graphql_error_paths=False)
    response = Caller(sandbox).page(fields)
    assert response.status_code == 400
    assert response.headers["x-graphql-status"] == "fail"
    assert response.json() == {"errors": [{"message": message}], "data": {"site": {"assetResources": None}}}


@pytest.mark.parametrize(
    "page", [{"limit": 501}, {"limit": 0}, {"page": "NEXT"}, {"cursor": "x", "page": "NEXT"}]
)
def test_pages_that_are_refused(sandbox: Sandbox, page: dict[str, Any]) -> None:
    assert Caller(sandbox).page([NAME], **page).status_code == 400


def test_total_only_with_the_first_page(sandbox: Sandbox) -> None:
    caller = Caller(sandbox)
    cursor = resources(caller.page([NAME], limit=10))["pagination"]["next"]
    response = caller.page([NAME], query=FIRST_PAGE, limit=10, page="NEXT", cursor=cursor)
    assert response.status_code == 400
    assert "total" in response.json()["errors"][0]["message"]
    sandbox.switch(total_on_every_page=True)
    response = caller.page([NAME], query=FIRST_PAGE, limit=10, page="NEXT", cursor=cursor)
    assert resources(response)["total"] == 60


def test_the_vendors_other_paths_are_empty_and_not_invalid(sandbox: Sandbox) -> None:
    items = Caller(sandbox).items(["monitors.model", "citrixPoolInfo.appliances.name", "tenantId"])
    assert {tuple(item) for item in items} == {("key",)}


def test_more_than_4_mb_is_refused_and_fits_by_halves(sandbox: Sandbox) -> None:
    sandbox.reset(assets=500)
    caller = Caller(sandbox)
    fields = [f"softwares.{name}" for name in SOFTWARE.split()]
    response = caller.page(fields, limit=500)
    assert (response.status_code, response.headers["x-graphql-status"]) == (413, "fail")
    assert "4 MB" in response.json()["errors"][0]["message"]
    assert caller.page(fields, limit=125).status_code == 200


def test_a_page_of_500_by_30_paths_is_quick(sandbox: Sandbox) -> None:
    sandbox.reset(assets=600)
    fields = [f"assetBasicInfo.{name}" for name in BASIC.split()]
    fields += [f"assetCustom.{name}" for name in CUSTOM.split()] + ["url", *OTHERS.split()]
    caller, taken = Caller(sandbox), []
    assert len(fields) == 30
    for _ in range(3):
        start = time.perf_counter()
        assert len(resources(caller.page(fields, limit=500))["items"]) == 500
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.4, "well under 0.2 s on a quiet machine"


def test_an_empty_site_and_a_site_with_one_asset(sandbox: Sandbox) -> None:
    sandbox.reset(assets=0)
    empty = resources(Caller(sandbox).page([NAME], query=FIRST_PAGE, page="FIRST"))
    assert (empty["total"], empty["items"]) == (0, [])
    assert (empty["pagination"]["current"], empty["pagination"]["next"]) == (None, None)
    sandbox.reset(assets=1)
    assert resources(Caller(sandbox).page([NAME], query=FIRST_PAGE))["total"] == 1


def test_one_asset_in_detail(sandbox: Sandbox) -> None:
    key = Caller(sandbox).items(["key"])[9]["key"]
    response = Caller(sandbox).site(
        f'assetDetails(key: "{key}") {{ key url assetBasicInfo {{ name type }} }}'
    )
    details = response.json()["data"]["site"]["assetDetails"]
    assert details["assetBasicInfo"] == {"name": "166.246.143.187/1/7", "type": "OT"}
    assert details["url"].endswith(f"/asset/{key}/summary")
    assert Caller(sandbox).site('assetDetails(key: "nobody") { key }').status_code == 404


def test_sites_types_and_custom_fields(sandbox: Sandbox) -> None:
    caller = Caller(sandbox)
    sites = caller.post("{ authorizedSites { sites { id name } } me { profiles { site { id } } } }").json()[
        "data"
    ]
    assert sites["authorizedSites"]["sites"] == [{"id": caller.site_id, "name": "bluelight"}]
    assert sites["me"]["profiles"][0]["site"]["id"] == caller.site_id
    found = caller.site("assetTypes customFields { key name type }").json()["data"]["site"]
    assert {"OT", "Windows", "Printer"} <= set(found["assetTypes"])
    assert "Cost centre" in {field["name"] for field in found["customFields"]}


ASSET: dict[str, Any] = {
    "key": "k-1",
    "assetBasicInfo": {"name": "WKS-001", "type": "Windows", "lastSeen": "2026-04-01T08:00:00.000Z"},
    "operatingSystem": {"totalVisibleMemorySize": 8388608.0},
    "antiviruses": [{"name": "Defender", "enabled": True}, {"name": "Other", "enabled": False}],
}


def condition(path: str, operator: str, value: str) -> dict[str, str]:
    return {"path": path, "operator": operator, "value": value}


def accepts(*conditions: dict[str, str], conjunction: str | None = None, groups: Any = None) -> bool:
    filters = {"conditions": list(conditions), "conjunction": conjunction, "groups": groups}
    predicate = compile_filters(filters)
    assert predicate is not None
    return predicate(ASSET)


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("assetBasicInfo.type", "EQUAL", "Windows", True),
        ("assetBasicInfo.type", "EQUAL", "windows", False),
        ("assetBasicInfo.type", "NOT_EQUAL", "Linux", True),
        ("assetBasicInfo.mac", "NOT_EQUAL", "anything", True),
        ("assetBasicInfo.name", "LIKE", "wks", True),
        ("assetBasicInfo.name", "LIKE", "W%1", True),
        ("assetBasicInfo.name", "LIKE", "x", False),
        ("assetBasicInfo.type", "REGEXP", "^Windows$|^Linux$", True),
        ("assetBasicInfo.type", "REGEXP", "^Wind$", False),
        ("assetBasicInfo.mac", "EXISTS", "true", False),
        ("assetBasicInfo.mac", "EXISTS", "false", True),
        ("assetBasicInfo.lastSeen", "GREATER_THAN", "2026-03-01T00:00:00.000Z", True),
        ("assetBasicInfo.lastSeen", "SMALLER_THAN", "2026-04-01T08:00:00.000Z", False),
        ("assetBasicInfo.lastSeen", "SMALLER_THAN_OR_EQUAL", "2026-04-01T08:00:00.000Z", True),
        ("operatingSystem.totalVisibleMemorySize", "GREATER_THAN_OR_EQUAL", "9000", True),
        ("antiviruses.enabled", "EQUAL", "true", True),
        ("antiviruses.name", "EQUAL", "Other", True),
    ],
)
def test_operators(path: str, operator: str, value: str, expected: bool) -> None:
    assert accepts(condition(path, operator, value)) is expected


def test_conjunctions_and_groups() -> None:
    yes, no = condition("key", "EQUAL", "k-1"), condition("key", "EQUAL", "k-2")
    assert not accepts(yes, no)
    assert accepts(yes, no, conjunction="OR")
    assert accepts(yes, groups=[{"conditions": [no, yes], "conjunction": "OR"}])
    assert not accepts(yes, groups=[{"conditions": [no, yes]}])


@pytest.mark.parametrize("filters", [None, {}, {"conditions": [], "groups": []}])
def test_no_filter_at_all(filters: Any) -> None:
    assert compile_filters(filters) is None


def test_what_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"Invalid path: root\.nope for filter"):
        accepts(condition("nope", "EQUAL", "1"))
    with pytest.raises(RefusedError, match="Invalid regular expression"):
        accepts(condition("key", "REGEXP", "("))
    with pytest.raises(RefusedError, match="101 of 100"):
        accepts(*[condition("key", "EQUAL", str(n)) for n in range(101)])


SEEN, UPDATED = "assetBasicInfo.lastSeen", "assetBasicInfo.lastUpdated"


def since(sandbox: Sandbox, path: str, moment: str = "2026-06-01T00:00:00.000Z") -> set[str]:
    """The keys of the assets whose date at that path is this moment or later."""
    filters = {"conditions": [condition(path, "GREATER_THAN_OR_EQUAL", moment)]}
    return {item["key"] for item in Caller(sandbox).items([path], filters)}


def test_a_scan_moves_both_dates_and_an_edit_by_hand_or_by_the_api_only_the_last_change(
    sandbox: Sandbox,
) -> None:
    assert since(sandbox, SEEN) == since(sandbox, UPDATED) == set()
    scanned = {key for keys in sandbox.churn(0.1, ["rename", "move", "add"]).values() for key in keys}
    others = [each["key"] for each in sandbox.state("lansweeper/assets") if each["key"] not in scanned]
    sandbox.edit("lansweeper/assets", others[0], {"assetCustom.model": "Another"})
    Caller(sandbox).site(
        f'editAsset(key: "{others[1]}", fields: {{assetCustom: {{comment: "x"}}}}) {{ __typename }}',
        "mutation",
    )
    assert len(scanned) >= 3
    assert since(sandbox, SEEN) == scanned
    assert since(sandbox, UPDATED) == scanned | set(others[:2])


def test_a_server_may_refuse_a_filter_or_have_no_value_at_its_path(sandbox: Sandbox) -> None:
    sandbox.churn(0.1, ["rename"])
    sandbox.switch(refused_filters=[UPDATED])
    filters = {"conditions": [condition(UPDATED, "EXISTS", "true")]}
    refused = Caller(sandbox).page([NAME], filters=filters)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["message"] == f"Invalid path: root.{UPDATED} for filter"
    sandbox.switch(refused_filters=[], unfilled_paths=[UPDATED])
    assert since(sandbox, UPDATED) == set()
    assert since(sandbox, SEEN)
    assert all("assetBasicInfo" not in item for item in Caller(sandbox).items([UPDATED]))

"""Reading configurations and assets: the link, the texts of our own fields, and nothing read twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.errors import RetryableError
from tasks.enrichment import read
from tasks.enrichment.read import LinkReader, asset_key_of, asset_state
from tasks.enrichment.run import EnrichmentRun
from tasks.enrichment.settings import EnrichmentSettings
from tasks.lansweeper.list_assets import read_assets
from tasks.shared.action import Inventory
from tests.support.fake_lansweeper import SITE, FakeLansweeper, asset

pytestmark = pytest.mark.anyio


def record(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"id": 1, "name": "PC", "customFields": [{"id": 4, "caption": "Rack", "value": "R1"}, *fields]}


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ({"id": 5, "caption": "ls_asset_id", "value": " k1 "}, "k1"),
        ({"id": 5, "caption": " LS_Asset_ID ", "value": "k1"}, "k1"),
        ({"id": 5, "caption": "ls_asset_id", "value": None}, None),
        ({"id": 5, "caption": "ls_asset_id", "value": "  "}, None),
        ({"id": 5, "caption": "ls_asset_id"}, None),
    ],
)
def test_the_link_is_found_by_its_caption(field: dict[str, Any], key: str | None) -> None:
    reader = LinkReader(None, 6)
    kept = reader.read(record(field))
    assert asset_key_of(kept) == key
    assert kept["company"] == {"id": 6}
    assert reader.seen


def test_an_id_typed_by_hand_wins_over_the_caption() -> None:
    fields = (
        {"id": 5, "caption": "ls_asset_id", "value": "old"},
        {"id": 9, "caption": "Link", "value": "k1"},
    )
    assert asset_key_of(LinkReader(9, 6).read(record(*fields))) == "k1"


def test_without_the_field_there_is_no_key() -> None:
    reader = LinkReader(None, 6)
    assert asset_key_of(reader.read({"id": 1})) is None
    assert not reader.seen


def test_only_our_own_fields_are_kept_of_an_asset() -> None:
    item = {
        "key": "k1",
        "url": "https://app.example.test/k1",
        "assetBasicInfo": {"name": "PC"},
        "assetCustom": {
            "fields": [
                {"fieldKey": "f1", "value": "Gold"},
                {"fieldKey": "f2", "value": None},
                {"fieldKey": "theirs", "value": "x"},
                {"value": "y"},
            ]
        },
    }
    state = asset_state(item, {"f1": "cw_sla", "f2": "cw_agreement_name"})
    assert (state.key, state.name, dict(state.values)) == ("k1", "PC", {"cw_sla": "Gold"})


def test_an_asset_without_anything_is_one_without_texts() -> None:
    assert asset_state({"key": 7}, {}).values == {}


ASSETS = 1_200


class Exhausted:
    """A request budget of two requests, free again when it is asked for the second time."""

    def __init__(self) -> None:
        self.left = 2

    async def acquire(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise RetryableError("All requests are used", retry_after=0.01)


async def test_a_read_goes_on_at_the_page_where_it_had_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "read_assets", read_assets.fn)
    fake = FakeLansweeper([asset(number) for number in range(ASSETS)])
    async with fake.client(rate_limiter=Exhausted()) as client:
        run: Any = SimpleNamespace(
            assets=client,
            site_id=SITE,
            field_keys={},
            settings=EnrichmentSettings(company="Any"),
            notes=[],
            unread_assets={},
        )
        assets = await read.read_states(cast(EnrichmentRun, run))
    assert len(assets) == ASSETS
    assert [variables["page"].get("cursor") for variables in fake.variables()] == [None, "500", "1000"]


def test_configurations_of_another_company_are_left_out_and_the_run_is_refused_for_them() -> None:
    reader = LinkReader(None, 6)
    link = {"id": 5, "caption": "ls_asset_id", "value": "k1"}
    given = [
        {"id": number, "company": {"id": company}, "customFields": [link]}
        for number, company in ((1, 6), (2, 7), (1, 6))
    ]
    records = Inventory([reader.read(each) for each in given])
    run: Any = SimpleNamespace(company=SimpleNamespace(identifier="Blue"), notes=[], doubts=[])
    kept = read._of_the_company(cast(EnrichmentRun, run), records, reader)
    assert [each["id"] for each in kept] == [1]
    assert "also gave 1 configuration of other companies" in run.doubts[0]
    assert run.notes == ["ConnectWise gave 1 configuration more than once."]

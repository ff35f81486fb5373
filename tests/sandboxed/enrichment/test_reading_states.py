"""Reading the texts of every asset: what is read before the request limit is reached is not read again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.errors import RetryableError
from tasks.enrichment import read
from tasks.enrichment.run import EnrichmentRun
from tasks.enrichment.settings import EnrichmentSettings
from tasks.lansweeper.list_assets import read_assets
from tests.support.fake_lansweeper import SITE, FakeLansweeper, asset

pytestmark = pytest.mark.anyio
ASSETS = 1_200


class Exhausted:
    """A request budget of two requests, free again when it is asked for the second time."""

    def __init__(self) -> None:
        self.left = 2

    async def take(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise RetryableError("All requests are used", retry_after=0.01)


async def test_a_read_goes_on_at_the_page_where_it_had_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "read_assets", read_assets.fn)
    fake = FakeLansweeper([asset(number) for number in range(ASSETS)])
    async with fake.client(rate_limiter=Exhausted()) as client:
        run: Any = SimpleNamespace(
            assets=client, site_id=SITE, field_keys={}, settings=EnrichmentSettings(company="Any"), notes=[]
        )
        assets = await read.read_states(cast(EnrichmentRun, run))
    assert len(assets) == ASSETS
    assert [variables["page"].get("cursor") for variables in fake.variables()] == [None, "500", "1000"]

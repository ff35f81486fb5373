"""An asset that names another company's configuration is looked at before it is overwritten."""

from __future__ import annotations

import pytest

from tasks.rules.enrichment.plan import ConfigurationName, build_enrichment_plan
from tasks.rules.enrichment.render import enrichment_plan_markdown
from tasks.rules.enrichment.texts import CONFIGURATION_URL, named_configuration, named_elsewhere
from tests.support.factories.enrichment import asset, facts, up_to_date

URL = "https://na.example.test/openrecord.rails?locale=en_US&recordType=ConfigFv&recid={}&companyName=acme"


@pytest.mark.parametrize(
    ("url", "number"),
    [
        (URL.format(9015), 9015),
        ("https://na.example.test/openrecord.rails?recid=7", 7),
        (URL.format(""), None),
        (URL.format("7x"), None),
        ("https://na.example.test/?precid=7", None),
        ("", None),
    ],
)
def test_the_configuration_is_read_from_the_address(url: str, number: int | None) -> None:
    assert named_configuration(asset(**{CONFIGURATION_URL: url})) == number


def test_only_claimed_assets_that_name_a_stranger_matter() -> None:
    assets = [asset(key, **{CONFIGURATION_URL: URL.format(key[1:])}) for key in ("k1", "k2", "k3")]
    assert named_elsewhere([*assets, asset("k4")], {"k1", "k2", "k4"}, {2, 4}) == {"k1": 1}


def test_an_asset_that_another_company_claims_is_contested_and_counted_once() -> None:
    rival = ConfigurationName(77, "SRV of CopperKettle", "k1")
    claims = [facts(1, "k1"), facts(2, "k2")]
    plan = build_enrichment_plan(claims, [asset("k1"), up_to_date(claims[1])], rivals={"k1": rival})
    assert plan.updates == []
    assert (plan.counts.contested, plan.counts.unchanged) == (1, 1)
    assert "SRV of CopperKettle (77)" in enrichment_plan_markdown(plan)

"""The campaign's own computation of the eleven texts: the odd cases, and that the flow comes to the same."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.performance.enrichment_model import (
    FIELDS,
    TYPES,
    EnrichmentModel,
    configuration_address,
    texts_of,
)
from connectors.connectwise.settings import record_address
from tasks.rules.enrichment.answers import agreement_rank, shown_agreement, sla_of
from tasks.rules.enrichment.texts import FIELD_TYPES, ConfigurationFacts, TextLimits, wanted_texts
from tests.support.benchmarks.enriched_world import HeldSandbox


def agreement(number: int, **members: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Agreement {number}",
        "type": {"name": "Block; Time"},
        "agreementStatus": "Active",
        "startDate": "2000-09-29T00:00:00Z",
        "endDate": "2028-09-30T00:00:00Z",
        **members,
    }


def test_one_agreement_and_two_tickets() -> None:
    tickets = [{"closedFlag": True}, {"closedFlag": False}, {}]
    texts = texts_of({"sla": {"name": "Gold"}}, [agreement(538)], tickets, "https://na.example.test/1")
    assert list(texts.values()) == [
        *("3", "2", "1", "https://na.example.test/1"),
        *("538", "Agreement 538", "Block, Time", "Active", "29/09/2000", "30/09/2028", "Gold"),
    ]


def test_active_ones_first_then_the_newest_start_then_the_id() -> None:
    found = [
        agreement(1, agreementStatus="Expired", startDate="2022-01-01T00:00:00Z"),
        agreement(5, startDate=None, noEndingDateFlag=True),
        agreement(4),
        agreement(3, sla={"name": "Plant"}),
        agreement(2, startDate="2010-01-01T00:00:00Z", endDate=None),
    ]
    texts = texts_of({}, found, [], "")
    assert texts["cw_agreement_id"] == "2; 3; 4; 5; 1"
    assert texts["cw_agreement_end_date"] == "; 30/09/2028; 30/09/2028; ; 30/09/2028"
    assert texts["cw_sla"] == "Plant"


def test_nothing_known_is_empty_and_totals_are_zero() -> None:
    texts = texts_of({}, [], [], "")
    assert set(texts) == set(FIELDS)
    assert [text for text in texts.values() if text] == ["0", "0", "0"]


def test_names_and_types_are_the_documented_ones() -> None:
    assert TYPES == FIELD_TYPES


@pytest.mark.parametrize("limits", [(50, 4000), (1, 4000), (2, 4000), (50, 200)])
def test_the_flow_comes_to_the_same_texts(limits: tuple[int, int]) -> None:
    truth = EnrichmentModel(HeldSandbox())
    several = [agreement(each, name=f"{each} {'x' * 60};") for each in range(1, 6)]
    for number, record in truth.configurations.items():
        agreements = truth.agreements[number] + (several if number % 5 == 0 else [])
        shown = [shown_agreement(each) for each in agreements]
        facts = ConfigurationFacts(
            number, "", None, "u", sla_of(record, _ranked(shown)), shown, truth.tickets[number]
        )
        found = texts_of(
            record,
            agreements,
            truth.tickets[number],
            "u",
            {"agreements": limits[0], "characters": limits[1]},
        )
        assert found == wanted_texts(facts, TextLimits(agreements=limits[0], characters=limits[1]))


def _ranked(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(shown, key=agreement_rank)


@pytest.mark.parametrize(
    "site", ["http://127.0.0.1:8000", "api-na.myconnectwise.net", "https://eu.myconnectwise.net"]
)
def test_the_address_is_the_one_that_a_person_opens(site: str) -> None:
    assert configuration_address(site, "acme", 7) == record_address(site, "acme", "ConfigFv", 7)

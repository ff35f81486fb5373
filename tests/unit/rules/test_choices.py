"""Which company a person means by an identifier, a name or a line of the choice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.choices import CompanyNotFoundError, choose_company, company_terms


def company(record_id: int, identifier: str, name: str, **members: Any) -> dict[str, Any]:
    return {"id": record_id, "identifier": identifier, "name": name, **members}


BLUE = company(6, "BlueLightCo", "Blue Light, Co.")
NORTH = company(7, "Northwind", "Northwind Traders")
TWINS = [company(8, "Acme1", "Acme"), company(9, "Acme2", "Acme")]


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("BlueLightCo", ["BlueLightCo"]),
        ("  BlueLightCo ", ["BlueLightCo"]),
        ("BlueLightCo: Blue Light, Co.", ["BlueLightCo: Blue Light, Co.", "BlueLightCo"]),
        ("Acme: West: 2", ["Acme: West: 2", "Acme"]),
        (": Acme", [": Acme"]),
        ("  ", []),
    ],
)
def test_what_is_searched_for(typed: str, terms: list[str]) -> None:
    assert company_terms(typed) == terms


@pytest.mark.parametrize(
    "typed",
    ["BlueLightCo", " bluelightco ", "BLUELIGHTCO: Blue Light, Co.", "blue light, co.", "BlueLightCo:"],
)
def test_the_identifier_the_name_and_the_choice_all_lead_to_it(typed: str) -> None:
    assert choose_company(typed, [NORTH, BLUE]) is BLUE


def test_an_identifier_comes_before_a_name() -> None:
    named_so = company(10, "Other", "Northwind")
    assert choose_company("northwind", [named_so, NORTH]) is NORTH


def test_a_name_with_a_colon_is_not_taken_for_a_choice_of_another_company() -> None:
    west, acme = company(14, "AcmeWest", "Acme: West"), company(15, "Acme", "Acme")
    assert choose_company("Acme: West", [west]) is west
    with pytest.raises(CompanyNotFoundError, match=r"AcmeWest \(id 14\), Acme \(id 15\)"):
        choose_company("Acme: West", [acme, west])


def test_several_of_one_name_are_refused_with_their_identifiers() -> None:
    with pytest.raises(CompanyNotFoundError) as caught:
        choose_company("acme", TWINS)
    assert str(caught.value) == (
        "Several companies are called 'acme': Acme1 (id 8), Acme2 (id 9). Give the identifier."
    )
    assert choose_company("Acme2: Acme", TWINS) is TWINS[1]


@pytest.mark.parametrize("typed", ["", "  ", "Nobody", "6", "Blue"])
def test_no_company_is_refused_with_the_remedy(typed: str) -> None:
    with pytest.raises(CompanyNotFoundError, match="Run List Companies"):
        choose_company(typed, [BLUE, NORTH, company(11, "", "")])


def test_a_deleted_company_is_none() -> None:
    gone = company(12, "Gone", "Gone Ltd", deletedFlag=True)
    with pytest.raises(CompanyNotFoundError):
        choose_company("Gone", [gone])
    again = company(13, "Gone", "Gone Ltd", deletedFlag=False)
    assert choose_company("Gone", [gone, again]) is again


names = st.text(alphabet="aAbB: ", max_size=4)


@given(names, st.lists(st.tuples(names, names), max_size=5))
def test_the_order_of_the_companies_does_not_matter(typed: str, found: list[tuple[str, str]]) -> None:
    companies = [company(number, *each) for number, each in enumerate(found)]

    def chosen(of: list[dict[str, Any]]) -> Any:
        try:
            return choose_company(typed, of)["id"]
        except CompanyNotFoundError:
            return None

    assert chosen(companies) == chosen(companies[::-1])

"""Site, credentials and links: what a person pastes, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.connectwise.settings import base_address, record_address
from connectors.errors import StopError
from tests.support.fake_connectwise import SETTINGS


@pytest.mark.parametrize(
    ("site", "address"),
    [
        ("staging.connectwisedev.com", "https://api-staging.connectwisedev.com"),
        ("na.myconnectwise.net", "https://api-na.myconnectwise.net"),
        ("api-eu.myconnectwise.net", "https://api-eu.myconnectwise.net"),
        (" https://AU.myconnectwise.net/v4_6_release/ ", "https://api-au.myconnectwise.net"),
        ("http://na.myconnectwise.net", "https://api-na.myconnectwise.net"),
        ("connect.msp.example", "https://connect.msp.example"),
        ("connect.msp.example:8443/x?y=1", "https://connect.msp.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_pasted_site_becomes_the_api_s_address(site: str, address: str) -> None:
    assert base_address(site) == address
    assert base_address(address) == address


@pytest.mark.parametrize(
    "site", ["", "  ", "ftp://x.test", "user@x.test", "a b.test", "https://", "x.test:abc"]
)
def test_what_is_no_server_is_refused_with_a_remedy(site: str) -> None:
    with pytest.raises(StopError, match="site is") as caught:
        base_address(site)
    assert caught.value.remedy


@given(st.text(max_size=30))
def test_no_site_ever_leads_to_plain_http_elsewhere(site: str) -> None:
    try:
        address = base_address(site)
    except StopError:
        return
    assert address.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("company_id", "The company ID"),
        ("public_key", "The public key"),
        ("private_key", "The private key"),
        ("client_id", "The client ID"),
    ],
)
@pytest.mark.parametrize("value", ["", " \n", "two words", "schlüssel-9", "a\x00b"])
def test_an_empty_or_mangled_credential_is_named_but_not_shown(name: str, words: str, value: str) -> None:
    with pytest.raises(StopError, match=words) as caught:
        replace(SETTINGS, **{name: value})
    assert caught.value.remedy
    assert not value.strip() or value not in str(caught.value)


def test_a_login_pasted_into_one_field_is_refused() -> None:
    with pytest.raises(StopError, match="public key"):
        replace(SETTINGS, public_key="bluelight+Key:Secret")


def test_blanks_around_a_pasted_key_are_dropped() -> None:
    assert replace(SETTINGS, private_key=" PrivateKey654321\n").headers() == SETTINGS.headers()


def test_a_version_is_asked_for_only_if_set() -> None:
    pinned = replace(SETTINGS, api_version="2026.4").headers()
    assert pinned["Accept"] == "application/vnd.connectwise.com+json; version=2026.4"


def test_a_record_s_link_leads_to_the_site_that_people_use() -> None:
    assert SETTINGS.configuration_url(9015) == (
        "https://na.myconnectwise.net/v4_6_release/services/system_io/router/openrecord.rails"
        "?locale=en_US&recordType=ConfigFv&recid=9015&companyName=bluelight"
    )


def test_tickets_of_both_kinds_and_opportunities_have_pages_of_their_own() -> None:
    tickets = record_address(SETTINGS.site, SETTINGS.company_id, "ServiceFv", 5)
    assert tickets == SETTINGS.configuration_url(5).replace("ConfigFv", "ServiceFv")
    opportunities = record_address(SETTINGS.site, SETTINGS.company_id, "OpportunityFv", 5)
    assert opportunities == SETTINGS.configuration_url(5).replace("ConfigFv", "OpportunityFv")


def test_what_is_remembered_of_a_company_outlives_a_change_of_keys() -> None:
    renewed = replace(SETTINGS, public_key="Other", private_key="Key", client_id="Another")
    assert renewed.tenant_key == SETTINGS.tenant_key == "connectwise:api-na.myconnectwise.net:bluelight"
    assert replace(SETTINGS, company_id="BlueLight").tenant_key == SETTINGS.tenant_key
    assert replace(SETTINGS, company_id="redlight").tenant_key != SETTINGS.tenant_key
    assert replace(SETTINGS, site="eu.myconnectwise.net").tenant_key != SETTINGS.tenant_key


@pytest.mark.parametrize(
    "site",
    [
        "na.myconnectwise.net",
        "NA.MyConnectWise.net",
        "https://na.myconnectwise.net/",
        "http://api-na.myconnectwise.net",
        "api-na.myconnectwise.net:443",
        "https://na.myconnectwise.net:443/v4_6_release/apis/3.0",
        " na.myconnectwise.net\n",
        "na.myconnectwise.net.",
        "na.myconnectwise.net.:443",
    ],
)
def test_a_tenant_is_one_however_its_site_is_spelt(site: str) -> None:
    assert replace(SETTINGS, site=site).tenant_key == SETTINGS.tenant_key


def test_servers_that_differ_are_two_tenants() -> None:
    sites = ["na.myconnectwise.net", "eu.myconnectwise.net", "cw.example.com", "cw.example.com:8443"]
    sites += ["http://127.0.0.1:8099", "http://127.0.0.1:8100", "https://[::1]:8099", "https://[::1]"]
    assert len({replace(SETTINGS, site=site).tenant_key for site in sites}) == len(sites)
    own = replace(SETTINGS, site="cw.example.com").tenant_key
    assert replace(SETTINGS, site="https://CW.example.com:443/").tenant_key == own
    plain = replace(SETTINGS, site="http://127.0.0.1:80").tenant_key
    assert plain == replace(SETTINGS, site="http://127.0.0.1").tenant_key


def test_one_credential_has_one_budget_whatever_the_site_s_spelling() -> None:
    spelled = replace(SETTINGS, site="https://API-NA.myconnectwise.net/")
    assert spelled.credential_key == SETTINGS.credential_key
    assert replace(SETTINGS, public_key="Other").credential_key != SETTINGS.credential_key
    assert SETTINGS.public_key not in SETTINGS.credential_key

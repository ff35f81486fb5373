"""The ConnectWise block by Prefect's standards, and its connection check: what is wrong is told apart."""

from __future__ import annotations

import ssl

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from connectors.connectwise.block import ConnectWiseConnection, check_connection
from connectors.errors import ConnectionCheck
from tests.support.fake_connectwise import SETTINGS, Answer, FakeConnectWise, refusal

pytestmark = pytest.mark.anyio


FIELDS = {
    "site": "staging.connectwisedev.com",
    "company_id": "lansweeper_f",
    "public_key": "PublicKey0123456",
    "private_key": "PrivateKey654321",
    "client_id": "2f6b6d5c-0000-4000-8000-000000000001",
}


def test_every_field_has_a_title_and_a_sentence() -> None:
    for name, field in ConnectWiseConnection.model_fields.items():
        assert field.title, name
        assert (field.description or "").endswith("."), name


def test_keys_are_secrets() -> None:
    secrets = {
        name for name, field in ConnectWiseConnection.model_fields.items() if field.annotation is SecretStr
    }
    assert secrets == {"public_key", "private_key", "client_id"}


def test_the_block_is_described_and_its_example_can_be_read() -> None:
    assert ConnectWiseConnection.get_block_type_slug() == "connectwise-psa-connection"
    assert (ConnectWiseConnection.get_description() or "").endswith(".")
    example = ConnectWiseConnection.get_code_example()
    assert example is not None
    code = example.split("```python")[1].split("```")[0]
    body = "\n".join(f"    {line}" for line in code.splitlines())
    compile(f"async def example():\n{body}", "example", "exec")
    assert 'ConnectWiseConnection.load("BLOCK_NAME")' in code


def test_a_pasted_site_is_kept_as_the_api_s_server() -> None:
    block = ConnectWiseConnection(**{**FIELDS, "site": " https://staging.connectwisedev.com/v4_6_release "})
    assert block.site == "api-staging.connectwisedev.com"


@pytest.mark.parametrize(
    ("field", "words"), [("site", "site is empty"), ("company_id", "company ID is empty")]
)
def test_an_empty_field_is_named(field: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        ConnectWiseConnection(**{**FIELDS, field: " "})
    assert "PrivateKey" not in str(caught.value)


def test_a_key_of_the_wrong_kind_is_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        ConnectWiseConnection(**{**FIELDS, "private_key": ["PrivateKey654321"]})
    assert "PrivateKey" not in str(caught.value)


async def test_the_client_gets_what_the_block_holds() -> None:
    block = ConnectWiseConnection(**FIELDS)
    async with block.get_client(read_only=True) as client:
        assert client.session.read_only
        assert client.settings.base_url == "https://api-staging.connectwisedev.com"
        assert client.settings.private_key == "PrivateKey654321"


async def test_a_check_names_an_empty_key_without_sending_anything() -> None:
    result = await ConnectWiseConnection(**{**FIELDS, "client_id": ""}).check()
    assert not result.ok
    assert "client ID of ConnectWise PSA is empty" in result.message


def test_a_block_never_shows_its_keys() -> None:
    block = ConnectWiseConnection(**FIELDS)
    shown = f"{block!r} {block} {block.model_dump()} {block.model_dump_json()}"
    assert not any(FIELDS[name] in shown for name in ("public_key", "private_key", "client_id"))


COLLECTIONS = (
    "/company/configurations",
    "/company/configurations/types",
    "/company/configurations/statuses",
    "/company/companies",
    "/procurement/manufacturers",
    "/system/locations",
    "/system/userDefinedFields",
)


def fake_with_all() -> FakeConnectWise:
    return FakeConnectWise({path: [{"id": 1}] for path in COLLECTIONS})


async def check(fake: FakeConnectWise) -> ConnectionCheck:
    async with fake.client(read_only=True) as client:
        return await check_connection(client)


def untrusted() -> httpx.ConnectError:
    error = httpx.ConnectError("verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    return error


async def test_a_good_connection_names_the_company_and_reads_little() -> None:
    fake = fake_with_all()
    result = await check(fake)
    assert result == ConnectionCheck(True, "Connected to Blue Light, Co., ConnectWise version v4.6.100.")
    assert len(fake.seen) == 1 + len(COLLECTIONS)
    assert {request.url.params.get("pageSize") for request in fake.seen[1:]} == {"1"}


async def test_a_wrong_company() -> None:
    fake = fake_with_all()
    fake.info = None
    result = await check(fake)
    assert not result.ok
    assert "does not know the company 'bluelight'" in result.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(401, "Unauthorized", "UserNotAuthenticated"), "public and private key"),
        (refusal(404, "", ""), "wrong keys may also give 404"),
        (refusal(403, "Forbidden", "ClientID header is missing"), "client ID"),
        (untrusted(), "certificate can't be verified"),
        (httpx.ConnectError("no route"), "No connection could be made"),
    ],
)
async def test_what_stops_everything(answer: Answer, words: str) -> None:
    fake = fake_with_all()
    fake.say("GET", COLLECTIONS[0], *[answer] * 4)
    result = await check(fake)
    assert not result.ok
    assert words in result.message


async def test_every_missing_right_is_named() -> None:
    fake = fake_with_all()
    for path in COLLECTIONS[3:5]:
        fake.say("GET", path, refusal(403, "Security", "You do not have security permission."))
    result = await check(fake)
    assert not result.ok
    assert "may not read: companies, manufacturers" in result.message
    assert "security role" in result.message


async def test_no_check_shows_a_key() -> None:
    fake = fake_with_all()
    fake.say("GET", COLLECTIONS[0], refusal(401, "Unauthorized", f"no such key {SETTINGS.private_key}"))
    assert SETTINGS.private_key not in str(await check(fake))

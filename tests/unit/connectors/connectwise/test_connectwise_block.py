"""The ConnectWise block: Prefect's standards for blocks, offline, and what get_client hands out."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from connectors.connectwise.block import ConnectWiseConnection

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
    assert 'ConnectWiseConnection.aload("BLOCK_NAME")' in code


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

"""Settings and block: what is empty, mangled or in the wrong place is said before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.errors import StopError
from connectors.field_nation.block import FieldNationConnection
from connectors.field_nation.settings import FieldNationSettings

KEYS = {"client_id": "client-1", "client_secret": "secret-1", "username": "buyer", "password": "pass-1"}


def block(**changes: Any) -> FieldNationConnection:
    return FieldNationConnection.model_validate({**KEYS, **changes})


@pytest.mark.parametrize(
    ("environment", "api", "app"),
    [
        ("sandbox", "https://api-sandbox.fndev.net", "https://app-sandbox.fndev.net/workorders/7"),
        ("production", "https://api.fieldnation.com", "https://app.fieldnation.com/workorders/7"),
    ],
)
def test_each_environment_has_its_own_addresses(environment: str, api: str, app: str) -> None:
    settings = block(environment=environment).settings()
    assert (settings.base_url, settings.work_order_url(7)) == (api, app)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_an_empty_credential_is_named_with_its_remedy(name: str) -> None:
    with pytest.raises(StopError, match="is empty") as caught:
        block(**{name: ""}).settings()
    assert caught.value.remedy


def test_only_an_address_on_this_machine_takes_the_place_of_the_environments() -> None:
    assert block(base_address="http://127.0.0.1:99/").settings().base_url == "http://127.0.0.1:99"
    with pytest.raises(StopError, match="not on this machine"):
        block(base_address="https://api.fieldnation.example").settings()


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        block(environment="test", password="hush-hush")
    assert "hush-hush" not in str(caught.value)
    with pytest.raises(StopError, match="no environment 'test'"):
        FieldNationSettings(**KEYS, environment="test")  # type: ignore[arg-type]


def test_blanks_around_pasted_values_go_but_not_those_of_a_password() -> None:
    settings = FieldNationSettings(" client-1\n", "secret-1 ", " buyer ", " pass word ")
    assert (settings.client_id, settings.username, settings.password) == ("client-1", "buyer", " pass word ")


def test_the_budget_is_named_by_client_and_host_and_holds_no_credential() -> None:
    one, other = block().settings().credential_key, block(client_id="client-2").settings().credential_key
    assert one != other
    assert one == block(password="another").settings().credential_key
    assert "client-1" not in one
    assert one != block(environment="production").settings().credential_key


@pytest.mark.anyio
async def test_a_check_of_a_broken_block_says_so() -> None:
    result = await block(username="").check()
    assert not result.ok
    assert "user name" in result.message


def test_no_secret_shows() -> None:
    shown = repr(block(webhook_secret="hook-secret-1"))
    assert not any(secret in shown for secret in ("client-1", "secret-1", "pass-1", "hook-secret-1"))

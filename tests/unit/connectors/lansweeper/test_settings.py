"""Pasted tokens: how each kind is sent, and what is wrong with a mangled one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import StopError
from connectors.lansweeper.settings import LansweeperSettings, authorization
from tests.support.fake_lansweeper import sealed

PERSONAL = sealed("lsp_", {"pat": "d0eec9fdef3e07ddbcee", "site_region": {"a-b": "eu"}})
FLOW_BUILDER = sealed("lsf_", {"token": "d0eec9fdef3e07ddbcee", "siteId": "a-b", "region": "https://x"})
# Put together here, so that no checker of secrets takes it for one.
JWT = ".".join(["eyJhbGciOiJub25lIn0", "eyJzdWIiOiIxIn0", "c2lnbmF0dXJl"])


@pytest.mark.parametrize("token", [PERSONAL, FLOW_BUILDER, "0a1b2c3d4e5f60718293a4b5c6d7e8f9"])
def test_personal_and_flow_builder_tokens_are_sent_as_token(token: str) -> None:
    assert authorization(f"  {token}\n") == f"Token {token}"


def test_a_checksum_with_a_minus_sign_behind_its_zeroes_is_read() -> None:
    tokens = [sealed("lsf_", {"token": str(number), "siteId": "a-b"}) for number in range(20)]
    signed = [token for token in tokens if token[-11:].startswith("00-")]
    assert 0 < len(signed) < 20
    for token in tokens:
        assert authorization(token) == f"Token {token}"
    for token in signed:
        with pytest.raises(StopError, match="does not fit its checksum"):
            authorization(token[:-8] + token[-8:].translate(str.maketrans("01234567", "12345670")))


def test_oauth_tokens_are_sent_as_bearer() -> None:
    assert authorization(JWT) == f"Bearer {JWT}"


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        (f"Token {PERSONAL}", "begins with the name of a header"),
        (f"Authorization: Token {PERSONAL}", "begins with the name of a header"),
        ("Bearer", "begins with the name of a header"),
        (f'"{PERSONAL}"', "stands in quotes"),
        (f"{PERSONAL[:20]}\n{PERSONAL[20:]}", "blanks or line breaks in its middle"),
        (f"{PERSONAL[:20]} {PERSONAL[20:]}", "blanks or line breaks in its middle"),
        (f"{PERSONAL[:20]}é{PERSONAL[20:]}", "letters that no token has"),
        (PERSONAL[:-3], "its end was cut off"),
        (PERSONAL[:40], "its end was cut off"),
        ("lsp_", "its end was cut off"),
        ("lsf_eyJ0b2tlbiI6ImQwZWVjOWZkZWYzZTA3ZGRiY2VlZTZmNzk3MmZmYWYyOGZkNDFhMGU0YTdhYWU", "cut off"),
        (FLOW_BUILDER.replace("eyJ", "eyI", 1), "cut off|checksum"),
        (
            FLOW_BUILDER[:30] + ("B" if FLOW_BUILDER[30] != "B" else "C") + FLOW_BUILDER[31:],
            "cut off|checksum",
        ),
        (JWT.rpartition(".")[0], "three parts"),
    ],
)
def test_a_mangled_paste_gets_one_clear_error(token: str, words: str) -> None:
    with pytest.raises(StopError, match=words) as refused:
        authorization(token)
    assert "Copy the token again" in str(refused.value)
    assert "d0eec9fdef3e07ddbcee" not in str(refused.value)
    assert len(token) < 20 or token[8:20] not in str(refused.value)


@given(cut=st.integers(1, len(PERSONAL) - 5), token=st.sampled_from([PERSONAL, FLOW_BUILDER]))
def test_no_cut_token_passes(cut: int, token: str) -> None:
    with pytest.raises(StopError):
        authorization(token[:-cut])


@given(st.text())
def test_any_text_is_a_header_or_an_error(text: str) -> None:
    try:
        header = authorization(text)
    except StopError:
        return
    assert header.isascii()
    assert header.partition(" ")[2] == text.strip()


def test_settings_take_a_bare_server_name_and_never_show_the_token() -> None:
    settings = LansweeperSettings(f" {PERSONAL} ", endpoint="http://127.0.0.1:8000")
    assert settings.endpoint == "http://127.0.0.1:8000/api/v2/graphql"
    assert (settings.base_url, settings.path) == ("http://127.0.0.1:8000", "/api/v2/graphql")
    assert LansweeperSettings(PERSONAL, endpoint="api.lansweeper.com").endpoint.startswith("https://api.lans")
    assert PERSONAL[8:30] not in repr(settings) + settings.credential_key


def test_an_unencrypted_endpoint_is_refused() -> None:
    with pytest.raises(StopError, match="must begin with https"):
        LansweeperSettings(PERSONAL, endpoint="http://api.lansweeper.com/api/v2/graphql")


def test_a_site_is_one_tenant_whatever_the_token_and_the_spelling() -> None:
    one = LansweeperSettings(PERSONAL)
    other = LansweeperSettings("another-token", endpoint="https://API.lansweeper.com:443/api/v2/graphql")
    assert (
        one.tenant_key("Site-1") == other.tenant_key("site-1") == "lansweeper:api.lansweeper.com:site-site-1"
    )
    assert one.tenant_key("site-2") != one.tenant_key("site-1")
    assert one.credential_key != other.credential_key

"""Redaction: secrets in every form in which they travel, and query strings of addresses."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.redaction import Redactor

SECRET = 'p"r/i v+k%y'
WORDS = st.text(alphabet="abcdefghij \n", max_size=40)


@given(WORDS, WORDS)
def test_a_secret_vanishes_in_every_form(before: str, after: str) -> None:
    redact = Redactor([SECRET])
    for form in (SECRET, quote(SECRET), quote(SECRET, safe=""), json.dumps(SECRET)):
        text = redact(before + form + after)
        assert SECRET not in text
        assert quote(SECRET) not in text
        assert quote(SECRET, safe="") not in text
        assert json.dumps(SECRET)[1:-1] not in text


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redactor(["abcd", "abcdefgh"])("key abcdefgh") == "key ***"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET https://x.test/a?conditions=name%3D1 failed", "GET https://x.test/a failed"),
        ("at https://user:pass1@x.test/a", "at https://x.test/a"),
        ("header Basic YWJjK2RlZjpnaGk=", "header Basic ***"),
        ("header bearer abc.def1.ghi", "header bearer ***"),
        ("Token validation failed", "Token validation failed"),
        ("Is that all?", "Is that all?"),
    ],
)
def test_addresses_and_headers_are_cleaned(text: str, clean: str) -> None:
    assert Redactor()(text) == clean


def test_very_short_texts_are_not_secrets() -> None:
    assert Redactor(["", "a"])("a banana") == "a banana"


def test_a_redactor_never_shows_what_it_hides() -> None:
    assert SECRET not in repr(Redactor([SECRET]))

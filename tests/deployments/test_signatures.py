"""Signatures: the vendors' own constructions, and that nothing else passes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.receiver.signatures import (
    AHEAD,
    WINDOW,
    Verdict,
    delivery_of,
    is_allowed_key_url,
    verify_connectwise,
    verify_field_nation,
)
from sandbox.field_nation.webhooks import signature as sandbox_signature

NOW = 1_800_000_000.0
SECRET = "2f6b6d5c-0000-4000-8000-000000000009"
BODY = json.dumps({"Action": "updated", "ID": 101, "Entity": '{"summary": "ü"}'}).encode()


def connectwise(raw: bytes, key: str) -> str:
    """As the vendor's guide builds it, written apart from the code under test."""
    digest = hmac.new(hashlib.sha256(key.encode()).digest(), raw, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def headers(raw: bytes = BODY, secret: str = SECRET, sent: float = NOW, **more: str) -> dict[str, str]:
    stamp = str(int(sent * 1000))
    return {"X-FN-Signature": sandbox_signature(secret, raw), "X-FN-Request-Timestamp": stamp, **more}


def test_known_answers() -> None:
    """Computed once with openssl, so that both sides can't be wrong alike."""
    callback = "2P5ugu8P+WJqFxImlwA/l6MOomxD1EiS06BC3IwNbbE="
    webhook = "sha256=a777724d943eb48dc69bca8a4a6d57a04db3f9ec7e1de4e581e860265bdf3032"
    assert verify_connectwise(b"{}", callback, "key") is Verdict.GENUINE
    given = {**headers(), "X-FN-Signature": webhook}
    assert verify_field_nation(b"{}", given, "key", NOW) is Verdict.GENUINE


@given(st.binary(max_size=200), st.text(min_size=1, max_size=40))
def test_a_genuine_callback_passes_and_a_changed_one_does_not(raw: bytes, key: str) -> None:
    signature = connectwise(raw, key)
    assert verify_connectwise(raw, signature, key) is Verdict.GENUINE
    assert verify_connectwise(raw + b" ", signature, key) is Verdict.FORGED
    assert verify_connectwise(raw, signature, key + "x") is Verdict.FORGED


@pytest.mark.parametrize(
    ("signature", "verdict"),
    [
        (None, Verdict.UNSIGNED),
        ("  ", Verdict.UNSIGNED),
        ("not base64!", Verdict.FORGED),
        ("é", Verdict.FORGED),
        ("", Verdict.UNSIGNED),
        (base64.b64encode(b"short").decode(), Verdict.FORGED),
        (hmac.new(b"key", BODY, hashlib.sha256).hexdigest(), Verdict.FORGED),
    ],
)
def test_other_signatures_of_a_callback(signature: str | None, verdict: Verdict) -> None:
    assert verify_connectwise(BODY, signature, "key") is verdict


def test_without_a_key_nothing_is_genuine() -> None:
    assert verify_connectwise(BODY, connectwise(BODY, ""), "") is Verdict.FORGED
    assert verify_field_nation(BODY, headers(secret=""), "", NOW) is Verdict.FORGED


@given(st.binary(max_size=200), st.floats(-AHEAD + 1, WINDOW - 1))
def test_a_genuine_webhook_passes_within_the_window(raw: bytes, age: float) -> None:
    assert verify_field_nation(raw, headers(raw, sent=NOW - age), SECRET, NOW) is Verdict.GENUINE
    assert verify_field_nation(raw + b"x", headers(raw, sent=NOW - age), SECRET, NOW) is Verdict.FORGED


@pytest.mark.parametrize("stamp", [None, "", "soon", "-1", "1e12", "9" * 30, "١٢٣"])
def test_a_time_stamp_that_is_none_is_refused(stamp: str | None) -> None:
    given = {**headers(), "X-FN-Request-Timestamp": stamp or ""}
    assert verify_field_nation(BODY, given, SECRET, NOW) is Verdict.OLD


@pytest.mark.parametrize("age", [WINDOW + 1, -AHEAD - 1, 86_400.0])
def test_a_message_outside_of_the_window_is_refused(age: float) -> None:
    assert verify_field_nation(BODY, headers(sent=NOW - age), SECRET, NOW) is Verdict.OLD


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"X-FN-Signature": ""}, Verdict.UNSIGNED),
        ({"X-FN-Signature": "sha256="}, Verdict.FORGED),
        ({"X-FN-Signature": sandbox_signature(SECRET, BODY).removeprefix("sha256=")}, Verdict.FORGED),
        ({"X-FN-Signature": "sha256=ü"}, Verdict.FORGED),
        ({"X-FN-Signature": sandbox_signature(SECRET, BODY).upper()}, Verdict.GENUINE),
        ({"X-FN-Signature": sandbox_signature("other", BODY)}, Verdict.FORGED),
    ],
)
def test_other_signatures_of_a_webhook(changes: dict[str, str], verdict: Verdict) -> None:
    assert verify_field_nation(BODY, {**headers(), **changes}, SECRET, NOW) is verdict


def test_header_names_count_in_any_case() -> None:
    lower = {name.lower(): value for name, value in headers().items()}
    assert verify_field_nation(BODY, lower, SECRET, NOW) is Verdict.GENUINE


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (f"{SECRET}:3", SECRET),
        (SECRET, SECRET),
        (f" {SECRET.upper()}:12 ", SECRET),
        (f"{SECRET}:x", None),
        ("7:1", None),
        ("", None),
    ],
)
def test_a_delivery_counts_without_its_attempt(given: str, found: str | None) -> None:
    assert delivery_of({"X-FN-Delivery-Id": given}) == found


HOSTS = ["api-na.myconnectwise.net", "*.example.com"]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api-na.myconnectwise.net/v4_6_release/keys/1", True),
        ("https://API-NA.myconnectwise.net:443/x", True),
        ("https://keys.example.com/x", True),
        ("https://a.keys.example.com./x", True),
        ("https://example.com/x", False),
        ("https://notexample.com/x", False),
        ("https://.example.com/x", False),
        ("http://api-na.myconnectwise.net/x", False),
        ("https://api-na.myconnectwise.net:8443/x", False),
        ("https://api-na.myconnectwise.net@evil.test/x", False),
        ("https://user:pw@api-na.myconnectwise.net/x", False),
        ("https://evil.test/?api-na.myconnectwise.net", False),
        ("https://api-na.myconnectwise.net.evil.test/x", False),
        ("https://evil.test\\@api-na.myconnectwise.net/x", False),
        ("https://api-na.myconnectwise.net:x/", False),
        ("https://[::1/x", False),
        ("file:///etc/passwd", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_keys_come_only_from_hosts_of_the_list(url: Any, allowed: bool) -> None:
    assert is_allowed_key_url(url, HOSTS) is allowed


@given(st.text(max_size=60))
def test_no_address_breaks_the_check(text: str) -> None:
    allowed = is_allowed_key_url(f"https://{text}", ["no.such.host.test"])
    assert not allowed or text.lower().startswith("no.such.host.test")


@pytest.mark.parametrize(
    "path", ["documents/7/download", "%64ocuments/7", "x/../Documents/7", "attachments/7"]
)
def test_a_file_that_somebody_put_there_is_no_key(path: str) -> None:
    """Whoever can attach a file to a ticket would be believed by it."""
    assert not is_allowed_key_url(f"https://{HOSTS[0]}/v4_6_release/apis/3.0/system/{path}", HOSTS)

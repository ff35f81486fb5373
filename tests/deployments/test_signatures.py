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
SITE = "https://api-na.myconnectwise.net"
SYSTEM = "/v4_6_release/apis/3.0/system"
KEY_PATH = f"{SYSTEM}/callbackkeys/1"


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (f"{SITE}{KEY_PATH}", True),
        (f"https://API-NA.myconnectwise.net:443{KEY_PATH}", True),
        (f"https://keys.example.com{KEY_PATH}", True),
        (f"https://a.keys.example.com.{KEY_PATH}", True),
        (f"https://example.com{KEY_PATH}", False),
        (f"https://notexample.com{KEY_PATH}", False),
        (f"https://.example.com{KEY_PATH}", False),
        (f"http://api-na.myconnectwise.net{KEY_PATH}", False),
        (f"HTTPS://api-na.myconnectwise.net{KEY_PATH}", False),
        (f"{SITE}:8443{KEY_PATH}", False),
        (f"{SITE}@evil.test{KEY_PATH}", False),
        (f"https://user:pw@api-na.myconnectwise.net{KEY_PATH}", False),
        ("https://evil.test/?api-na.myconnectwise.net", False),
        (f"{SITE}.evil.test{KEY_PATH}", False),
        (f"https://evil.test\\@api-na.myconnectwise.net{KEY_PATH}", False),
        (f"{SITE}:x{KEY_PATH}", False),
        (f"{SITE}:99999999{KEY_PATH}", False),
        (f"https://api-na.myconnectwise\u3002net{KEY_PATH}", False),
        (f"https://api-n\u0430.myconnectwise.net{KEY_PATH}", False),
        (f"https://api-na.myconnectwise.net\x00.evil.test{KEY_PATH}", False),
        (f"https:/api-na.myconnectwise.net{KEY_PATH}", False),
        (f"//api-na.myconnectwise.net{KEY_PATH}", False),
        (f"\n{SITE}{KEY_PATH}", False),
        ("https://[::1/x", False),
        (f"https://[::1]{KEY_PATH}", False),
        ("file:///etc/passwd", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_keys_come_only_from_hosts_of_the_list(url: Any, allowed: bool) -> None:
    assert is_allowed_key_url(url, HOSTS) is allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (KEY_PATH, True),
        (f"{SYSTEM}/callbackkeys/1?x=1", True),
        (f"{SYSTEM}/callbacks/5/key", True),
        ("/v2025_1/apis/3.0/system/signing-keys/8a6f-1", True),
        ("", False),
        ("/", False),
        ("/v4_6_release/keys/1", False),
        (f"{SYSTEM}/members/1", False),
        ("/v4_6_release/apis/3.0/service/tickets/1/keys", False),
        ("/v4_6_release/apis/3.0/company/configurations?conditions=key", False),
        (f"{KEY_PATH}/", False),
        (f"{SYSTEM}//callbackkeys/1", False),
        (f"/{KEY_PATH}", False),
        (f"{SYSTEM}/../service/callbackkeys/1", False),
        (f"{SYSTEM}/./callbackkeys/1", False),
        (f"{SYSTEM}/callbackkeys/..", False),
        (f"{SYSTEM}/callbackkeys/%2e%2e/members", False),
        (f"{SYSTEM}/callbackkeys%2f1", False),
        (f"{SYSTEM}/callbackkeys%252f1", False),
        (f"{SYSTEM}/callbackkeys\\1", False),
        (f"{SYSTEM}/callbackkeys/1;key", False),
        (f"{SYSTEM}/callbackkeys/1#x", False),
        (f"{SYSTEM}/callbackkeys/1?x=%2e", False),
        (f"{SYSTEM}/callbackkeys/1?{'x' * 101}", False),
        (f"{SYSTEM.upper()}/callbackkeys/1", False),
        (f"{SYSTEM}/c\u0430llbackkeys/1", False),
        (f"{SYSTEM}/callbackkeys/{'1' * 65}", False),
        (f"{SYSTEM}/callbackkeys{'/1' * 9}", False),
        (f"{SYSTEM}/callbackkeys/1\x00", False),
        (f"{SYSTEM}/callbackkeys/1 ", False),
        ("/v4_6_release/apis/4.0/system/callbackkeys/1", False),
        ("/files/apis/3.0/system/callbackkeys/1", False),
    ],
)
def test_only_addresses_of_the_vendors_key_form_are_fetched(path: str, allowed: bool) -> None:
    """A path that somebody could have written a record or a file to would make him believed."""
    assert is_allowed_key_url(f"{SITE}{path}", HOSTS) is allowed


def test_another_form_of_key_paths_can_be_named() -> None:
    named = ["/v4_6_release/services/signing"]
    assert is_allowed_key_url(f"{SITE}/v4_6_release/services/signing/7", HOSTS, named)
    for path in ("/v4_6_release/services/signing/../x", "/v4_6_release/services/signingx/7"):
        assert not is_allowed_key_url(f"{SITE}{path}", HOSTS, named)


@given(st.text(max_size=60))
def test_no_address_breaks_the_check(text: str) -> None:
    allowed = is_allowed_key_url(f"https://{text}", ["no.such.host.test"])
    assert not allowed or text.lower().startswith("no.such.host.test")


@pytest.mark.parametrize(
    "path", ["documents/7/download", "%64ocuments/7", "x/../Documents/7", "attachments/7", "keys/Documents/7"]
)
def test_a_file_that_somebody_put_there_is_no_key(path: str) -> None:
    """Whoever can attach a file to a ticket would be believed by it."""
    assert not is_allowed_key_url(f"https://{HOSTS[0]}/v4_6_release/apis/3.0/system/{path}", HOSTS)

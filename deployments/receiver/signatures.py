"""Whether a message comes from the vendor: HMAC signatures over the raw body. Pure.

ConnectWise: ``x-content-signature`` = base64(HMAC-SHA256(key = SHA256(signing key text), raw body)); the key
comes from ``Metadata.key_url`` of the body, which is trusted only after its host was found in an allow list.
Field Nation: ``X-FN-Signature`` = ``sha256=`` and hex HMAC-SHA256(webhook secret, raw body); the time stamp
in ``X-FN-Request-Timestamp`` (Unix milliseconds) is not signed, so it only sorts out plain replays, and
neither is the delivery id. So a message counts once by its bytes too, for longer than its own time, which is
signed, lets it be believed: ``is_stale``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from tasks.rules.values import read_date_time

CONNECTWISE_HEADER = "x-content-signature"
FIELD_NATION_HEADER = "x-fn-signature"
TIMESTAMP_HEADER = "x-fn-request-timestamp"
DELIVERY_HEADER = "x-fn-delivery-id"
WINDOW = 1500.0
"""Seconds that a delivery's time stamp may lie behind: the vendor's retries last 1,270 s, and each one may
take 30 s. If a retry carries the time of the first attempt is not known."""
BODY_WINDOW = 15 * 86_400.0
"""Seconds that a webhook's own time may lie behind. Each retry carries the same body, and one that ended as a
dead letter can be sent again by hand as long as the vendor's log is kept: two weeks. The inbox remembers
acknowledged messages for twice as long, so what is captured is either known or too old."""
AHEAD = 300.0
"""Seconds that it may lie ahead, for clocks that disagree."""
_DELIVERY = re.compile(r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?::\d+)?")
_HTTPS = 443
_PLAIN_URL = re.compile(r"[a-z]{4,5}://[A-Za-z0-9.:\[\]-]{1,255}/[A-Za-z0-9./_=&?-]{0,400}")
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9._=&-]{0,100}")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}|3\.0")
_VERSION = re.compile(r"v[0-9]{1,4}_[0-9]{1,2}(_release)?")
_FILES = ("document", "download", "attachment")
"""Words of paths that give what somebody put there: a file that looks like a key would make its author one
that is believed."""
LONGEST_KEY_PATH = 8
"""Words."""
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{43}=")
"""base64 of 32 bytes."""
_HEX_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


class Verdict(StrEnum):
    """What a check found; everything but GENUINE is refused."""

    GENUINE = "genuine"
    UNSIGNED = "no signature"
    FORGED = "wrong signature"
    OLD = "old or missing time stamp"


def connectwise_head(signature: str | None) -> Verdict:
    """What the head alone says of a callback: GENUINE as long as it may be."""
    if not signature or not signature.strip():
        return Verdict.UNSIGNED
    return Verdict.GENUINE if _SIGNATURE.fullmatch(signature.strip()) else Verdict.FORGED


def field_nation_head(headers: Mapping[str, str], now: float) -> Verdict:
    """The same of a webhook. ``now``: seconds since 1970."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    signature = lower.get(FIELD_NATION_HEADER, "")
    if not signature:
        return Verdict.UNSIGNED
    if not _HEX_SIGNATURE.fullmatch(signature.lower()):
        return Verdict.FORGED
    return Verdict.GENUINE if _is_fresh(lower.get(TIMESTAMP_HEADER, ""), now) else Verdict.OLD


def verify_connectwise(raw: bytes, signature: str | None, signing_key: str) -> Verdict:
    """A callback of ConnectWise; ``signing_key`` is the text that the key address gave."""
    if not signature or not signature.strip():
        return Verdict.UNSIGNED
    try:
        given = base64.b64decode(signature.strip(), validate=True)
    except (binascii.Error, ValueError):
        return Verdict.FORGED
    key = hashlib.sha256(signing_key.encode()).digest()
    genuine = bool(signing_key) and hmac.compare_digest(given, hmac.digest(key, raw, "sha256"))
    return Verdict.GENUINE if genuine else Verdict.FORGED


def verify_field_nation(raw: bytes, headers: Mapping[str, str], secret: str, now: float) -> Verdict:
    """A webhook of Field Nation; an empty ``secret``: nothing is genuine. ``now``: seconds since 1970."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    signature = lower.get(FIELD_NATION_HEADER, "")
    if not signature:
        return Verdict.UNSIGNED
    expected = "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()
    if not secret or not hmac.compare_digest(signature.lower().encode(), expected.encode()):
        return Verdict.FORGED
    return Verdict.GENUINE if _is_fresh(lower.get(TIMESTAMP_HEADER, ""), now) else Verdict.OLD


def is_stale(stamp: object, now: float) -> bool:
    """Whether the time in a webhook's body is too long ago.

    A body without a readable time is not: nobody but the vendor can have left it out.
    """
    moment = read_date_time(stamp)
    return moment is not None and now - moment.timestamp() > BODY_WINDOW


def delivery_of(headers: Mapping[str, str]) -> str | None:
    """The delivery's uuid without its attempt, by which a message counts once; None without a proper one."""
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    found = _DELIVERY.fullmatch(lower.get(DELIVERY_HEADER, ""))
    return found[1].lower() if found else None


def is_allowed_key_url(url: object, hosts: Collection[str], paths: Collection[str] = ()) -> bool:
    """Whether a signing key may be fetched from an address that the message itself names.

    Only https on its usual port, without a user name, from a host of the list (``*.example.com`` names every
    host below), and only at a path of the vendor's form or below one of ``paths``: see ``is_key_path``.
    Everything else could be the forger's own server, or a service inside the network.
    """
    parts = plain_address(url)
    if parts is None or parts.scheme != "https" or not is_key_path(parts.path, paths):
        return False
    try:
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    return port in (None, _HTTPS) and any(_is_host(host, allowed.strip().lower()) for allowed in hosts)


def plain_address(url: object) -> SplitResult | None:
    """The parts of an address that every program reads alike; None for every other one.

    No user name, no fragment, no blank or backslash, nothing beyond ASCII, in the query nothing encoded.
    """
    if not isinstance(url, str) or not _PLAIN_URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts if parts.hostname and _PLAIN_QUERY.fullmatch(parts.query) else None


def is_key_path(path: str, further: Collection[str] = ()) -> bool:
    """Whether a path has the form of ConnectWise's signing keys: ``.../system/`` and a word that says key.

    No documented record of the API lies at such a path, so whatever strangers may have written down or put
    there is never fetched and taken for a key. ``further``: beginnings of other paths that count too.
    """
    words = path.split("/")[1:]
    if len(words) > LONGEST_KEY_PATH or not all(_PLAIN_WORD.fullmatch(word) for word in words):
        return False
    if any(path.startswith(each.rstrip("/") + "/") for each in further):
        return True
    root, last = words[:4], [word.lower() for word in words[4:]]
    if len(root) < 4 or not _VERSION.fullmatch(root[0]) or root[1:] != ["apis", "3.0", "system"]:
        return False
    held = any(each in word for word in last for each in _FILES)
    return not held and any("key" in word for word in last)


def _is_host(host: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return host.endswith(allowed[1:]) and len(host) > len(allowed) - 1
    return host == allowed


def _is_fresh(stamp: str, now: float) -> bool:
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 16:
        return False
    age = now - int(stamp) / 1000
    return -AHEAD <= age <= WINDOW

"""Keys and tokens of a sandbox, and the keys that it signs callbacks with.

Keys and tokens are made from the first seed, so that they stay valid over resets. Signing keys are random.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import secrets
import string
import uuid
import zlib
from dataclasses import dataclass

CHECKSUM_LENGTH = 11
SIGNATURE_HEADER = "x-content-signature"


@dataclass(frozen=True)
class FieldNationKeys:
    client_id: str
    client_secret: str
    username: str
    password: str


@dataclass
class Credentials:
    """What a client needs for all systems. ``access_token`` is a personal token (``lsp_``)."""

    company_id: str
    public_key: str
    private_key: str
    client_id: str
    access_token: str
    flow_builder_token: str
    oauth_token: str
    site_id: str
    site_name: str
    field_nation: FieldNationKeys

    def accepts(self, authorization: str) -> bool:
        """Whether Lansweeper takes this Authorization header: PATs as Token, OAuth tokens as Bearer."""
        scheme, _, value = authorization.strip().partition(" ")
        if scheme.lower() == "bearer":
            return value == self.oauth_token
        return scheme.lower() == "token" and value in (self.access_token, self.flow_builder_token)


def mint_credentials(seed: int) -> Credentials:
    """Credentials for this seed; nothing of them works anywhere but in a sandbox of the same seed."""
    draw = random.Random(f"credentials-{seed}")
    site_id = str(uuid.UUID(int=draw.getrandbits(128), version=4))
    return Credentials(
        company_id="sandbox",
        public_key=_letters(draw, 16),
        private_key=_letters(draw, 16),
        client_id=str(uuid.UUID(int=draw.getrandbits(128), version=4)),
        access_token=sealed_token("lsp_", {"pat": _hex(draw, 40), "site_region": {site_id: "eu"}}),
        flow_builder_token=sealed_token(
            "lsf_", {"token": _hex(draw, 40), "siteId": site_id, "region": "https://app.lansweeper.com"}
        ),
        oauth_token=_jwt(draw, site_id),
        site_id=site_id,
        site_name="bluelight",
        field_nation=_field_nation_keys(seed),
    )


def _field_nation_keys(seed: int) -> FieldNationKeys:
    draw = random.Random(f"field-nation-credentials-{seed}")
    secret, password = _letters(draw, 32), _letters(draw, 20)
    return FieldNationKeys(f"sandbox-{_hex(draw, 8)}", secret, "integration@provider.example", password)


def sealed_token(prefix: str, content: dict[str, object]) -> str:
    """A token in Lansweeper's shape: prefix, base64 of JSON, checksum (docs/vendors.md, Lansweeper 1).

    The checksum is a CRC-32 as signed hexadecimal, left padded with zeroes to 11 characters.
    """
    encoded = base64.b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()
    return f"{prefix}{encoded}{checksum(encoded)}"


def checksum(encoded: str) -> str:
    crc = zlib.crc32(encoded.encode())
    signed = crc - (1 << 32) if crc >= 1 << 31 else crc
    return format(signed, "x").rjust(CHECKSUM_LENGTH, "0")


def _jwt(draw: random.Random, site_id: str) -> str:
    parts: list[dict[str, object]] = [
        {"alg": "HS256", "typ": "JWT"},
        {"sub": site_id, "scope": "offline_access"},
    ]
    encoded = [_url_part(json.dumps(part).encode()) for part in parts]
    return ".".join([*encoded, _url_part(draw.randbytes(32))])


def _url_part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _letters(draw: random.Random, length: int) -> str:
    return "".join(draw.choices(string.ascii_letters + string.digits, k=length))


def _hex(draw: random.Random, length: int) -> str:
    return format(draw.getrandbits(4 * length), f"0{length}x")


class SigningKeys:
    """The keys that callbacks are signed with, by their id; the newest is in use, older ones stay known."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self.rotate()

    @property
    def current(self) -> tuple[str, str]:
        return next(reversed(self._keys.items()))

    def rotate(self) -> str:
        name = uuid.uuid4().hex
        self._keys[name] = secrets.token_urlsafe(48)
        return name

    def text(self, name: str) -> str | None:
        """The text of a key, None for an unknown id."""
        return self._keys.get(name)


def signature(key: str, body: bytes) -> str:
    """base64 of HMAC-SHA256 over the raw body, keyed with the SHA-256 of the key's text."""
    digest = hmac.new(hashlib.sha256(key.encode()).digest(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()

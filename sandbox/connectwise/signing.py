"""The keys that callbacks are signed with, and the signature over the bytes of a message."""

import base64
import hashlib
import hmac
import secrets
import uuid

SIGNATURE_HEADER = "x-content-signature"


class SigningKeys:
    """The keys that callbacks are signed with, by their id; the newest is in use, older ones stay known."""

    def __init__(self) -> None:
        """With a first key."""
        self._keys: dict[str, str] = {}
        self.rotate()

    @property
    def current(self) -> tuple[str, str]:
        """Id and text of the key in use."""
        return next(reversed(self._keys.items()))

    def rotate(self) -> str:
        """Begin to sign with a new key; its id."""
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

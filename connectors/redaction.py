"""Takes secrets and query strings out of any text before it reaches an error or a log line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from connectors.errors import StopError

MASK = "***"
_SHORTEST = 4
"""Characters; masking anything shorter would make messages unreadable and protects nothing."""
_SHORTEST_CUT = 6
"""Characters of a secret's beginning that are masked where the text, or what is quoted in it, is cut off."""
_LONGEST = 10_000
"""Characters of a text that are looked through; no message is that long."""
_QUERY = re.compile(r"(https?://[^\s\"'<>?]+)\?[^\s\"'<>]*", re.IGNORECASE)
_USER = re.compile(r"(https?://)[^\s/@\"'<>]+@", re.IGNORECASE)
_SCHEME = re.compile(r"\b(Basic|Bearer|Token)\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*){0,4}")
_NAME = (
    r"[\w-]{0,30}(?:token|secret|password|passwd|api[_-]?key|(?:private|public|access|signing)[_-]?key"
    r"|credentials?|authorization|cookie|session[_-]?id|client[_-]?id)[\w-]{0,30}"
)
_JSON_MEMBER = re.compile(
    rf"""((?P<mark>\\?["'])(?<![\w-]){_NAME}(?P=mark)\s{{0,9}}:\s{{0,9}}\\?["'])[^"'\\]*""", re.I
)
_PARAMETER = re.compile(rf"(?<![\w-])({_NAME}\s{{0,3}}=\s{{0,3}}[\"']?)[^\s\"'&;,<>]+", re.IGNORECASE)
_HEADER = re.compile(
    r"(?<![\w-])((?:set-)?cookie|(?:proxy-)?authorization)(\s{0,3}:\s{0,9})\S[^\n]*", re.IGNORECASE
)


class Redactor:
    """Replaces the given secrets, in each form in which they may travel, by ``***``.

    Further secrets that a vendor quotes are told by name (``"access_token": "..."``) or shape.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, self._forms))) if forms else None

    def __call__(self, text: str) -> str:
        """The text without secrets, credentials of an Authorization header, or query strings of addresses."""
        text = text[:_LONGEST]
        if self._secrets is not None:
            text = self._secrets.sub(MASK, text)
        text = _JSON_MEMBER.sub(rf"\1{MASK}", self._without_beginnings(text))
        text = _HEADER.sub(rf"\1\2{MASK}", _JWT.sub(MASK, text))
        text = _USER.sub(r"\1", _QUERY.sub(r"\1", text))
        return _SCHEME.sub(rf"\1 {MASK}", _PARAMETER.sub(rf"\1{MASK}", text))

    def _without_beginnings(self, text: str) -> str:
        """The text without a secret's beginning at its end: a quoted text may be cut in the middle of one."""
        shown = text.rstrip("'\". ")
        for form in self._forms:
            for length in range(min(len(form) - 1, len(shown)), _SHORTEST_CUT - 1, -1):
                if shown.endswith(form[:length]):
                    return shown[:-length] + MASK + text[len(shown) :]
        return text

    def __repr__(self) -> str:
        return "Redactor(...)"


def _forms(secret: str) -> set[str]:
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    # A vendor's words are put on one line, which changes the blanks within them.
    forms = {secret, secret.strip(), " ".join(secret.split()), *quoted, json.dumps(secret)[1:-1]}
    return {form for form in forms if len(form) >= _SHORTEST}


def header_secrets(system: str, headers: Mapping[str, str]) -> list[str]:
    """The parts of an Authorization header that messages must not show; other headers may well be shown.

    Raises:
        StopError: a header that HTTP does not allow.
    """
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            # httpx would name the value in its own error.
            raise StopError(
                f"The {name} header of {system} holds line breaks or letters outside ASCII",
                system=system,
                remedy="Copy the credential again.",
            )
    authorization = {name.lower(): value for name, value in headers.items()}.get("authorization", "")
    return [authorization, authorization.partition(" ")[2]] if authorization else []

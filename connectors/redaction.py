"""Takes secrets and query strings out of any text before it reaches an error or a log line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4
"""Characters; masking anything shorter would make messages unreadable and protects nothing."""
_QUERY = re.compile(r"(https?://[^\s\"'<>?]+)\?[^\s\"'<>]*", re.IGNORECASE)
_USER = re.compile(r"(https?://)[^\s/@\"'<>]+@", re.IGNORECASE)
_SCHEME = re.compile(r"\b(Basic|Bearer|Token)\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)


class Redactor:
    """Replaces the given secrets, in each form in which they may travel, by ``***``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """The text without secrets, credentials of an Authorization header, or query strings of addresses."""
        if self._secrets is not None:
            text = self._secrets.sub(MASK, text)
        text = _USER.sub(r"\1", _QUERY.sub(r"\1", text))
        return _SCHEME.sub(rf"\1 {MASK}", text)

    def __repr__(self) -> str:
        return "Redactor(...)"


def _forms(secret: str) -> set[str]:
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    forms = {secret, secret.strip(), *quoted, json.dumps(secret)[1:-1]}
    return {form for form in forms if len(form) >= _SHORTEST}

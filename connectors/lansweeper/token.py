"""Reads a pasted access token: which kind it is, how it is sent, and whether the paste is whole.

Kinds (reference, section 1): personal tokens ``lsp_`` and Flow Builder tokens ``lsf_`` are a prefix, base64
of a JSON object, and an 11 character checksum, sent as ``Token``; an OAuth access token is a JWT, sent as
``Bearer``; any other text is an older personal token, sent as ``Token``. No message ever quotes the token.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

import orjson

from connectors.errors import StopError

PREFIXES = ("lsp_", "lsf_")
CHECKSUM_LENGTH = 11
# Zeroes fill it up on the left, in front of a minus sign too: the vendor's checksum is a signed number.
_CHECKSUM = re.compile(r"0*(-?[0-9a-fA-F]{1,8})")
_SCHEME = re.compile(r"(authorization\s*:|token\s|bearer\s|(token|bearer)$)", re.IGNORECASE)
_QUOTES = "\"'`“”‘’«»"
COPY_AGAIN = (
    "Copy the token again, whole, from Lansweeper's Developer tools; it is shown once, when it is made."
)


def authorization(token: str) -> str:
    """The value of the Authorization header; blanks around the token are taken off.

    Raises:
        StopError: the token is empty, cut or mangled; the text says how, and never shows the token.
    """
    text = token.strip()
    problem = _problem(text)
    if problem:
        raise StopError(f"The Lansweeper access token {problem}", remedy=COPY_AGAIN)
    return f"{'Bearer' if _is_jwt(text) else 'Token'} {text}"


def _problem(text: str) -> str:
    if not text:
        return "is empty"
    if _SCHEME.match(text):
        return "begins with the name of a header or scheme: enter only what follows it"
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        return "stands in quotes: enter it without them"
    if re.search(r"\s", text):
        return "holds blanks or line breaks in its middle"
    if not (text.isascii() and text.isprintable()):
        return "holds letters that no token has"
    if text.startswith(PREFIXES):
        return _problem_of_prefixed(text)
    if text.startswith("eyJ") and not _is_jwt(text):
        return "is not whole: it begins as an OAuth token, which has three parts with dots between them"
    return ""


def _problem_of_prefixed(text: str) -> str:
    encoded, checksum = text[4:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    payload, number = _decoded(encoded), _CHECKSUM.fullmatch(checksum)
    if payload is None or number is None:
        return (
            f"is not whole: its end was cut off or changed (a {text[:4]} token ends in an 11 digit checksum)"
        )
    # The rule of the checksum is published for Flow Builder tokens only.
    if text.startswith("lsf_") and int(number[1], 16) & 0xFFFFFFFF not in (
        _crc(encoded.encode()),
        _crc(payload),
    ):
        return "does not fit its checksum: some of its characters were changed"
    return ""


def _decoded(encoded: str) -> bytes | None:
    try:
        payload = base64.b64decode(
            encoded.translate(str.maketrans("-_", "+/")) + "=" * (-len(encoded) % 4), validate=True
        )
        return payload if isinstance(orjson.loads(payload), dict) else None
    except (binascii.Error, ValueError):
        return None


def _crc(data: bytes) -> int:
    return zlib.crc32(data)


def _is_jwt(text: str) -> bool:
    parts = text.split(".")
    return text.startswith("eyJ") and len(parts) == 3 and all(parts)

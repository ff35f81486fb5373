"""Token, site and endpoint of a Lansweeper client, checked before anything is sent.

Kinds of token (docs/vendors.md, Lansweeper 1): personal tokens ``lsp_`` and Flow Builder tokens ``lsf_`` are
a prefix, base64 of a JSON object, and an 11 character checksum, sent as ``Token``; an OAuth access token is a
JWT, sent as ``Bearer``; any other text is an older personal token, sent as ``Token``. No message quotes it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
import orjson

from connectors.connection import check_base_url
from connectors.errors import StopError

SYSTEM = "Lansweeper"
PATH = "/api/v2/graphql"
DEFAULT_ENDPOINT = f"https://api.lansweeper.com{PATH}"
REQUEST_LIMITS: tuple[tuple[int, float], ...] = ((150, 60.0), (2000, 3600.0))
"""(requests, seconds): 150 a minute and 2,000 synchronous ones an hour (docs/vendors.md, Lansweeper 3)."""
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
    """The value of the Authorization header, blanks taken off; StopError says how a token is mangled."""
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


@dataclass(frozen=True, slots=True)
class LansweeperSettings:
    """Token and endpoint of one Lansweeper login; the token never shows in its repr.

    Attributes:
        access_token: personal, Flow Builder (``lsf_``, ``lsp_``) or OAuth token; see ``authorization``.
        site_id: the site to work on; empty: the only one that the token may see.
        endpoint: address of the GraphQL service; a bare server name gets the usual path.

    Raises:
        StopError: the token is mangled, or the endpoint is no https address.
    """

    access_token: str = field(repr=False)
    site_id: str = ""
    endpoint: str = DEFAULT_ENDPOINT

    def __post_init__(self) -> None:
        authorization(self.access_token)
        address = self.endpoint.strip() or DEFAULT_ENDPOINT
        url = check_base_url(address if "://" in address else f"https://{address}", SYSTEM)
        object.__setattr__(self, "endpoint", str(url.copy_with(path=PATH) if url.path in ("", "/") else url))
        object.__setattr__(self, "access_token", self.access_token.strip())
        object.__setattr__(self, "site_id", self.site_id.strip())

    @property
    def base_url(self) -> str:
        """Scheme, host and port of the endpoint."""
        return str(httpx.URL(self.endpoint).copy_with(path="/")).rstrip("/")

    @property
    def path(self) -> str:
        """Path of the endpoint, as shown in errors."""
        return httpx.URL(self.endpoint).path

    @property
    def credential_key(self) -> str:
        """Names this token; a hash, no token. Its requests are counted under it and under the site's."""
        owner = hashlib.sha256(self.access_token.encode()).hexdigest()[:16]
        return f"lansweeper:{self._server}:{owner}"

    def tenant_key(self, site_id: str) -> str:
        """Names a site whatever the token and the block's name (ADR 0012)."""
        return f"lansweeper:{self._server}:site-{site_id.lower()}"

    @property
    def _server(self) -> str:
        return httpx.URL(self.endpoint).netloc.decode()

    def secrets(self) -> list[str]:
        """Texts that no message may show."""
        return [self.access_token]

    def headers(self) -> Mapping[str, str]:
        """The headers of every request."""
        return {"Authorization": authorization(self.access_token), "Accept": "application/json"}


def several_sites(names: str) -> StopError:
    """The token sees several sites and none is named."""
    return StopError(
        f"The Lansweeper token may see several sites: {names}",
        remedy="Enter the ID of one of them as the site ID.",
    )

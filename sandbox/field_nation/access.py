"""OAuth tokens (the password and the refresh grant, as JSON), and the request limit of a company.

The refresh grant's body is assumed. 60 requests a minute, told in headers (docs/vendors.md, Field Nation
8.2).
"""

from __future__ import annotations

import math
import random
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.credentials import FieldNationKeys
from sandbox.field_nation.errors import FieldNationError
from sandbox.requests import RequestWindow, decode

TOKEN_PATH = "/authentication/api/oauth/token"  # noqa: S105 - an address
REQUIRED = ("client_id", "client_secret", "username", "password")


class TokenRefusedError(Exception):
    """The body of a refused token request is ``{status_code, message}``, unlike every other one."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"status_code": status, "message": message}


class Tokens:
    """Tokens given out so far. A refresh token works once; an old access token lives until it expires."""

    def __init__(self, keys: FieldNationKeys, seed: int, now: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._draw = random.Random(f"field-nation-tokens-{seed}")
        self._now = now
        self._access: dict[str, float] = {}
        self._refresh: set[str] = set()
        self.granted: dict[str, int] = {"password": 0, "refresh_token": 0}

    def grant(self, content_type: str, raw: bytes, seconds: float, refresh_works: bool) -> dict[str, Any]:
        """The answer to one token request; tokens live so many ``seconds``.

        Raises:
            TokenRefusedError: 400 for another shape, 401 for wrong keys or a used refresh token.
        """
        asked = _body(content_type, raw)
        grant = asked.get("grant_type")
        if grant == "password":
            self._check(asked, REQUIRED)
        elif grant == "refresh_token" and refresh_works:
            self._check(asked, REQUIRED[:2])
            token = asked.get("refresh_token")
            if not isinstance(token, str) or token not in self._refresh:
                raise TokenRefusedError(401, "The refresh token is invalid or was used before.")
            self._refresh.discard(token)
        else:
            raise TokenRefusedError(400, f"The grant type {grant} is not supported.")
        self.granted[grant] += 1
        return self._issue(seconds)

    def accepts(self, token: str) -> bool:
        """Whether this access token was given out and has not expired."""
        return self._access.get(token, float("-inf")) > self._now()

    def revoke(self, refresh: bool) -> None:
        """End every access token now, as an administrator could; ``refresh``: the refresh tokens too."""
        self._access.clear()
        if refresh:
            self._refresh.clear()

    def _check(self, asked: Mapping[str, Any], names: tuple[str, ...]) -> None:
        missing = [name for name in names if not isinstance(asked.get(name), str) or not asked[name]]
        if missing:
            raise TokenRefusedError(400, f"Missing: {', '.join(missing)}")
        given = "\0".join(asked[name] for name in names)
        known = "\0".join(getattr(self._keys, name) for name in names)
        if not secrets.compare_digest(given.encode(), known.encode()):
            raise TokenRefusedError(401, "Invalid client or user credentials.")

    def _issue(self, seconds: float) -> dict[str, Any]:
        access, refresh = (format(self._draw.getrandbits(160), "040x") for _ in range(2))
        self._access[access] = self._now() + seconds
        self._refresh.add(refresh)
        return {
            "access_token": access,
            "expires_in": seconds,
            "token_type": "Bearer",
            "scope": "basic",
            "refresh_token": refresh,
        }


def _body(content_type: str, raw: bytes) -> dict[str, Any]:
    if "json" not in content_type.lower():
        raise TokenRefusedError(400, "The request's content type must be application/json.")
    try:
        asked = decode(raw)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise TokenRefusedError(400, "The body is not a JSON object.")
    return asked


class RateLimit:
    """A sliding window over all calls but those for tokens, told in headers."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._window = RequestWindow(now)

    def take(self, limit: list[float] | None) -> dict[str, str]:
        """Counts one call; returns the rate headers. ``limit`` is [requests, seconds], None: no limit.

        Raises:
            FieldNationError: 429 with Retry-After in whole seconds.
        """
        window, wait = self._window, self._window.take(limit)
        if limit is None:
            return {}
        if wait:
            headers = {**self._headers(limit[0], window.now + wait), "Retry-After": str(wait)}
            raise FieldNationError(429, "Too many requests. Wait before trying again.", headers=headers)
        return self._headers(limit[0], window.taken[0] + limit[1])

    def _headers(self, most: float, reset: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(int(most)),
            "X-RateLimit-Remaining": str(max(0, int(most) - len(self._window.taken))),
            "X-RateLimit-Reset": str(math.ceil(reset)),
        }

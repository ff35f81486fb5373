"""Access tokens: the password grant as JSON, the refresh grant, one request for however many callers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio

from connectors.errors import RejectedError, StopError
from connectors.field_nation.settings import SYSTEM, FieldNationSettings
from connectors.http import HttpSession, Kind
from connectors.redaction import Redactor

TOKEN_PATH = "/authentication/api/oauth/token"  # noqa: S105 - an address
LONGEST_MARGIN = 60.0
"""Seconds before its end at which a token counts as expired already; a tenth of its life if that is less."""
USUAL_LIFE = 3600.0


@dataclass(frozen=True, slots=True)
class Token:
    """One access token, with what renews it and the monotonic second at which it is renewed."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    good_until: float


class TokenSource:
    """Hands out a valid token; all callers that need a new one at once share one request.

    Args:
        session: for token calls only, so that they are not counted, budgeted or logged with the others.
        on_change: told every new redactor, which knows all tokens so far.
    """

    def __init__(
        self,
        settings: FieldNationSettings,
        session: HttpSession,
        on_change: Callable[[Redactor], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._session = session
        self._on_change = on_change
        self._now = now
        self._lock = anyio.Lock()
        self._token: Token | None = None
        self._secrets = settings.secrets()

    async def get(self, refused: str = "") -> str:
        """A token that is valid as far as known; ``refused`` is one that the server did not accept.

        Raises:
            StopError: the client or user is refused; no later call will do better.
            RetryableError: the token address can't be reached now.
        """
        async with self._lock:
            token = self._token
            if token is None or token.access == refused or self._now() >= token.good_until:
                self._token = token = await self._renewed(token)
            return token.access

    async def _renewed(self, token: Token | None) -> Token:
        if token is not None and token.refresh:
            try:
                return await self._ask(
                    {"grant_type": "refresh_token", **self._client(), "refresh_token": token.refresh}
                )
            except (RejectedError, StopError):
                # The refresh grant is not documented and its token may be used up: log in anew.
                pass
        user = {"username": self._settings.username, "password": self._settings.password}
        return await self._ask({"grant_type": "password", **self._client(), **user})

    def _client(self) -> dict[str, str]:
        return {"client_id": self._settings.client_id, "client_secret": self._settings.client_secret}

    async def _ask(self, body: dict[str, str]) -> Token:
        asked = self._now()
        answer = await self._session.request_json(Kind.READ, "POST", TOKEN_PATH, json=body)
        token = _token(answer, asked)
        # The last few are kept: a request that is still on its way carries an older one.
        self._secrets = [*self._settings.secrets(), *self._secrets[-8:], token.access]
        if token.refresh:
            self._secrets.append(token.refresh)
        self._on_change(Redactor(self._secrets))
        return token


def _token(answer: Any, asked: float) -> Token:
    access = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(access, str) or not access:
        raise StopError(
            "Field Nation answered a log in without an access token",
            system=SYSTEM,
            method="POST",
            path=TOKEN_PATH,
        )
    given = answer.get("expires_in")
    life = float(given) if isinstance(given, int | float) and given > 0 else USUAL_LIFE
    refresh = answer.get("refresh_token")
    margin = min(LONGEST_MARGIN, life / 10)
    return Token(access, refresh if isinstance(refresh, str) else "", asked + life - margin)

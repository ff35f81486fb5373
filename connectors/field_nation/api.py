"""One request of Field Nation: REST v2 with the token in the query, webhooks v3 with it as Bearer.

``TokenSource`` holds the access token: the password grant, the refresh grant, one request for however many
callers. REST v2 has the token in the query of each address, so ``WithoutTokens`` keeps it out of the HTTP
library's log.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, Unpack

import anyio

from connectors.errors import RejectedError, StopError
from connectors.field_nation.models import Record
from connectors.field_nation.refusals import read_field_nation_refusal, read_token_refusal
from connectors.field_nation.settings import SYSTEM, FieldNationSettings
from connectors.http import Connected, HttpSession, SessionOptions
from connectors.redaction import MASK, Redactor
from connectors.retry import RequestKind
from connectors.shapes import as_objects

T = TypeVar("T")
REST_ROOT = "/api/rest/v2"
WEBHOOKS_ROOT = "/api/v1"
CONCURRENCY = 4
_LONGEST_WAIT = 65.0
"""Seconds that one call may wait in all: one minute's limit. A longer wait is a retry of the task."""
_ID = re.compile(r"/\d+(?=/|$)")
_UUID = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/|$)", re.IGNORECASE)
_HEADERS = {"Accept": "application/json, application/problem+json"}
Params = Mapping[str, str | int]
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
    """Keeps a valid access token; concurrent callers that need a new one share one request.

    ``session`` is for token calls only, so that they are not counted, limited or logged with the others;
    ``on_change`` is told every new redactor, which knows all tokens so far.
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

        StopError: the client or user is refused; RetryableError: the token address can't be reached now.
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
        token = await self._session.read(
            RequestKind.READ, "POST", TOKEN_PATH, lambda answer: _token(answer.body, asked), json=body
        )
        # The last few are kept: a request that is still on its way carries an older one.
        self._secrets = [*self._settings.secrets(), *self._secrets[-8:], token.access]
        if token.refresh:
            self._secrets.append(token.refresh)
        self._on_change(Redactor(self._secrets))
        return token


def _token(answer: Any, asked: float) -> Token:
    access = token_in(answer, "access_token")
    if not access:
        raise StopError(
            "Field Nation answered a log in without an access token",
            system=SYSTEM,
            method="POST",
            path=TOKEN_PATH,
        )
    given = answer.get("expires_in")
    is_number = isinstance(given, int | float) and not isinstance(given, bool) and given > 0
    life = float(given) if is_number else USUAL_LIFE
    margin = min(LONGEST_MARGIN, life / 10)
    return Token(access, token_in(answer, "refresh_token"), asked + life - margin)


LONGEST_TOKEN = 4000


def token_in(answer: Any, name: str) -> str:
    """The token of that name; empty for one that can't be sent in an address and a header."""
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str) or len(value) > LONGEST_TOKEN or not value.isascii():
        return ""
    return value if value.isprintable() and " " not in value else ""


_TOKEN = re.compile(r"(access_token=)[^&\s\"'#]*", re.IGNORECASE)
_TOKEN_CALL = "/authentication/api/oauth/"  # noqa: S105 - an address


class WithoutTokens(logging.Filter):
    """Masks ``access_token=...`` in a record's message and arguments, and drops records of token calls."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is kept; what is kept holds no token any more."""
        record.msg = _masked(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_masked(each) for each in record.args)
        return _TOKEN_CALL not in record.getMessage()


_FILTER = WithoutTokens()


def keep_tokens_out_of_logs() -> None:
    """Put the filter on the HTTP library's logger; a second call changes nothing."""
    logging.getLogger("httpx").addFilter(_FILTER)


def _masked(value: Any) -> Any:
    text = value if isinstance(value, str) else None if isinstance(value, int | float) else str(value)
    if text is None or "access_token=" not in text.lower():
        return value
    return _TOKEN.sub(rf"\1{MASK}", text)


class FieldNationApi(Connected):
    """The sessions and the sending. Every error is a ``ConnectorError``; none shows a token.

    ``session.sent`` counts the requests; those for tokens are counted in ``logins.sent``.
    """

    def __init__(self, settings: FieldNationSettings, **options: Unpack[SessionOptions]) -> None:
        keep_tokens_out_of_logs()
        self.settings = settings
        self._company_id: int | None = None
        limiter = options.pop("rate_limiter", None)
        shared: dict[str, Any] = {
            "system": SYSTEM,
            "base_url": settings.base_url,
            "headers": _HEADERS,
            "secrets": settings.secrets(),
            "longest_wait": _LONGEST_WAIT,
            **options,
        }
        self.logins = HttpSession(
            **shared, read_error=read_token_refusal, concurrency=1, quotes_answers=False
        )
        self.session = HttpSession(
            **shared, read_error=read_field_nation_refusal, rate_limiter=limiter, concurrency=CONCURRENCY
        )
        self._tokens = TokenSource(settings, self.logins, self._redact_with)

    async def aclose(self) -> None:
        await self.session.aclose()
        await self.logins.aclose()

    def _redact_with(self, redactor: Redactor) -> None:
        self.session.redact = self.logins.redact = redactor

    async def send(
        self,
        kind: RequestKind,
        method: str,
        path: str,
        parse: Callable[[Any], T],
        *,
        params: Params | None = None,
        json: Any = None,
    ) -> T:
        """What ``parse`` reads out of the body of an accepted answer; ``path`` is under ``/api/rest/v2``."""
        return await self._send_to(REST_ROOT, kind, method, path, parse, params=params, json=json)

    async def send_webhooks(
        self,
        kind: RequestKind,
        method: str,
        path: str,
        parse: Callable[[Any], T],
        *,
        params: Params | None = None,
        json: Any = None,
    ) -> T:
        """The same of the ``result`` of the webhooks API's answer; ``path`` is under ``/api/v1``."""

        def of_result(body: Any) -> T:
            return parse(body.get("result") if isinstance(body, dict) else None)

        return await self._send_to(WEBHOOKS_ROOT, kind, method, path, of_result, params=params, json=json)

    async def _send_to(
        self, root: str, kind: RequestKind, method: str, path: str, parse: Callable[[Any], T], **options: Any
    ) -> T:
        """Sends with a token; after a 401, which means that nothing was done, once more with a new one."""
        self.session.refuse_write(kind, method, path)
        token = await self._tokens.get()
        try:
            return await self._once(token, root, kind, method, path, parse, **options)
        except StopError as error:
            if error.status != 401:
                raise
        token = await self._tokens.get(refused=token)
        try:
            return await self._once(token, root, kind, method, path, parse, **options)
        except StopError as error:
            if error.status != 401 or not _ID.search(path):
                raise
            raise _not_seen(error) from None

    async def _once(
        self,
        token: str,
        root: str,
        kind: RequestKind,
        method: str,
        path: str,
        parse: Callable[[Any], T],
        *,
        params: Params | None,
        json: Any,
    ) -> T:
        in_query = root == REST_ROOT
        return await self.session.read(
            kind,
            method,
            path,
            lambda answer: parse(answer.body),
            root=root,
            template=_UUID.sub("/{id}", _ID.sub("/{id}", path)),
            params={**(params or {}), **({"access_token": token} if in_query else {})},
            json=json,
            headers=None if in_query else {"Authorization": f"Bearer {token}"},
        )


def as_results(body: Any) -> list[Record]:
    """The ``results`` of a section or list, or a bare list."""
    return as_objects(body.get("results") if isinstance(body, dict) else body, "the list of records")


def _not_seen(error: StopError) -> RejectedError:
    """Old servers answer 401 for a wrong work order id; the token just made can't be the reason."""
    return RejectedError(
        error.message,
        system=error.system,
        method=error.method,
        path=error.path,
        status=error.status,
        code=error.code,
        remedy="The record does not exist, or the Field Nation user may not see it.",
    )

"""One request of Field Nation: REST v2 with the token in the query, webhooks v3 with it as Bearer."""

from __future__ import annotations

import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import anyio
import httpx

from connectors.errors import RejectedError, StopError
from connectors.field_nation.models import Record
from connectors.field_nation.quiet import keep_tokens_out_of_logs
from connectors.field_nation.refusals import read_field_nation_refusal, read_token_refusal
from connectors.field_nation.settings import SYSTEM, FieldNationSettings
from connectors.field_nation.tokens import TokenSource
from connectors.http import HttpSession, Kind, RequestBudget
from connectors.redaction import Redactor

REST = "/api/rest/v2"
WEBHOOKS = "/api/v1"
CONCURRENCY = 4
#: Seconds that one call may wait in all: one minute's limit. A longer wait is a retry of the task.
LONGEST_WAIT = 65.0
_ID = re.compile(r"/\d+(?=/|$)")
_HEADERS = {"Accept": "application/json, application/problem+json"}
Params = Mapping[str, str | int]


class FieldNationApi:
    """Opens the sessions and sends. Every error is a ``ConnectorError``; none shows a token.

    ``session.sent`` counts the requests; those for tokens are counted in ``logins.sent``.
    """

    def __init__(
        self,
        settings: FieldNationSettings,
        *,
        budget: RequestBudget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        read_only: bool = False,
        verify: bool | ssl.SSLContext = True,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        keep_tokens_out_of_logs()
        self.settings = settings
        shared: dict[str, Any] = {
            "system": SYSTEM,
            "base_url": settings.base_url,
            "headers": _HEADERS,
            "transport": transport,
            "read_only": read_only,
            "verify": verify,
            "secrets": settings.secrets(),
            "longest_wait": LONGEST_WAIT,
            "sleep": sleep,
        }
        self.logins = HttpSession(**shared, read_error=read_token_refusal, concurrency=1)
        self.session = HttpSession(
            **shared, read_error=read_field_nation_refusal, budget=budget, concurrency=CONCURRENCY
        )
        self._tokens = TokenSource(settings, self.logins, self._redact_with)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self.session.aclose()
        await self.logins.aclose()

    def _redact_with(self, redactor: Redactor) -> None:
        self.session.redact = self.logins.redact = redactor

    async def _rest(
        self,
        kind: Kind,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
    ) -> Any:
        """The body of an accepted answer; None for an empty one. ``path`` is under ``/api/rest/v2``."""
        return await self._send(kind, method, path, root=REST, params=params, json=json)

    async def _webhook(
        self, kind: Kind, method: str, path: str, *, params: Params | None = None, json: Any = None
    ) -> Any:
        """The ``result`` of an accepted answer of the webhooks API; ``path`` is under ``/api/v1``."""
        answer = await self._send(kind, method, path, root=WEBHOOKS, params=params, json=json)
        return answer.get("result") if isinstance(answer, dict) else None

    async def _send(self, kind: Kind, method: str, path: str, **options: Any) -> Any:
        """Sends with a token; after a 401, which means that nothing was done, once more with a new one."""
        self.session.refuse_write(kind, method, path)
        token = await self._tokens.get()
        try:
            return await self._once(token, kind, method, path, **options)
        except StopError as error:
            if error.status != 401:
                raise
        token = await self._tokens.get(refused=token)
        try:
            return await self._once(token, kind, method, path, **options)
        except StopError as error:
            if error.status != 401 or not _ID.search(path):
                raise
            raise _not_seen(error) from None

    async def _once(
        self, token: str, kind: Kind, method: str, path: str, *, root: str, params: Params | None, json: Any
    ) -> Any:
        in_query = root == REST
        return await self.session.request_json(
            kind,
            method,
            path,
            root=root,
            template=_template(path),
            params={**(params or {}), **({"access_token": token} if in_query else {})},
            json=json,
            headers=None if in_query else {"Authorization": f"Bearer {token}"},
        )

    def _unexpected(self, method: str, path: str, wanted: str) -> StopError:
        return StopError(
            f"{SYSTEM} answered something else than {wanted}", system=SYSTEM, method=method, path=path
        )

    def _record(self, body: Any, method: str, path: str) -> Record:
        """The body if it is an object; StopError else."""
        if not isinstance(body, dict):
            raise self._unexpected(method, path, "an object")
        return body

    def _results(self, body: Any, method: str, path: str) -> list[Record]:
        """The ``results`` of a section or list, or a bare list."""
        found = body.get("results") if isinstance(body, dict) else body
        if not isinstance(found, list):
            raise self._unexpected(method, path, "a list of records")
        return [each for each in found if isinstance(each, dict)]


_UUID = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\d+)?(?=/|$)", re.IGNORECASE)


def _template(path: str) -> str:
    return _UUID.sub("/{id}", _ID.sub("/{id}", path))


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

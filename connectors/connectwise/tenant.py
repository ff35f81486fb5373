"""One login company of ConnectWise PSA: its connections, and where its API lies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import anyio
import httpx

from connectors.connectwise.codebase import LOOKUP, api_root, lookup_path, model_version, read_company_info
from connectors.connectwise.models import CompanyInfo
from connectors.connectwise.refusals import read_connectwise_refusal
from connectors.connectwise.settings import SYSTEM, ConnectWiseSettings
from connectors.errors import StopError
from connectors.http import HttpSession, Kind, RequestBudget


class Tenant:
    """Opens nothing when it is made; the first operation looks the codebase up, once.

    Args:
        budget: asked before each request; see ``ConnectWiseSettings.budget_key``.
        transport: replaces the network, for tests.
        read_only: every write raises WriteRefusedError before anything is sent.
        verify: False accepts any certificate of the server.
        sleep: waits so many seconds, for tests.
    """

    def __init__(
        self,
        settings: ConnectWiseSettings,
        *,
        budget: RequestBudget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        read_only: bool = False,
        verify: bool = True,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.settings = settings
        self.session = HttpSession(
            system=SYSTEM,
            base_url=settings.base_url,
            headers=settings.headers(),
            read_error=read_connectwise_refusal,
            budget=budget,
            transport=transport,
            read_only=read_only,
            verify=verify,
            secrets=settings.secrets(),
            sleep=sleep,
        )
        self._version = ""
        self._root = ""
        self._looking_up = anyio.Lock()

    async def company_info(self) -> CompanyInfo:
        """The login company's name, version and codebase, from ``GET /login/companyinfo/{companyId}``.

        Raises:
            StopError: ConnectWise does not know the company.
        """
        path = lookup_path(self.settings.company_id)
        answer = await self.session.request_json(Kind.READ, "GET", path, template=LOOKUP)
        info = read_company_info(answer, self.settings.company_id)
        self._root = api_root(info)
        self._version = model_version(info)
        return info

    async def newest_version(self) -> str:
        """The version of the server's newest models, such as "2026.3"; "" if the server does not say it.

        It costs a request only if no operation came before.
        """
        await self._find_root(not_at=None)
        return self._version

    async def aclose(self) -> None:
        """Close the connections."""
        await self.session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings.base_url!r}, {self.settings.company_id!r})"

    async def _send(self, kind: Kind, method: str, path: str, **options: Any) -> tuple[Any, httpx.Headers]:
        """An operation's answer: its body as JSON, None for an empty one, and its headers."""
        self.session.refuse_write(kind, method, path)
        root = await self._find_root(not_at=None)
        try:
            answer = await self.session.request(kind, method, path, root=root, **options)
        except StopError as error:
            # The codebase can change at a release. A write is not sent twice for that: the next read
            # finds the new one.
            if kind is not Kind.READ or error.status not in (400, 404):
                raise
            moved_to = await self._find_root(not_at=root)
            if moved_to == root:
                raise
            answer = await self.session.request(kind, method, path, root=moved_to, **options)
        return self.session.body(kind, method, path, answer), answer.headers

    async def _find_root(self, not_at: str | None) -> str:
        """The API's path, looked up if it is unknown or is the one at which nothing was found."""
        async with self._looking_up:
            if self._root in ("", not_at):
                await self.company_info()
            return self._root

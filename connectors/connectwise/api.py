"""One login company of ConnectWise PSA: its connections, where its API lies, and how a request is sent.

The look-up ``/login/companyinfo`` names the codebase; it is asked for once, put before every path, and asked
for again when a read finds nothing there, since it can change at a release.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack, cast
from urllib.parse import quote

import anyio

from connectors.connectwise.models import CompanyInfo
from connectors.connectwise.refusals import CHECK_COMPANY, read_connectwise_refusal
from connectors.connectwise.settings import SYSTEM, ConnectWiseSettings
from connectors.errors import ConnectorError, StopError
from connectors.http import Connected, HttpSession, ReadAnswer, SessionOptions
from connectors.retry import RequestKind
from connectors.shapes import as_object

T = TypeVar("T")
LOOKUP = "/login/companyinfo/{companyId}"
_DEFAULT = "v4_6_release"
"""Routes to the tenant's current version; a server of one's own always answers this (developer guide)."""
_VERSION = re.compile(r"v?(20\d\d\.\d{1,3})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def read_company_info(answer: Any, company_id: str) -> CompanyInfo:
    """The look-up's answer; StopError for an unknown company, where it is null with status 200."""
    if not answer:
        raise StopError(
            f"ConnectWise does not know the company {company_id!r}",
            system=SYSTEM,
            method="GET",
            path=LOOKUP,
            remedy=CHECK_COMPANY,
        )
    return cast(CompanyInfo, as_object(answer, "the company's answer"))


def api_root(info: CompanyInfo) -> str:
    """The API's path on the server, such as ``/v2026_3/apis/3.0``."""
    name = str(info.get("Codebase") or _DEFAULT).strip("/ ")
    if not _NAME.fullmatch(name):
        raise StopError(f"ConnectWise names a codebase that is no path: {name!r}", system=SYSTEM)
    return f"/{name}/apis/3.0"


@dataclass(frozen=True, slots=True)
class ApiPath:
    """A documented path: its ``template``, under which requests are counted, and ``text`` with the ids in."""

    template: str
    text: str

    @classmethod
    def of(cls, template: str, **ids: int) -> ApiPath:
        """The path with its ids, such as ``of("/company/companies/{id}", id=5)``."""
        return cls("", "").under(template, **ids)

    def under(self, suffix: str, **ids: int) -> ApiPath:
        """A path below this one."""
        filled = suffix
        for name, value in ids.items():
            filled = filled.replace(f"{{{name}}}", str(int(value)))
        return ApiPath(self.template + suffix, self.text + filled)


class Tenant(Connected):
    """One login company's session. Making it sends nothing; the first operation looks the codebase up.

    Args:
        options: those of ``HttpSession``; for the rate limiter see ``ConnectWiseSettings.tenant_key``.
    """

    def __init__(self, settings: ConnectWiseSettings, **options: Unpack[SessionOptions]) -> None:
        self.settings = settings
        self.session = HttpSession(
            system=SYSTEM,
            base_url=settings.base_url,
            headers=settings.headers(),
            read_error=read_connectwise_refusal,
            secrets=settings.secrets(),
            **options,
        )
        self._version = ""
        self._root = ""
        self._looking_up = anyio.Lock()

    async def company_info(self) -> CompanyInfo:
        """``GET /login/companyinfo/{companyId}``: name, version and codebase; StopError if unknown."""
        path = LOOKUP.replace("{companyId}", quote(self.settings.company_id, safe=""))

        def parse(answer: ReadAnswer) -> tuple[CompanyInfo, str]:
            info = read_company_info(answer.body, self.settings.company_id)
            return info, api_root(info)

        info, self._root = await self.session.read(RequestKind.READ, "GET", path, parse, template=LOOKUP)
        version = _VERSION.match(str(info.get("VersionCode") or ""))
        self._version = version[1] if version else ""
        return info

    async def newest_version(self) -> str:
        """The newest models' version, such as "2026.3", or ""; a request only as the first operation."""
        await self._find_root(not_at=None)
        return self._version

    async def aclose(self) -> None:
        await self.session.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings.base_url!r}, {self.settings.company_id!r})"

    async def send(
        self,
        kind: RequestKind,
        method: str,
        path: ApiPath,
        parse: Callable[[ReadAnswer], T],
        *,
        misfit: type[ConnectorError] | None = None,
        **options: Any,
    ) -> T:
        """Send one operation; what ``parse`` reads out of its answer.

        ``kind`` decides whether it may be repeated; ``misfit`` and errors are those of ``HttpSession.read``,
        ``options`` those of ``HttpSession.request``.
        """
        self.session.refuse_write(kind, method, path.text)
        options["template"] = path.template
        root = await self._find_root(not_at=None)
        try:
            answer = await self.session.request(kind, method, path.text, root=root, **options)
        except StopError as error:
            # The codebase can change at a release. A write is not sent twice for that: the next read
            # finds the new one.
            if kind is not RequestKind.READ or error.status not in (400, 404):
                raise
            moved_to = await self._find_root(not_at=root)
            if moved_to == root:
                raise
            answer = await self.session.request(kind, method, path.text, root=moved_to, **options)
        return self.session.parsed(kind, method, path.text, answer, parse, misfit)

    async def _find_root(self, not_at: str | None) -> str:
        """The API's path, looked up if it is unknown or is the one at which nothing was found."""
        async with self._looking_up:
            if self._root in ("", not_at):
                await self.company_info()
            return self._root

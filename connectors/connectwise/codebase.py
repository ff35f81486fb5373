"""Where a tenant's API lies: the codebase is asked for once and put before every path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from connectors.connectwise.models import CompanyInfo
from connectors.connectwise.refusals import CHECK_COMPANY
from connectors.connectwise.settings import SYSTEM
from connectors.errors import StopError

LOOKUP = "/login/companyinfo/{companyId}"
_DEFAULT = "v4_6_release"
"""Routes to the tenant's current version; a server of one's own always answers this (developer guide)."""
_VERSION = re.compile(r"v?(20\d\d\.\d+)")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def lookup_path(company_id: str) -> str:
    """The look-up's path; it takes no credentials."""
    return LOOKUP.replace("{companyId}", quote(company_id, safe=""))


def read_company_info(answer: Any, company_id: str) -> CompanyInfo:
    """The look-up's answer, which for an unknown company is null with status 200.

    Raises:
        StopError: ConnectWise does not know the company.
    """
    if not isinstance(answer, Mapping) or not answer:
        raise StopError(
            f"ConnectWise does not know the company {company_id!r}",
            system=SYSTEM,
            method="GET",
            path=LOOKUP,
            remedy=CHECK_COMPANY,
        )
    return cast(CompanyInfo, dict(answer))


def api_root(info: CompanyInfo) -> str:
    """The API's path on the server, such as ``/v2026_3/apis/3.0``."""
    name = str(info.get("Codebase") or _DEFAULT).strip("/ ")
    if not _NAME.fullmatch(name):
        raise StopError(f"ConnectWise names a codebase that is no path: {name!r}", system=SYSTEM)
    return f"/{name}/apis/3.0"


def model_version(info: CompanyInfo) -> str:
    """The version of the server's newest models, such as "2026.3"; "" if the look-up does not say it."""
    found = _VERSION.match(str(info.get("VersionCode") or ""))
    return found[1] if found else ""

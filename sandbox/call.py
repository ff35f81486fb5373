"""One request to a vendor, as counting and faults see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from starlette.types import Scope

from sandbox.lansweeper.documents import root_fields
from sandbox.wire_json import decoded

GRAPHQL_PATHS = ("/api/v2/graphql", "/api/integrations/graphql")
API_ROOT = re.compile(r"/[^/]+/apis/3\.0(?=/|$)", re.IGNORECASE)  # any code base
FIELD_NATION = re.compile(r"/api/rest/v2(?=/|$)|/api/v1(?=/webhooks(/|$))|(?=/authentication/api/oauth/)")
TOKEN_CALLS = "/authentication/"  # noqa: S105 - an address
READING_POSTS = re.compile(r"/(search|system/+bundles(/+count)?)/*$", re.IGNORECASE)
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Call:
    """``paths``: the path under the API root; for Lansweeper the root fields asked for.

    ``query`` is the address' query in clear.
    """

    system: str
    method: str
    paths: tuple[str, ...]
    writes: bool
    body: Any = None
    query: str = ""


def read_call(scope: Scope, body: bytes) -> Call:
    """Classify a request. A path that no vendor serves counts as ConnectWise's."""
    path, method = scope["path"], scope["method"]
    parsed = parse_body(body)
    if path.rstrip("/") in GRAPHQL_PATHS:
        fields, writes = root_fields(parsed)
        return Call("lansweeper", method, fields, writes, parsed)
    if FIELD_NATION.match(path):
        below = FIELD_NATION.sub("", path, count=1).rstrip("/")
        writes = method not in READING_METHODS and not below.startswith(TOKEN_CALLS)
        return Call("field_nation", method, (below,), writes, parsed)
    query = unquote_plus(scope.get("query_string", b"").decode("latin-1"))
    writes = _connectwise_writes(method, path)
    return Call("connectwise", method, (under_root(path),), writes, parsed, query)


def address_of(scope: Scope) -> str:
    """The server's address as the caller wrote it, without a slash at the end."""
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
    return f"{scope['scheme']}://{host}"


def under_root(path: str) -> str:
    """The path below ``/v4_6_release/apis/3.0``, in one spelling: no double or trailing slash."""
    rest = API_ROOT.sub("", path, count=1)
    return "/" + "/".join(part for part in rest.split("/") if part)


def parse_body(body: bytes) -> Any:
    """The JSON of a body, or None where there is none."""
    try:
        return decoded(body) if body else None
    except ValueError:
        return None


def _connectwise_writes(method: str, path: str) -> bool:
    return method not in READING_METHODS and READING_POSTS.search(path) is None

"""Requests that schemathesis draws from the vendors' own descriptions, against the sandbox in this process.

Both OpenAPI files, as far as the sandbox serves them, and the GraphQL schema that it serves. An input is what
the description allows or what it forbids, with ids that exist, conditions made of their grammar's pieces, or
a body with bytes changed; each number draws a few inputs against a world of its own, so that a replay meets
the same records. No answer may be an error of the sandbox's own, and whatever was kept must still be shown:
after the inputs of a number every collection is read.

The vendors' files lie beside the checkout (../shared/reference); without them nothing is tried, and the
result says so.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

import hypothesis

from benchmarks.fuzz.tally import SERVER_ERROR, WRONG, Tally
from deployments import ROOT
from sandbox.app import SandboxApp
from sandbox.connectwise.schema.tables import SERVED
from sandbox.credentials import mint_credentials
from sandbox.data.generate import build_world
from sandbox.field_nation.access import REQUIRED, TOKEN_PATH
from sandbox.lansweeper.documents import SDL
from sandbox.requests import encode
from sandbox.world import FIELD_NATION_ORDERS, LANSWEEPER_ASSETS, LANSWEEPER_FIELDS, World, wire_records

NAME = "sandbox_requests"
INPUTS = 12_000
SHORT = 60
A_NUMBER = 20
"""Inputs that one number draws."""
REFERENCE = Path(os.environ.get("VENDOR_REFERENCE", ROOT.parent / "shared" / "reference"))
FILES = {"connectwise": "connectwise-psa-openapi.json", "field nation": "fieldnation-openapi.json"}
API = "/v4_6_release/apis/3.0"
GRAPHQL = "/api/v2/graphql"
ABSENT = "the vendors' files are not beside this checkout"
NOT_INSTALLED = "schemathesis is not installed, an extra of dev"
NOT_SERVED = ("The endpoint does not exist.", "does not support http method", "Cannot ")
METHODS = ("get", "post", "put", "patch", "delete")
WORDS = (
    "id", "name", "company/id", "company", "board/name", "status", "lastUpdated", "customFields", "type/name",
    "_info/lastUpdated", "closedFlag", "contact/", "summary", "x/y/z", "questions/answer",
    "communicationItems/value", "caption", "value", "=", "!=", "<", ">=", "like", "not", "in", "contains",
    "and", "or", "(", ")", ",", "'x", '"a%"', '"[a-z]%"', '"[z-a]"', "[2026-01-01T00:00:00Z]", "[0000-00-00]",
    "1", "-1", "1.5", "9" * 40, "null", "True", "desc", "asc", "\x00", "\ud83d\ude00", "%" * 30,
)  # fmt: skip
QUERIES = ("conditions", "childConditions", "customFieldConditions", "orderBy", "fields", "page", "pageSize")
HOOKS = "/api/v1/webhooks"
NEAR = (1, 2, 3, 4, 99_999)
"""Ids of which most records have one."""
ODD = (
    b"NaN", b"1e999", b"-1", b"99999999999999999999", b"[" * 200, b'{"a":' * 70, b"null", b'"\\ud800"',
    b"\xff", b"\x00", b'"0000-00-00T00:00:00Z"', b"[]", b"{}", b'""', b"true", b"1.5", b'"1"',
)  # fmt: skip
STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 2**31, 2**70, 1.5, 1e300, float("nan"), "", " ", "\ud83d", "x\x00y", "x" * 5000, "NaN",
    "2026-02-30T00:00:00Z", "0000-00-00", "http://[::1", [], [[]], [None], {}, {"id": None}, {"id": "x"},
    {"id": 2**70}, {"name": "\ud83d"}, {"utc": "0001-01-01 00:00:00"}, {"a": {"b": [{"c": {}}]}},
)  # fmt: skip
Answer = tuple[int, bytes]
Body = bytes | None


async def run(tally: Tally, *, inputs: int) -> None:
    """Draw and send; where nothing can be drawn one input is counted as skipped."""
    if missing := _what_is_missing():
        tally.count(missing, "skipped")
        return
    warnings.filterwarnings("ignore", category=hypothesis.errors.HypothesisWarning)
    for number in tally.numbers(-(-inputs // A_NUMBER)):
        draw = tally.draw(number)
        vendors = Vendors()
        kind = draw.choices(("connectwise", "field nation", "lansweeper"), (6, 3, 1))[0]
        async for request in _requests(draw, vendors, kind):
            async with tally.input(number, request.kind, request.shown()) as tried:
                status, content = await vendors.send(request)
                tried.outcome = f"{status // 100}xx"
                if status >= 500:
                    text = f"{status} {content[:500]!r}\n{request.shown()}"
                    tally.problem(SERVER_ERROR, request.kind, text, number)
        async with tally.input(number, f"{kind}: all is shown afterwards", "every collection") as tried:
            for problem in vendors.what_is_not_shown():
                tally.problem(WRONG, kind, problem, number)
            tried.outcome = "shown"


def _what_is_missing() -> str:
    """Why nothing can be drawn; empty where everything is there."""
    if not all((REFERENCE / name).exists() for name in FILES.values()):
        return ABSENT
    return "" if importlib.util.find_spec("schemathesis") else NOT_INSTALLED


class Request:
    """One request as it goes over the wire."""

    def __init__(self, kind: str, method: str, target: str, headers: dict[str, str], body: Body) -> None:
        self.kind = kind
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body

    def shown(self) -> str:
        """The request in a few lines, shortened."""
        return f"{self.method} {self.target[:600]}\n{(self.body or b'')[:600]!r}"


class Vendors:
    """A small world of all three vendors, and a caller that holds every key."""

    def __init__(self) -> None:
        self.world: World = build_world(7, 4, mint_credentials(7), scenario="dispatch", tickets=4)
        self.world.switches.change({"field_nation_rate_limit": None, "lansweeper_limits": False})
        self.app = SandboxApp(self.world)
        keys = self.world.credentials
        login = f"{keys.company_id}+{keys.public_key}:{keys.private_key}"
        self.psa = {
            "authorization": "Basic " + base64.b64encode(login.encode()).decode(),
            "clientid": keys.client_id,
        }
        own = keys.field_nation
        asked = {"grant_type": "password", **{name: getattr(own, name) for name in REQUIRED}}
        tokens = self.app.field_nation.tokens
        self.token = str(tokens.grant("json", encode(asked), 3600, True)["access_token"])
        order = {"title": "Fuzzed", "location": {"mode": "custom", "state": "FL", "city": "Tampa"}}
        self.order = self.world.field_nation.add(order).id

    def address(self, kind: str, path: str, query: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """The target of a request and the headers of a caller who may do everything."""
        query = {name: one if isinstance(one, str | int) else json.dumps(one) for name, one in query.items()}
        headers = self.psa if kind == "connectwise" else {}
        if kind == "connectwise":
            path = API + path
        elif path.startswith(HOOKS):
            headers = {"authorization": f"Bearer {self.token}"}
        elif path != TOKEN_PATH:
            query = {**query, "access_token": self.token}
        text = urlencode(query, quote_via=quote, errors="surrogatepass")
        return f"{path}?{text}" if text else path, dict(headers)

    async def send(self, request: Request) -> Answer:
        """Status and body; what the application raises is raised."""
        path, _, query = request.target.partition("?")
        scope = {
            "type": "http",
            "method": request.method,
            "scheme": "http",
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in request.headers.items()],
            "server": ("vendors.test", 80),
        }
        found: list[dict[str, Any]] = []
        messages = iter([{"type": "http.request", "body": request.body or b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(messages, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            found.append(message)

        await self.app(scope, receive, send)
        return int(found[0]["status"]), b"".join(one.get("body", b"") for one in found[1:])

    def what_is_not_shown(self) -> Iterator[str]:
        """The collections that can't be shown or are no JSON, each with the error."""
        names = [table.name for table in SERVED if not table.links and not table.gathered]
        for name in [*names, FIELD_NATION_ORDERS, LANSWEEPER_ASSETS, LANSWEEPER_FIELDS]:
            try:
                json.loads(encode(wire_records(self.world, name)), parse_constant=_no_number)
            except Exception as error:
                yield f"{name}: {type(error).__name__}: {error}"


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


async def _requests(draw: Random, vendors: Vendors, kind: str) -> AsyncIterator[Request]:
    if kind == "lansweeper":
        for request in _graphql(draw, vendors):
            yield request
        return
    from schemathesis import GenerationMode

    operation = draw.choice(await served(kind))
    mode = draw.choice((GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    for case in drawn(operation.as_strategy(generation_mode=mode), draw):
        yield _request(draw, vendors, kind, case)


def drawn(strategy: Any, draw: Random) -> list[Any]:
    """The examples that hypothesis draws from a strategy under a seed of ours; none where there are none."""
    found: list[Any] = []

    @hypothesis.seed(draw.getrandbits(32))
    @hypothesis.settings(
        max_examples=A_NUMBER,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def keep(example: Any) -> None:
        found.append(example)

    with suppress(hypothesis.errors.Unsatisfiable):
        keep()
    return found


async def served(kind: str) -> list[Any]:
    """The operations of a vendor's file that the sandbox serves, which it is asked."""
    if kind not in _SERVED:
        vendors, found = Vendors(), []
        for operation in _operations(kind):
            path = re.sub(r"\{[^}]*\}", "1", operation.path)
            request = Request(kind, operation.method.upper(), *vendors.address(kind, path, {}), None)
            _, content = await vendors.send(request)
            if not any(words in content.decode() for words in NOT_SERVED):
                found.append(operation)
        _SERVED[kind] = found
    return _SERVED[kind]


_SERVED: dict[str, list[Any]] = {}


def _operations(kind: str) -> list[Any]:
    text = json.loads((REFERENCE / FILES[kind]).read_text(encoding="utf-8"))
    for name, schema in text["components"]["schemas"].items():
        _narrow(schema, refers=name.endswith("Reference"))
    for parameters in [text["components"].get("parameters", {}).values(), *_parameters(text)]:
        for one in parameters:
            if one.get("in") == "path" and one["schema"].get("type") == "integer":
                one["schema"] = {"type": "integer", "enum": list(NEAR)}
    import schemathesis

    found: list[Any] = list(schemathesis.openapi.from_dict(text).get_all_operations())
    return [one.ok() for one in found]


def _parameters(text: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for path in text["paths"].values():
        for part in (path, *(path[name] for name in METHODS if name in path)):
            yield part.get("parameters", [])


def _narrow(schema: Any, *, refers: bool = False) -> None:
    """Describe the members alone, and ids that may exist: all else is refused before it is looked at."""
    if isinstance(schema, list):
        for one in schema:
            _narrow(one)
    if not isinstance(schema, dict):
        return
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
        schema["properties"].pop("_info", None)
        if refers and "id" in schema["properties"]:
            schema["properties"]["id"] = {"type": "integer", "enum": list(NEAR)}
    for one in schema.values():
        _narrow(one)


def _request(draw: Random, vendors: Vendors, kind: str, case: Any) -> Request:
    """The drawn case as bytes, here and there with ids that exist, pieces of conditions, or bytes changed."""
    names = {name: _near(draw, vendors, name, value) for name, value in (case.path_parameters or {}).items()}
    path = re.sub(
        r"\{([^}]*)\}", lambda one: quote(str(names.get(one[1], "1")), safe=""), case.operation.path
    )
    query = dict(case.query or {})
    if case.method == "GET" and draw.random() < 0.4:
        pieces = (" ".join(draw.choices(WORDS, k=draw.choice((1, 1, 2, 3, 7, 12)))) for _ in range(2))
        query |= dict(zip(draw.sample(QUERIES, 2), pieces, strict=True))
    if case.method == "PATCH" and isinstance(case.body, list):
        _aim(draw, case.operation.path, case.body)
    given = case.body
    if isinstance(given, dict | list) and draw.random() < 0.3:
        given = warped(draw, given)
    body = _bytes_of(given)
    if body and draw.random() < 0.2:
        body = garbled(draw, body)
    target, headers = vendors.address(kind, path, query)
    headers["content-type"] = draw.choices(("application/json", case.media_type or "text/plain"), (9, 1))[0]
    return Request(f"{kind}: {case.method}", case.method, target, headers, body)


def _aim(draw: Random, path: str, operations: list[Any]) -> None:
    """Let the operations of a PATCH meet members of the record, in all forms of a path."""
    names = _MEMBERS.get(path.removesuffix("/{id}").lower(), ("name",))
    for one in operations:
        if isinstance(one, dict) and draw.random() < 0.8:
            one["path"] = draw.choice(("{}", "/{}", "{}/id", "{}/0", "{}/-", "/{}/1/value", "{}/x")).format(
                draw.choice(names)
            )
            one["op"] = draw.choice(("add", "replace", "remove", "Replace", "test"))
            one["value"] = draw.choice(
                (None, 1, -1, 1e300, "x", "", [], {}, [{}], [{"id": 1}], {"id": 2}, True)
            )


_MEMBERS = {table.route.lower(): tuple(table.fields) for table in SERVED}


def _near(draw: Random, vendors: Vendors, name: str, value: Any) -> Any:
    if name in ("work_order_id", "workOrderId"):
        return draw.choices((vendors.order, value), (9, 1))[0]
    if name == "reportName" and draw.random() < 0.8:
        return "ConfigurationAgreement"
    return value


def _bytes_of(body: Any) -> Body:
    if type(body).__name__ == "NotSet":
        return None
    if isinstance(body, bytes | str):
        return body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return json.dumps(body).encode("utf-8", "surrogatepass")


def warped(draw: Random, value: Any) -> Any:
    """The value with one inner value, or the name of one, exchanged for something odd of any kind."""
    if isinstance(value, dict) and value and draw.random() < 0.9:
        name = draw.choice(list(value))
        kept = {**value, name: warped(draw, value[name])}
        if draw.random() < 0.05:
            kept["\ud83d"] = kept.pop(name)
        return kept
    if isinstance(value, list) and value and draw.random() < 0.9:
        at = draw.randrange(len(value))
        return [*value[:at], warped(draw, value[at]), *value[at + 1 :]]
    return draw.choice(STRANGE)


def garbled(draw: Random, body: bytes) -> bytes:
    """The bytes cut, doubled, exchanged, or with something in between that no reader likes."""
    at, further = sorted(draw.choices(range(len(body) + 1), k=2))
    match draw.randrange(5):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + body[at:further] * 2 + body[further:]
        case 2:
            return body[:at] + bytes(draw.choices(range(256), k=3)) + body[at:]
        case 3:
            return body[:at] + draw.choice(ODD) + body[further:]
        case _:
            return re.sub(rb"[0-9]+|true|false|null", lambda _: draw.choice(ODD), body)


def _graphql(draw: Random, vendors: Vendors) -> Iterator[Request]:
    """Documents that the served schema allows, for the real site and with words exchanged."""
    from hypothesis_graphql import mutations, queries

    documents = drawn(draw.choice((queries, mutations))(SDL), draw)
    headers = {"authorization": f"Token {vendors.world.credentials.access_token}"}
    headers["content-type"] = "application/json"
    site = json.dumps(vendors.world.credentials.site_id)
    for document in documents:
        text = re.sub(r"(site\(id: )[^)]*", lambda one: one[1] + site, document)
        if draw.random() < 0.2:
            text = garbled(draw, text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
        asked: dict[str, Any] = {"query": text, "variables": draw.choice(({}, None, [], {"a": 1}))}
        body = json.dumps(asked).encode()
        body = garbled(draw, body) if draw.random() < 0.1 else body
        yield Request("lansweeper: POST", "POST", GRAPHQL, headers, body)

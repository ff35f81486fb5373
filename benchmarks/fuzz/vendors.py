"""Right answers of the three vendors in small, and every client operation to ask for them.

``answer_of`` is what a healthy vendor says to a request; ``answers`` damages one of them for each input.
"""

from __future__ import annotations

import base64
import json
import uuid
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.fuzz.tally import Tried
from connectors.connectwise.block import check_connection as check_connectwise
from connectors.connectwise.bulk_reads import BundleAnswer, BundleItem
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.errors import ConnectionCheck
from connectors.field_nation.block import check_connection as check_field_nation
from connectors.field_nation.client import FieldNationClient
from connectors.field_nation.settings import FieldNationSettings
from connectors.lansweeper.api import LansweeperApi
from connectors.lansweeper.block import check_connection as check_lansweeper
from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.models import AssetEdit, EditOutcome
from connectors.lansweeper.settings import LansweeperSettings
from tasks.rules.bulk import join_bulk_answer

PRIVATE, PUBLIC = "PrivateKeyOfTheCampaign1", "PublicKeyOfTheCampaign2"
CLIENT_SECRET, PASSWORD = "ClientSecretOfTheCampaign3", "PasswordOfTheCampaign4"
WEBHOOK_SECRET = str(uuid.UUID(int=15))
ACCESS, REFRESH = "AccessTokenOfTheCampaign6", "RefreshTokenOfTheCampaign7"
SITE = "00000000-0000-4000-8000-000000000001"


def _sealed(content: dict[str, Any]) -> str:
    """A Lansweeper token: its content, and the checksum that ends it."""
    encoded = base64.b64encode(json.dumps(content).encode()).decode()
    signed = int.from_bytes(zlib.crc32(encoded.encode()).to_bytes(4, "big"), "big", signed=True)
    return f"lsp_{encoded}{format(signed, 'x').rjust(11, '0')}"


LANSWEEPER_TOKEN = _sealed({"pat": "0123456789abcdef", "site_region": {SITE: "eu"}})
OWN: dict[str, tuple[str, ...]] = {
    "connectwise": (PRIVATE, PUBLIC),
    "lansweeper": (LANSWEEPER_TOKEN,),
    "field_nation": (CLIENT_SECRET, PASSWORD, WEBHOOK_SECRET, ACCESS, REFRESH),
}
"""Credentials of each client, which no error of it may show wherever they stand."""
SECRETS = frozenset(secret for own in OWN.values() for secret in own)
WEBHOOK = "11111111-0000-4000-8000-000000000001"
COLUMNS = ("AgreementRecId", "ConfigurationRecId")
PAGES = 3
Client = ConnectWiseClient | LansweeperClient | FieldNationClient
Body = Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a client; ``creates``: its request makes a record. ``once``: it is never repeated."""

    name: str
    vendor: str
    call: Callable[[Any], Awaitable[Any]]
    creates: bool = False

    @property
    def once(self) -> bool:
        return self.creates or self.name in _ONCE


_ONCE = ("connectwise: replace_configurations",)


def opened(vendor: str, address: str = "", **options: Any) -> Client:
    """A client of that vendor, or of a server on this machine at ``address``."""
    if vendor == "connectwise":
        site = address or "na.myconnectwise.net"
        given = ConnectWiseSettings(site, "bluelight", PUBLIC, PRIVATE, str(uuid.UUID(int=1)))
        return ConnectWiseClient(given, **options)
    if vendor == "lansweeper":
        return LansweeperClient(LansweeperSettings(LANSWEEPER_TOKEN, SITE, address), **options)
    return FieldNationClient(
        FieldNationSettings(
            "client-1",
            CLIENT_SECRET,
            "buyer",
            PASSWORD,
            webhook_secret=WEBHOOK_SECRET,
            base_address=address,
        ),
        **options,
    )


def prepared(vendor: str, **options: Any) -> Client:
    """A client that waits in no time."""
    clock = _Clock()
    client = opened(vendor, sleep=clock.sleep, **options)
    if isinstance(client, LansweeperApi):
        # Its cool-down waits until its clock says so.
        limiter: Any = client.session._limiter
        limiter._now = clock.now
    return client


async def outcome_of(operation: Operation, client: Client, tried: Tried) -> str:
    """Carries the operation out; a check of the connection tells in words how it went."""
    async with client:
        found = await operation.call(client)
    tried.texts += texts_in(operation, found, client)
    return "ok"


def texts_in(operation: Operation, found: Any, client: Client) -> list[str]:
    """The vendor's words that an operation hands on as its value, for people to read."""
    if isinstance(found, ConnectionCheck):
        return [str(found)]
    if operation.name.endswith("_configurations"):
        return [each.message for each in join_bulk_answer(1, found, client.session.redact)]
    listed = found if isinstance(found, list) else []
    return [each.message for each in listed if isinstance(each, BundleAnswer | EditOutcome)]


class _Clock:
    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds


async def every(pages: AsyncIterator[Any]) -> list[Any]:
    """All pages of an operation."""
    return [page async for page in pages]


def operations() -> list[Operation]:
    """Every operation of the three clients."""
    return [*_connectwise(), *_lansweeper(), *_field_nation()]


_PATCH: Any = [{"op": "replace", "path": "name", "value": "x"}]


def _connectwise() -> list[Operation]:
    calls: dict[str, Callable[[ConnectWiseClient], Awaitable[Any]]] = {
        "check_connection": check_connectwise,
        "company_info": lambda c: c.company_info(),
        "newest_version": lambda c: c.newest_version(),
        "list": lambda c: c.configurations.list("id > 0"),
        "list by page": lambda c: c.companies.list(page=1, page_size=2),
        "list in order": lambda c: c.contacts.list(order_by="name asc", fields="name"),
        "pages": lambda c: every(c.tickets("service").pages(fields="id,summary", page_size=2)),
        "count": lambda c: c.configurations.count(),
        "get": lambda c: c.tickets("project").get(5),
        "patch": lambda c: c.tickets("service").patch(5, _PATCH),
        "delete": lambda c: c.callbacks.delete(8),
        "count_report": lambda c: c.count_report("ConfigurationAgreement"),
        "report_rows": lambda c: every(c.report_rows("ConfigurationAgreement", COLUMNS, page_size=2)),
        "bundle": lambda c: c.bundle([BundleItem("ticketconfiguration", parent_id=n) for n in (5, 6)]),
        "search_tickets": lambda c: every(c.search_tickets("service", "id > 0", page_size=2)),
        "replace_configurations": lambda c: c.replace_configurations([{"id": 1}]),
        "change_configuration_type": lambda c: c.change_configuration_type(5, 2),
    }
    creates: dict[str, Callable[[ConnectWiseClient], Awaitable[Any]]] = {
        "create": lambda c: c.configurations.create({"name": "x"}),
        "create note": lambda c: c.ticket_notes("service", 5).create({"text": "x"}),
        "create_configurations": lambda c: c.create_configurations([{"name": "x"}]),
    }
    return _named("connectwise", calls, creates)


def _lansweeper() -> list[Operation]:
    fields = ["assetBasicInfo.name"] + [f"assetCustom.f{number}" for number in range(40)]
    calls: dict[str, Callable[[LansweeperClient], Awaitable[Any]]] = {
        "check_connection": check_lansweeper,
        "authorized_sites": lambda c: c.authorized_sites(),
        "site": lambda c: c.site(),
        "site_id": lambda c: c.site_id(),
        "site_mutations": lambda c: c.site_mutations(),
        "asset_types": lambda c: c.asset_types(SITE),
        "custom_fields": lambda c: c.custom_fields(SITE),
        "asset_pages": lambda c: every(c.asset_pages(SITE, fields[:3], page_size=2)),
        "asset_pages joined": lambda c: every(c.asset_pages(SITE, fields, page_size=2)),
        "edit_asset": lambda c: c.edit_asset(SITE, "a", {}),
        "edit_assets": lambda c: c.edit_assets(SITE, [AssetEdit(key, {}) for key in "abc"]),
    }
    creates: dict[str, Callable[[LansweeperClient], Awaitable[Any]]] = {
        "create_custom_field": lambda c: c.create_custom_field(SITE, "x"),
    }
    return _named("lansweeper", calls, creates)


def _field_nation() -> list[Operation]:
    calls: dict[str, Callable[[FieldNationClient], Awaitable[Any]]] = {
        "check_connection": check_field_nation,
        "get_work_order": lambda c: c.get_work_order(7),
        "update_work_order": lambda c: c.update_work_order(7, {"title": "x"}),
        "list_work_orders": lambda c: c.list_work_orders(),
        "work_orders_pages": lambda c: every(c.work_orders_pages(page_size=2)),
        "search_work_orders": lambda c: c.search_work_orders("x"),
        "work_orders_created": lambda c: c.work_orders_created("2026-11-01", "2026-11-02"),
        "publish_work_order": lambda c: c.publish_work_order(7),
        "approve_work_order": lambda c: c.approve_work_order(7),
        "cancel_work_order": lambda c: c.cancel_work_order(7, "x"),
        "list_set_up": lambda c: c.list_set_up("/templates"),
        "list_messages": lambda c: c.list_messages(7),
        "list_custom_fields": lambda c: c.list_custom_fields(7),
        "list_webhook_events": lambda c: c.list_webhook_events(),
        "list_webhooks": lambda c: c.list_webhooks(),
        "update_webhook": lambda c: c.update_webhook(WEBHOOK, {"status": "active"}),
        "delete_webhook": lambda c: c.delete_webhook(WEBHOOK),
    }
    creates: dict[str, Callable[[FieldNationClient], Awaitable[Any]]] = {
        "create_work_order": lambda c: c.create_work_order({"title": "x"}),
        "post_message": lambda c: c.post_message(7, "x"),
        "create_webhook": lambda c: c.create_webhook("https://x.example/fn", ["workorder.created"]),
    }
    return _named("field_nation", calls, creates)


def _named(
    vendor: str,
    calls: Mapping[str, Callable[[Any], Awaitable[Any]]],
    creates: Mapping[str, Callable[[Any], Awaitable[Any]]],
) -> list[Operation]:
    found = [Operation(f"{vendor}: {name}", vendor, call) for name, call in calls.items()]
    return found + [
        Operation(f"{vendor}: {name}", vendor, call, creates=True) for name, call in creates.items()
    ]


def is_first_step(request: httpx.Request) -> bool:
    """Whether the request only prepares an operation: the codebase's look-up, a log in."""
    return "/login/companyinfo/" in request.url.path or "/oauth/token" in request.url.path


def answer_of(vendor: str, request: httpx.Request) -> tuple[Body, dict[str, str]]:
    """The body, None for an empty one, and the headers of a healthy vendor's answer."""
    reading: Callable[[httpx.Request], tuple[Body, dict[str, str]]] = {
        "connectwise": _of_connectwise, "lansweeper": _of_lansweeper, "field_nation": _of_field_nation
    }[vendor]  # fmt: skip
    return reading(request)


def _record(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"record {number}",
        "summary": "the printer",
        "company": {
            "id": 2,
            "identifier": "acme",
            "name": "Acme",
            "_info": {"company_href": "https://x.example"},
        },
        "status": {"id": 1, "name": "New", "sort": 0},
        "closedFlag": False,
        "customFields": [{"id": 4, "caption": "ls_asset_id", "type": "Text", "value": "a"}],
        "_info": {"lastUpdated": "2026-11-29T10:00:00Z", "updatedBy": "x"},
    }


def _of_connectwise(request: httpx.Request) -> tuple[Body, dict[str, str]]:
    path, params = request.url.path, request.url.params
    if "/login/companyinfo/" in path:
        return {
            "CompanyName": "Blue", "Codebase": "v2026_3/", "VersionCode": "v2026.3",
            "VersionNumber": "v4.6.100", "CompanyID": "bluelight", "IsCloud": "True",
        }, {}  # fmt: skip
    if path.endswith("/count"):
        return {"count": 6}, {}
    if path.endswith("/bundles"):
        return {"results": [
            {"sequenceNumber": n, "success": True, "statusCode": 200, "count": 1, "entities": [_record(n)]}
            for n in (1, 2)
        ]}, {}  # fmt: skip
    if "/system/reports/" in path:
        page = int(params.get("page", 1))
        rows = [[page, 2 * page], [page, 2 * page + 1]][: 2 if page < PAGES else 1]
        return {
            "column_definitions": [{name: {"type": "Numeric"}} for name in COLUMNS],
            "row_values": rows,
        }, _link(request, "page", page)
    if path.endswith("/tickets/search"):
        conditions = json.loads(request.content)["conditions"]
        last = int(conditions.rpartition("id > ")[2]) if ") and id > " in conditions else 0
        return [_record(last + 1), _record(last + 2)] if last < 2 * PAGES else [], {}
    if path.endswith("/bulk"):
        return [{"resource": {"id": 1}, "success": True, "statusCode": 201, "data": _record(1)}], {}
    if request.method == "DELETE":
        return None, {}
    number = path.rpartition("/")[2]
    if request.method in ("POST", "PATCH") or number.isdecimal():
        return _record(int(number) if number.isdecimal() else 5), {}
    if request.headers.get("pagination-type") == "forward-only":
        last = int(params.get("pageId", 0))
        following = _link(request, "pageId", last // 2 + 1, last + 2) or {"Link": ""}
        return [_record(last + 1), _record(last + 2)], following
    page = int(params.get("page", 1))
    return [_record(2 * page), _record(2 * page + 1)], _link(request, "page", page)


def _link(request: httpx.Request, name: str, page: int, mark: int | None = None) -> dict[str, str]:
    if page >= PAGES:
        return {}
    following = request.url.copy_set_param(name, page + 1 if mark is None else mark)
    return {"Link": f'<{following}>; rel="next"'}


def _of_lansweeper(request: httpx.Request) -> tuple[Body, dict[str, str]]:
    asked = json.loads(request.content)
    field = {"key": "f1", "name": "cw_sla", "type": "INPUT", "props": {"options": ["a"], "linkTag": None}}
    named: dict[str, Any] = {
        "assetTypes": ["Windows", "Printer"],
        "customFields": [field],
        "createCustomField": field,
        "editAsset": {
            "assetBasicInfo": {"name": "a"},
            "assetCustom": {"fields": [{"fieldKey": "f1", "value": "x"}]},
        },
        "editAssets": None,
        "assetResources": None,
    }
    name, variables = asked["operationName"], asked["variables"]
    headers = {"x-ratelimit-limit": "150", "x-ratelimit-remaining": "149", "x-ratelimit-reset": "1700000000"}
    if name == "authorizedSites":
        return {"data": {"authorizedSites": {"sites": [{"id": SITE, "name": "acme"}]}}}, headers
    if name == "siteMutations":
        return {"data": {"__type": {"fields": [{"name": "editAsset"}]}}}, headers
    if name == "editAssets":
        return {"data": {"site": {f"e{n}": {"assetBasicInfo": {"name": "a"}} for n in range(3)}}}, headers
    if name == "assetResources":
        start = int(variables["page"].get("cursor") or 0)
        items = [
            {
                "key": f"k{n}",
                "assetBasicInfo": {"name": "a"},
                "assetCustom": {f[12:]: n for f in variables["fields"][2:]},
            }
            for n in (start, start + 1)
        ]
        following = str(start + 2) if start < 2 * (PAGES - 1) else None
        named[name] = {"total": 2 * PAGES, "pagination": {"limit": 2, "next": following}, "items": items}
    return {"data": {"site": {name: named[name]}}}, headers


def _of_field_nation(request: httpx.Request) -> tuple[Body, dict[str, str]]:
    path, params = request.url.path, request.url.params
    if "/oauth/token" in path:
        return {
            "access_token": ACCESS,
            "refresh_token": REFRESH,
            "expires_in": 3600,
            "token_type": "bearer",
        }, {}
    last = path.rpartition("/")[2]
    if "/api/v1/" in path:
        webhook = {
            "id": WEBHOOK,
            "url": "https://x.example",
            "events": ["a"],
            "status": "active",
            "secret": WEBHOOK_SECRET,
        }
        result = webhook if request.method != "GET" else [webhook]
        return {"metadata": {"total": 1}, "result": result}, {}
    if last == "workorders" and request.method == "GET":
        page = int(params["page"])
        metadata = {"page": page, "pages": PAGES, "per_page": 2, "total": 2 * PAGES}
        return {
            **dict(params),
            "metadata": metadata,
            "results": [_work_order(2 * page), _work_order(2 * page + 1)],
        }, {}
    if last == "messages":
        return {
            "results": [{"msg_id": "12", "message": "x", "replies": [{"msg_id": "13", "message": "y"}]}]
        }, {}
    if last == "templates":
        return {"results": [{"id": 1, "name": "x"}]}, {}
    if last == "custom_fields":
        return {"results": [{"name": "g", "results": [{"id": 1, "name": "Serial", "value": "x"}]}]}, {}
    return _work_order(7), {}


def _work_order(number: int) -> dict[str, Any]:
    status = {"id": 2, "name": "Published", "code": "p"}
    return {
        "id": number,
        "title": "x",
        "status": status,
        "company": {"id": 9},
        "pay": {"type": "fixed", "base": {"amount": 9.5}},
    }

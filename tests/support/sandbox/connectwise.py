"""A small ConnectWise of the sandbox, called in-process: for the tests of that side alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.connectwise.app import connectwise_app
from sandbox.connectwise.schema.tables import PODS
from sandbox.connectwise.store import Store
from sandbox.switches import Switches

ROOT = "http://psa.test/v4_6_release/apis/3.0"
CONFIGURATIONS = "company/configurations"


MEMBER = {
    "identifier": "jdoe", "firstName": "Jo", "lastName": "Doe", "licenseClass": "F",
    "securityRole": {"id": 1},
    "hireDate": "2020-01-01T00:00:00Z", "defaultEmail": "Office", "defaultPhone": "Office",
}  # fmt: skip


@dataclass(frozen=True)
class Credentials:
    company_id: str = "acme"
    public_key: str = "pub"
    private_key: str = "priv"
    client_id: str = "11111111-2222-3333-4444-555555555555"


@dataclass
class World:
    store: Store
    switches: Switches = field(default_factory=Switches)
    credentials: Credentials = field(default_factory=Credentials)


def small_world() -> World:
    """Two companies with a site and a contact each, two types with questions, five custom fields."""
    store = Store()
    for identifier, name in (("BlueLightCo", "Blue Light, Co."), ("Other", "Other Ltd")):
        company = store.insert("company/companies", {"identifier": identifier, "name": name})["id"]
        store.insert("company/sites", {"companyId": company, "name": "Main"})
        store.insert("company/contacts", {"firstName": "Ada", "lastName": name, "company": {"id": company}})
    _insert_setup(store)
    return World(store)


def _insert_setup(store: Store) -> None:
    store.insert("company/configurations/statuses", {"description": "Active", "defaultFlag": True})
    store.insert("company/configurations/statuses", {"description": "Retired", "closedFlag": True})
    for name in ("Server", "Printer"):
        store.insert("company/configurations/types", {"name": name})
    for number, words in ((1, "Rack?"), (2, "Room?")):
        question = {"typeId": 1, "question": words, "fieldType": "Text", "entryType": "EntryField"}
        store.insert("company/configurations/types/questions", {**question, "sequenceNumber": number})
    toner = {"typeId": 2, "question": "Toner?", "fieldType": "Text", "entryType": "EntryField"}
    store.insert("company/configurations/types/questions", {**toner, "sequenceNumber": 1})
    store.insert("procurement/manufacturers", {"name": "Dell"})
    store.insert("system/myCompany/corporateStructureLevels", {"name": "Location"})
    store.insert("system/locations", {"name": "HQ", "structureLevel": {"id": 1}})
    store.insert("system/departments", {"identifier": "IT", "name": "Information Technology"})
    store.insert("system/securityRoles", {"name": "Admin"})
    store.insert("system/members", MEMBER)
    for number, caption in enumerate(("ls_asset_id", "ls_asset_url", "ls_software"), start=1):
        insert_custom_field(store, caption, number, "TextArea" if caption == "ls_software" else "Text")
    insert_custom_field(store, "rack_units", 4, "Number")
    insert_custom_field(store, "leased", 5, "Checkbox")


def insert_custom_field(store: Store, caption: str, number: int, kind: str) -> None:
    """One custom field of configurations."""
    pod = PODS[CONFIGURATIONS][0]
    shape = {"podId": pod, "caption": caption, "sequenceNumber": number, "fieldTypeIdentifier": kind}
    store.insert("system/userDefinedFields", shape)


def configuration(**members: Any) -> dict[str, Any]:
    """The smallest body of a configuration, with members laid over."""
    return {"name": "srv-1", "type": {"id": 1}, "company": {"id": 1}, **members}


def insert_configurations(world: World, *records: dict[str, Any]) -> list[int]:
    """Put configurations into the store as data, unchecked; their ids."""
    return [world.store.insert(CONFIGURATIONS, configuration(**one))["id"] for one in records]


def basic(world: World, **changes: str) -> str:
    """The Authorization header, with parts of the credentials exchanged."""
    known = world.credentials
    parts = {"company": known.company_id, "public": known.public_key, "private": known.private_key, **changes}
    return "Basic " + base64.b64encode("{company}+{public}:{private}".format(**parts).encode()).decode()


@contextmanager
def caller(world: World, fault: dict[str, Any] | None = None) -> Iterator[httpx.AsyncClient]:
    """A client with the right keys; `fault` reaches the server as the sandbox's middleware hands it on."""
    app = connectwise_app(world)

    async def disturbed(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "sandbox.fault": fault}, receive, send)

    headers = {"clientId": world.credentials.client_id, "Authorization": basic(world)}
    yield httpx.AsyncClient(transport=httpx.ASGITransport(app=disturbed), base_url=ROOT, headers=headers)


async def names(client: httpx.AsyncClient, **params: Any) -> list[str]:
    """The names of the configurations that a list request gives."""
    response = await client.get("/company/configurations", params=params)
    assert response.status_code == 200, response.text
    return [record["name"] for record in response.json()]

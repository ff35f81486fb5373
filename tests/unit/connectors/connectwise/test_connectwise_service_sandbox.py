"""Tickets, boards and related records of the ConnectWise client, against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import equals
from connectors.connectwise.models import PatchOperation
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.errors import RejectedError, UnclearOutcomeError
from deployments.local.sandbox import Sandbox

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[ConnectWiseClient]:
    info = sandbox.info["connectwise"]
    names = ("site", "company_id", "public_key", "private_key", "client_id")
    settings = ConnectWiseSettings(**{name: info[name] for name in names})
    async with ConnectWiseClient(settings) as client:
        yield client


async def test_a_ticket_is_made_closed_and_read(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    made = await client.tickets("service").create({"summary": "x", "company": {"id": sandbox.company_id}})
    statuses = await client.board_statuses(made["board"]["id"]).list()
    closed = next(status["id"] for status in statuses if status["closedStatus"])
    operation: PatchOperation = {"op": "replace", "path": "status", "value": {"id": closed}}
    patched = await client.tickets("service").patch(made["id"], [operation])
    assert patched["status"]["id"] == closed
    read = await client.tickets("service").get(made["id"], fields="id,closedFlag")
    assert read == {"id": made["id"], "closedFlag": True}


async def test_a_status_of_another_board_is_refused(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    made = await client.tickets("service").create({"summary": "x", "company": {"id": sandbox.company_id}})
    boards = {board["id"] for board in await client.boards.list()} - {made["board"]["id"]}
    (foreign, *_) = await client.board_statuses(min(boards)).list()
    operation: PatchOperation = {"op": "replace", "path": "status", "value": {"id": foreign["id"]}}
    with pytest.raises(RejectedError, match="not found for"):
        await client.tickets("service").patch(made["id"], [operation])


async def test_a_ticket_whose_answer_is_lost_is_sent_once(
    sandbox: Sandbox, client: ConnectWiseClient
) -> None:
    sandbox.faults([{"method": "POST", "path": "/service/tickets", "fault": {"kind": "drop_after"}}])
    with pytest.raises(UnclearOutcomeError):
        await client.tickets("service").create({"summary": "lost", "company": {"id": sandbox.company_id}})
    assert await client.tickets("service").count(equals("summary", "lost")) == 1


async def test_related_records_are_read_one_by_one(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    (site, *_) = await client.sites(sandbox.company_id).list()
    (contact, *_) = await client.contacts.list()
    (board, *_) = await client.boards.list()
    (member, *_) = await client.members.list()
    assert await client.companies.get(sandbox.company_id, "id") == {"id": sandbox.company_id}
    assert await client.sites(sandbox.company_id).get(site["id"], "id,name") == {
        "id": site["id"],
        "name": site["name"],
    }
    assert await client.contacts.get(contact["id"], "id") == {"id": contact["id"]}
    assert (await client.boards.get(board["id"]))["name"] == board["name"]
    assert (await client.members.get(member["id"]))["identifier"] == member["identifier"]
    with pytest.raises(RejectedError):
        await client.sites(sandbox.company_id).get(99_999)

"""The receiver and the sandbox's own callbacks and webhooks: real deliveries, doubled, forged, repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.field_nation.client import FieldNationClient
from connectors.field_nation.settings import FieldNationSettings
from deployments.local.sandbox import Sandbox
from deployments.receiver.app import Receiver
from deployments.receiver.server import server_config
from deployments.receiver.settings import receiver_settings
from tasks.dispatch.registration import (
    Registration,
    RegistrationRequest,
    register_connectwise,
    register_field_nation,
)
from tasks.dispatch.settings import DispatchSettings
from tests.support.receiver import SECRET, serving
from tests.support.sandbox.field_nation import WHOLE

pytestmark = pytest.mark.anyio
CONNECTWISE_KEYS = ("site", "company_id", "public_key", "private_key", "client_id")
FIELD_NATION_KEYS = ("client_id", "client_secret", "username", "password", "base_address")


@asynccontextmanager
async def registered(sandbox: Sandbox, folder: Path) -> AsyncIterator[tuple[Receiver, FieldNationClient]]:
    """A receiver that both vendors send to."""
    info = sandbox.info
    account = {name: info["connectwise"][name] for name in CONNECTWISE_KEYS}
    environment = {f"CONNECTWISE_{name.upper()}": value for name, value in account.items()}
    environment |= {"FIELD_NATION_WEBHOOK_SECRET": SECRET, "CONNECTWISE_FLOWS_RECEIVER_PORT": "0"}
    settings = receiver_settings(environment | {"CONNECTWISE_FLOWS_LEDGER": str(folder / "ledger.db")})
    theirs = FieldNationSettings(
        **{name: info["field_nation"][name] for name in FIELD_NATION_KEYS}, webhook_secret=SECRET
    )
    config = server_config(settings)
    async with (
        serving(config) as address,
        ConnectWiseClient(ConnectWiseSettings(**account)) as client,
        FieldNationClient(theirs) as field_nation,
    ):
        asked = RegistrationRequest(Registration.CREATE, address, dry_run=False)
        await register_connectwise(client, asked, DispatchSettings())
        await register_field_nation(field_nation, asked, DispatchSettings())
        app: Any = config.app
        yield app.state.receiver, field_nation


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not met():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_callbacks_come_once_and_forged_and_old_ones_do_not(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.reset(assets=2, tickets=3, scenario="dispatch")
    async with registered(sandbox, tmp_path) as (receiver, _):
        sandbox.callbacks("PUT", body={"duplicate": 1.0})
        ticket = sandbox.state("service/tickets")[0]["id"]
        for summary in ("One", "Two"):
            sandbox.edit("service/tickets", ticket, {"summary": summary})
        await until(lambda: receiver.counts.of("duplicates") == 2)
        assert receiver.counts.of("handed_over", "connectwise") == 2
        for how in ("signature", "unsigned", "body", "key_url", "replay"):
            sandbox.callbacks("POST", "forge", {"how": how})
        await until(lambda: receiver.counts.of("received") == 9)
        await until(lambda: receiver.counts.of("refused") == 4 and receiver.counts.of("duplicates") == 3)
        sandbox.callbacks("POST", "rotate-key")
        sandbox.edit("service/tickets", ticket, {"summary": "Three"})
        await until(lambda: receiver.counts.of("handed_over", "connectwise") == 3)
    assert {one["outcome"] for one in sandbox.callbacks() if one["kind"] == "genuine"} == {"delivered"}


async def test_webhooks_come_once_and_again_after_a_failure(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.reset(assets=2, switches={"field_nation_webhook_retries": [0.1, 0.1, 0.1]})
    async with registered(sandbox, tmp_path) as (receiver, field_nation):
        number = int((await field_nation.create_work_order(WHOLE))["id"])
        await field_nation.publish_work_order(number)
        sandbox.switch(field_nation_webhooks_doubled=1.0)
        sandbox.provider(number, "accept")
        counts = receiver.counts
        await until(
            lambda: counts.of("handed_over") > 0 and counts.of("duplicates") == counts.of("handed_over")
        )
        assert counts.of("refused") + counts.of("put_off") == 0
        [first, *_] = sandbox.field_nation("GET", "deliveries")
        seen = counts.of("duplicates")
        sandbox.field_nation("POST", f"deliveries/{first['deliveryId'].partition(':')[0]}/resend")
        await until(lambda: counts.of("duplicates") == seen + 1)
        kept = counts.of("handed_over")
        sandbox.field_nation("POST", f"deliveries/{first['deliveryId'].partition(':')[0]}/replay")
        await until(lambda: counts.of("duplicates") == seen + 2)
        assert counts.of("handed_over") == kept

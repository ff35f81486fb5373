"""A batch that is refused as a whole for one record: it is found, and the others are written, each once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connectors.connectwise.client import ConnectWiseClient
from connectors.errors import RejectedError, StopError, UnclearOutcomeError
from tasks.asset_sync.quarantine import HELD_FEATURE
from tasks.rules.bulk import SplitAllowance
from tests.support.faults import LEAN, last_writes, opened
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

Records = list[dict[str, Any]]


class Refusing:
    """Refuses bulk requests that hold the chosen record, as one invalid value has them refused.

    ``partly``: the records before it are written all the same, which nobody rules out.
    """

    def __init__(
        self, client: ConnectWiseClient, method: str, *, partly: bool = False, status: int = 400
    ) -> None:
        self.real: Callable[[Records], Awaitable[Any]] = getattr(client, method)
        self.partly = partly
        self.status = status
        self.chosen = ""
        self.sizes: list[int] = []
        self.ids: dict[str, int | None] = {}
        setattr(client, method, self.send)

    async def send(self, records: Records) -> Any:
        self.sizes.append(len(records))
        names = [each["name"] for each in records]
        self.ids |= {each["name"]: each.get("id") for each in records}
        self.chosen = self.chosen or names[len(names) // 3]
        if self.chosen not in names:
            return await self.real(records)
        if self.partly and names.index(self.chosen):
            await self.real(records[: names.index(self.chosen)])
        raise RejectedError(
            "Unexpected character", system="ConnectWise", status=self.status, code="InvalidObject"
        )


@pytest.mark.parametrize(("partly", "status"), [(False, 409), (True, 400)])
async def test_one_record_among_fifty_is_found_and_the_rest_created_once(
    runner: FlowRunner, partly: bool, status: int
) -> None:
    async with opened() as (client, ledger):
        refusing = Refusing(client, "create_configurations", partly=partly, status=status)
        report = await runner.report(mappings=LEAN)
        batches = await ledger.batches.in_flight(runner.tenant, runner.sandbox.company_id, "")
        writes = await last_writes(ledger)
    [failure] = report.failures
    assert (failure.name, failure.operation) == (refusing.chosen, "create")
    assert "InvalidObject" in failure.message
    assert set(runner.asset_keys().values()) == {1}
    assert refusing.chosen not in {each["name"] for each in runner.configurations()}
    # 50, then 25, 13, 7, ... on the side of the culprit, and the other halves.
    assert len(refusing.sizes) <= 20
    assert batches == []
    done = [each.asset_key for each in writes if each.operation == "create" and each.outcome == "done"]
    assert len(done) == len(set(done)) == report.counts.created


@pytest.mark.parametrize(("partly", "status"), [(False, 400), (True, 409)])
async def test_one_modification_is_refused_alone(runner: FlowRunner, partly: bool, status: int) -> None:
    async with opened() as (client, ledger):
        refusing = Refusing(client, "replace_configurations", partly=partly, status=status)
        patch = client.configurations.patch

        async def refuse_patch(record_id: int, operations: Any) -> Any:
            if refusing.ids.get(refusing.chosen) == record_id:
                raise RejectedError("Unexpected character", system="ConnectWise", status=400)
            return await patch(record_id, operations)

        client.configurations.patch = refuse_patch  # type: ignore[method-assign]
        report = await runner.report(mappings=LEAN)
        writes = await last_writes(ledger)
    [failure] = report.failures
    assert (failure.name, failure.operation) == (refusing.chosen, "modify")
    assert report.counts.modified > 1
    assert len(refusing.sizes) <= 20
    # The canary's own repairs stand there too.
    modified = {each.asset_key for each in writes if each.operation == "modify" and each.outcome == "done"}
    assert len(modified) == report.counts.modified


@pytest.mark.parametrize("method", ["create_configurations", "replace_configurations"])
async def test_a_missing_right_in_the_midst_of_splitting_ends_it(runner: FlowRunner, method: str) -> None:
    """A refusal that speaks of no record is not split, and stops what would meet it too."""
    async with opened() as (client, ledger):
        sizes: list[int] = []

        async def refuse(records: Records) -> Any:
            sizes.append(len(records))
            if len(sizes) < 3:
                raise RejectedError("Unexpected character", system="ConnectWise", status=400)
            raise StopError("You do not have access", system="ConnectWise", status=403)

        setattr(client, method, refuse)
        report = await runner.report(mappings=LEAN)
        held = await ledger.quarantine.held(runner.tenant, HELD_FEATURE, runner.sandbox.company_id)
    assert len(sizes) == 3
    assert report.failed
    # What was not sent may be written after all once the right is there.
    assert held == {}


async def test_a_timeout_in_the_midst_of_splitting_creates_nothing_twice(runner: FlowRunner) -> None:
    async with opened() as (client, ledger):
        real = client.create_configurations
        sizes: list[int] = []

        async def unanswered(records: Records) -> Any:
            sizes.append(len(records))
            if len(sizes) == 1:
                raise RejectedError("Unexpected character", system="ConnectWise", status=422)
            answer = await real(records)
            if len(sizes) == 2:
                raise UnclearOutcomeError("No answer came", system="ConnectWise")
            return answer

        client.create_configurations = unanswered  # type: ignore[method-assign]
        report = await runner.report(mappings=LEAN)
        batches = await ledger.batches.in_flight(runner.tenant, runner.sandbox.company_id, "")
    assert (report.failed, batches) == (False, [])
    assert set(runner.asset_keys().values()) == {1}


async def test_what_can_not_be_read_back_is_not_created_again(runner: FlowRunner) -> None:
    """Of an unanswered creation one record comes back without a readable asset key: it may be any of them."""
    async with opened() as (client, _):
        real, pages = client.create_configurations, client.configurations.pages
        sent: list[int] = []

        async def unanswered(records: Records) -> Any:
            sent.append(len(records))
            await real(records[:5])
            raise UnclearOutcomeError("No answer came", system="ConnectWise")

        async def spoilt(*arguments: Any, **search: Any) -> Any:
            async for page in pages(*arguments, **search):
                made = [each for each in page if sent and "id>" in str(search.get("conditions"))]
                for each in made[:1]:
                    each["customFields"] = [None]
                yield page

        client.create_configurations = unanswered  # type: ignore[method-assign]
        client.configurations.pages = spoilt  # type: ignore[method-assign,assignment]
        first = await runner.report(mappings=LEAN)
        assert len(sent) == 1
        assert first.counts.created == 0
        assert any(
            "can't be read, and it may be one that was sent" in each.message for each in first.failures
        )
        client.create_configurations = real  # type: ignore[method-assign]
        client.configurations.pages = pages  # type: ignore[method-assign]
        second = await runner.report(mappings=LEAN)
        assert not second.failed
    assert set(runner.asset_keys().values()) == {1}


async def test_two_culprits_and_a_mixed_answer(runner: FlowRunner) -> None:
    """Two are refused in an answer that accepts the others, and are held; two more have all refused."""
    async with opened() as (client, ledger):
        real = client.create_configurations
        chosen: list[str] = []

        async def refuse(records: Records) -> Any:
            names = [each["name"] for each in records]
            chosen.extend(names[3:24:7] if not chosen else [])
            if set(chosen[:2]) & set(names):
                raise RejectedError("Unexpected character", system="ConnectWise", status=413)
            good = [each for each in records if each["name"] != chosen[2]]
            made = (await real(good))["payload"] if good else []
            if len(good) == len(records):
                return {"payload": made}
            at = names.index(chosen[2])
            error = {"code": "InvalidObject", "message": "No such type"}
            refused = {"success": False, "originalIndex": at, "statusCode": 400, "error": error}
            return {
                "payload": [
                    *({**each, "originalIndex": n + (n >= at)} for n, each in enumerate(made)),
                    refused,
                ]
            }

        client.create_configurations = refuse  # type: ignore[method-assign]
        report = await runner.report(mappings=LEAN)
        held = await ledger.quarantine.held(runner.tenant, HELD_FEATURE, runner.sandbox.company_id)
    assert sorted(each.name for each in report.failures) == sorted(chosen)
    assert sorted(each.name for each in held.values()) == sorted(chosen)
    assert set(runner.asset_keys().values()) == {1}


async def test_a_server_that_refuses_everything_is_not_asked_for_ever(
    runner: FlowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = SplitAllowance.take
    monkeypatch.setattr(SplitAllowance, "take", lambda _, requests: take(allowance, requests))
    sizes: list[int] = []
    allowance = SplitAllowance(4)

    async def refuse(records: Records) -> Any:
        sizes.append(len(records))
        raise RejectedError("No", system="ConnectWise", status=400)

    async with opened() as (client, _):
        monkeypatch.setattr(client, "create_configurations", refuse)
        report = await runner.report(mappings=LEAN)
    assert report.counts.created == 0
    assert len(sizes) < 20
    assert any("not tried alone" in each.message for each in report.failures)

"""Edit Asset in bulk: several edits as one mutation, each outcome joined to its asset, all journalled.

Edits set absolute values, so a request without an answer may be sent again; what is still open when a run is
killed differs at the next run and is written then.

How many edits travel in one mutation, and what Lansweeper counts them as: learned, and remembered.

Lansweeper documents neither a largest number of aliases nor whether each counts against its request limit.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.lansweeper.api import RateState
from connectors.lansweeper.edits import TooManyAliasesError
from connectors.lansweeper.models import AssetEdit, EditOutcome
from connectors.ledger.models import JournalOutcome, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tasks.enrichment.run import EnrichmentRun
from tasks.rules.enrichment.plan import AssetUpdate
from tasks.shared.action import Inventory, action
from tasks.shared.journalled import WriteResult
from tasks.shared.progress import Progress, run_logger
from tasks.shared.retry import retry

WATERMARK = "lansweeper-edits"
TRUSTED_DAYS = 30
"""What was learned longer ago is learned anew."""


class BatchSize:
    """``most`` edits in one request; ``singly``: each of them counts against the request limit."""

    def __init__(self, ledger: Ledger, tenant: str, most: int, *, singly: bool = False) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._limit: int | None = None
        self.most = most
        self.singly = singly

    @classmethod
    async def remembered(cls, run: EnrichmentRun) -> BatchSize:
        """The setting, or less where an earlier run found that the server takes less."""
        tenant = run.assets.settings.credential_key
        known = _still_trusted(await run.ledger.state.get(tenant, WATERMARK))
        size = cls(run.ledger, tenant, run.settings.aliases, singly=bool(known.get("singly")))
        limit = known.get("most")
        if isinstance(limit, int) and limit >= 1:
            size._limit = limit
            size.most = min(size.most, limit)
        return size

    def cost(self, edits: int) -> int:
        """How many requests of the limit a mutation of so many edits takes."""
        return edits if self.singly else 1

    async def halve(self, refused: int, error: ConnectorError) -> None:
        """The server refused so many: take half of them from now on, also in later runs."""
        self.most = self._limit = max(1, refused // 2)
        run_logger().warning("Going on with %d edits a request: %s", self.most, error)
        await self._remember()

    async def learn(self, edits: int, before: RateState | None, after: RateState | None) -> None:
        """Take from the answers' headers whether edits are counted singly.

        Other processes with the same token only ever make the count look larger, so a small count is proof
        and a large one is believed until it is disproved.
        """
        used = after.used_since(before) if after is not None else None
        if edits == 1 or not used:
            return
        singly = used >= edits
        if singly != self.singly:
            self.singly = singly
            run_logger().info("Lansweeper counts %s", "every edit" if singly else "a mutation once")
            await self._remember()

    async def _remember(self) -> None:
        learned = {"most": self._limit, "singly": self.singly, "day": _today().isoformat()}
        await self._ledger.state.set(self._tenant, WATERMARK, learned)


def _today() -> date:
    return datetime.now(UTC).date()


def _still_trusted(known: dict[str, Any] | None) -> dict[str, Any]:
    try:
        learned = date.fromisoformat(str((known or {})["day"]))
    except (KeyError, ValueError):
        return {}
    return known or {} if (_today() - learned).days < TRUSTED_DAYS else {}


OUTAGE = 3
"""So many requests in a row without an answer: the server is away, and the rest is not sent."""

HOPELESS = 75
"""So many refused edits in a row: what refuses them refuses the others too, which are not sent."""


@action("Edit Asset", key="editAssetAction")
async def edit_assets(run: EnrichmentRun, updates: Inventory[AssetUpdate]) -> Results:
    """Write the changed texts of each asset."""
    size = await BatchSize.remembered(run)
    return Results(await Editing(run, size, len(updates)).edit(mixed(updates.records, run.run_id)))


def mixed(updates: Sequence[AssetUpdate], run_id: str) -> list[AssetUpdate]:
    """In another order in every run: assets that are always refused never keep the others from their turn."""
    return random.Random(run_id).sample(updates, len(updates))


class Results:
    """What became of each edit, by asset key. A class of its own, so that Prefect does not look into it."""

    def __init__(self, by_key: dict[str, WriteResult]) -> None:
        self.by_key = by_key


class Editing:
    """The edits of one run. ``stopped``: why the rest is not sent any more."""

    def __init__(self, run: EnrichmentRun, size: BatchSize, total: int) -> None:
        self.run = run
        self.size = size
        self.results: dict[str, WriteResult] = {}
        self.progress = Progress("assets edited", total)
        self.stopped: ConnectorError | None = None
        self.without_answer = 0
        self.refused_in_a_row = 0

    async def edit(self, updates: Sequence[AssetUpdate]) -> dict[str, WriteResult]:
        position = 0
        while position < len(updates):
            batch = updates[position : position + self.size.most]
            try:
                await self._write(batch)
            except TooManyAliasesError as error:
                await self.size.halve(len(batch), error)
                continue
            position += len(batch)
            self.progress.advance(len(batch))
        return self.results

    async def _write(self, batch: Sequence[AssetUpdate]) -> None:
        """Journal and send one batch; the edits whose refusal nobody explains go once more, one by one.

        Raises:
            TooManyAliasesError: nothing was written; send fewer.
        """
        if self.stopped is not None:
            self._fail(batch, f"Not sent: {self.stopped}", written=False)
            return
        write_ids = await self._journal(batch)
        try:
            outcomes = await self._send(batch)
        except TooManyAliasesError:
            if len(batch) > 1:
                await self.run.ledger.journal.record_outcomes(
                    [WriteOutcome(each, "not_sent") for each in write_ids]
                )
                raise
            outcomes = await self._singly(batch)
        await self._take(batch, write_ids, outcomes)

    async def _send(self, batch: Sequence[AssetUpdate]) -> list[EditOutcome]:
        """The outcome of every edit of a batch, in order.

        Raises:
            TooManyAliasesError: nothing was written.
        """
        try:
            outcomes = await self._request(batch)
        except TooManyAliasesError:
            raise
        except RejectedError as error:
            # One edit can spoil the whole document: alone, the others pass.
            run_logger().warning("A batch of %d edits was refused: %s", len(batch), error)
            return await self._singly(batch)
        except (RetryableError, StopError) as error:
            return self._unsent(batch, error)
        return [
            outcome if outcome.ok or outcome.explained or len(batch) == 1 else await self._alone(each)
            for each, outcome in zip(batch, outcomes, strict=True)
        ]

    async def _singly(self, batch: Sequence[AssetUpdate]) -> list[EditOutcome]:
        return [await self._alone(each) for each in batch]

    async def _alone(self, update: AssetUpdate) -> EditOutcome:
        """One edit by itself, so that its refusal is certainly its own."""
        key = update.asset.key
        if self.stopped is not None:
            return EditOutcome(key, False, f"Not sent: {self.stopped}")
        try:
            (outcome,) = await self._request([update])
        except RejectedError as error:
            return EditOutcome(key, False, str(error))
        except (RetryableError, StopError) as error:
            (outcome,) = self._unsent([update], error)
        return outcome

    async def _request(self, batch: Sequence[AssetUpdate]) -> list[EditOutcome]:
        run = self.run
        keys = run.field_keys
        edits = [
            AssetEdit.of_custom_fields(
                each.asset.key, {keys[name]: text for name, text in each.after().items() if name in keys}
            )
            for each in batch
        ]
        before = run.assets.rate
        outcomes = await retry(
            lambda: run.assets.edit_assets(run.site_id, edits, cost=self.size.cost(len(edits))),
            run.settings.waiting,
        )
        self.without_answer = 0
        await self.size.learn(len(edits), before, run.assets.rate)
        return outcomes

    def _unsent(self, batch: Sequence[AssetUpdate], error: ConnectorError) -> list[EditOutcome]:
        """A request without an answer, or with a refusal that holds for every other edit as well."""
        self.without_answer += 1
        waited_out = isinstance(error, RetryableError) and error.retry_after is not None
        if isinstance(error, StopError) or waited_out or self.without_answer >= OUTAGE:
            self.stopped = error
        refused = isinstance(error, StopError)
        return [EditOutcome(each.asset.key, False, str(error), explained=refused) for each in batch]

    async def _journal(self, batch: Sequence[AssetUpdate]) -> list[int]:
        entries = [
            WriteEntry("modify", "asset", None, each.asset.key, each.name, each.before(), each.after())
            for each in batch
        ]
        run = self.run
        return await run.ledger.journal.begin(run.run_id, run.lansweeper, run.company.id, entries)

    async def _take(
        self, batch: Sequence[AssetUpdate], write_ids: Sequence[int], outcomes: Sequence[EditOutcome]
    ) -> None:
        """Keep the outcomes in the results first: they stay true if the journal fails."""
        settled = []
        for each, write_id, outcome in zip(batch, write_ids, outcomes, strict=True):
            key = each.asset.key
            self.results[key] = WriteResult(key, outcome.ok, each.configuration.id, outcome.message)
            settled.append(WriteOutcome(write_id, _journalled(outcome), None, outcome.message or None))
            self.refused_in_a_row = 0 if outcome.ok else self.refused_in_a_row + 1
        if self.refused_in_a_row >= HOPELESS and self.stopped is None:
            self.stopped = StopError(
                f"Lansweeper refused {self.refused_in_a_row} edits in a row",
                remedy="See their messages; the next run begins with others.",
            )
        await self.run.ledger.journal.record_outcomes(settled)

    def _fail(self, batch: Sequence[AssetUpdate], message: str, *, written: bool) -> None:
        for each in batch:
            key = each.asset.key
            self.results[key] = WriteResult(key, False, each.configuration.id, message, written)


def _journalled(outcome: EditOutcome) -> JournalOutcome:
    """A refusal that is not certainly this edit's own may hide a write: the journal says unclear."""
    if outcome.ok:
        return "done"
    return "failed" if outcome.explained else "unclear"

"""The documented action Edit Asset, and its step in a run: several edits as one mutation, all journalled.

Edits set absolute values, so a request without an answer may be sent again; what is still open when a run is
killed differs at the next run and is written then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.lansweeper.api import RateState
from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.edits import TooManyAliasesError
from connectors.lansweeper.models import AssetEdit, EditOutcome
from connectors.ledger.models import JournalOutcome, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tasks.rules.bulk import SplitAllowance, parts
from tasks.rules.lansweeper_input import asset_edit
from tasks.rules.limits import check_required
from tasks.rules.quarantine import is_lasting
from tasks.shared.action import Inventory, Opaque, action, action_step
from tasks.shared.connections import lansweeper_client
from tasks.shared.journalled import OUTAGE, RunJournal, WriteLog, WriteResult
from tasks.shared.progress import Progress, run_logger
from tasks.shared.retry import RetryPolicy, retry

EDITS_ENTRY = "lansweeper-edits"
TRUSTED_DAYS = 30
"""What was learned longer ago is learned anew."""

HOPELESS = 75
"""So many refused edits in a row: what refuses them refuses the others too, which are not sent."""


@action("Edit Asset", key="editAssetAction")
async def edit_asset(
    connection: str,
    asset_key: str,
    custom_fields: dict[str, Any] | None = None,
    fields: dict[str, Any] | None = None,
    allow_locking: bool = False,
    site_id: str = "",
) -> dict[str, Any]:
    """Write fields of one Lansweeper asset and answer its key, name and custom fields after the edit.

    What is not named stays as it is.

    Args:
        connection: name of the Lansweeper Connection block.
        asset_key: key of the asset, such as ``0f5ac0be-93e3-3a9d-8fcb-02904d4f42d8``.
        custom_fields: name or key of each custom field with its text or number; empty text clears it.
        fields: other fields by section of EditAssetInput.
        allow_locking: write fields that Lansweeper's scan fills, too; later scans no longer change those.
        site_id: the site; empty for the site of the connection.

    Raises:
        LimitError: a field is not known, or a scan owns it; nothing was written.
        RejectedError: Lansweeper refuses it, for instance since there is no such asset.
        StopError: the token or its role may not edit assets.
    """
    key = check_required("Asset Key", asset_key)
    async with lansweeper_client(connection) as client:
        site = site_id or (await client.site())["id"]
        existing = await client.custom_fields(site) if custom_fields else []
        edit = asset_edit(custom_fields or {}, fields or {}, existing, allow_locking=allow_locking)
        return {"key": key, **await client.edit_asset(site, key, edit)}


@dataclass(frozen=True, slots=True)
class JournalledEdit:
    """One edit of a run, as the journal keeps it; ``record_id``: of the configuration it belongs to."""

    edit: AssetEdit
    entry: WriteEntry
    record_id: int | None = None

    @property
    def key(self) -> str:
        """The asset's key."""
        return self.edit.key


@action_step(edit_asset)
async def edit_assets(
    client: LansweeperClient,
    site_id: str,
    edits: Inventory[JournalledEdit],
    journal: RunJournal,
    *,
    most: int,
    policy: RetryPolicy,
) -> Opaque[dict[str, WriteResult]]:
    """Write these edits, at most ``most`` in one mutation; the results are by asset key."""
    size = await BatchSize.remembered(client, site_id, journal.ledger, most)
    log = WriteLog(journal, Progress("assets edited", len(edits)))
    await AssetEdits(client, site_id, log, size, policy).send(edits.records)
    if log.stopped is not None:
        # What stops all edits may have refused those before it, so none of them is known to be at fault.
        return Opaque({key: replace(each, refused=False) for key, each in log.results.items()})
    return Opaque(log.results)


class AssetEdits:
    """The edits of one run, with their results in ``log``."""

    def __init__(
        self, client: LansweeperClient, site_id: str, log: WriteLog, size: BatchSize, policy: RetryPolicy
    ) -> None:
        self.client = client
        self.site_id = site_id
        self.log = log
        self.size = size
        self.policy = policy
        self.refused_in_a_row = 0
        self.allowance = SplitAllowance()

    async def send(self, edits: Sequence[JournalledEdit]) -> None:
        """Write them all, as many in a request as the server takes."""
        position = 0
        while position < len(edits):
            batch = edits[position : position + self.size.most]
            try:
                await self._write(batch)
            except TooManyAliasesError as error:
                await self.size.halve(len(batch), error)
                continue
            position += len(batch)
            self.log.progress.advance(len(batch))

    async def _write(self, batch: Sequence[JournalledEdit]) -> None:
        """Journal and send one batch; TooManyAliasesError: nothing was written, send fewer."""
        if self.log.stopped is not None:
            for each in batch:
                self.log.fail(each.key, f"Not sent: {self.log.stopped}", each.record_id)
            return
        write_ids = await self.log.journal.begin([each.entry for each in batch])
        try:
            outcomes = await self._send(batch)
        except TooManyAliasesError:
            if len(batch) > 1:
                await self.log.journal.record([WriteOutcome(each, "not_sent") for each in write_ids])
                raise
            outcomes = await self._singly(batch)
        await self._take(batch, write_ids, outcomes)

    async def _send(self, batch: Sequence[JournalledEdit]) -> list[EditOutcome]:
        """The outcome of every edit of a batch, in order; TooManyAliasesError: nothing was written."""
        try:
            return await self._answered(batch)
        except TooManyAliasesError:
            raise
        except RejectedError as error:
            # One edit can spoil the whole document: apart from it, the others pass.
            run_logger().warning("A batch of %d edits was refused: %s", len(batch), error)
            return await self._split(batch, error)

    async def _split(self, batch: Sequence[JournalledEdit], error: RejectedError) -> list[EditOutcome]:
        """A batch that was refused as a whole, sent in parts until the edit at fault is alone."""
        pieces = parts(batch)
        if not self.allowance.take(len(pieces)):
            why = f"Refused together with others, and not tried alone since too many were refused: {error}"
            return [EditOutcome(each.key, False, why, explained=False) for each in batch]
        return [outcome for piece in pieces for outcome in await self._part(piece)]

    async def _part(self, batch: Sequence[JournalledEdit]) -> list[EditOutcome]:
        if len(batch) == 1 or self.log.stopped is not None:
            return await self._singly(batch)
        try:
            return await self._answered(batch)
        except RejectedError as error:
            return await self._split(batch, error)

    async def _answered(self, batch: Sequence[JournalledEdit]) -> list[EditOutcome]:
        """The outcomes of one request; RejectedError: it was refused as a whole."""
        try:
            outcomes = await self._request(batch)
        except (RetryableError, StopError) as error:
            return self._unsent(batch, error)
        return await self._explained(batch, outcomes)

    async def _explained(
        self, batch: Sequence[JournalledEdit], outcomes: Sequence[EditOutcome]
    ) -> list[EditOutcome]:
        """The outcomes, with those asked for alone whose message may be another's."""
        return [
            outcome if outcome.ok or outcome.explained or len(batch) == 1 else await self._alone(each)
            for each, outcome in zip(batch, outcomes, strict=True)
        ]

    async def _singly(self, batch: Sequence[JournalledEdit]) -> list[EditOutcome]:
        return [await self._alone(each) for each in batch]

    async def _alone(self, edit: JournalledEdit) -> EditOutcome:
        """One edit by itself, so that its refusal is certainly its own."""
        if self.log.stopped is not None:
            return EditOutcome(edit.key, False, f"Not sent: {self.log.stopped}")
        try:
            (outcome,) = await self._request([edit])
        except RejectedError as error:
            return EditOutcome(edit.key, False, str(error), status=error.status)
        except (RetryableError, StopError) as error:
            (outcome,) = self._unsent([edit], error)
        return outcome

    async def _request(self, batch: Sequence[JournalledEdit]) -> list[EditOutcome]:
        edits = [each.edit for each in batch]
        before = self.client.rate
        outcomes = await retry(
            lambda: self.client.edit_assets(self.site_id, edits, cost=self.size.cost(len(edits))), self.policy
        )
        self.log.unanswered = 0
        await self.size.learn(len(edits), before, self.client.rate)
        return outcomes

    def _unsent(self, batch: Sequence[JournalledEdit], error: ConnectorError) -> list[EditOutcome]:
        """A request without an answer, or with a refusal that holds for every other edit as well."""
        self.log.unanswered += 1
        waited_out = isinstance(error, RetryableError) and error.retry_after is not None
        if isinstance(error, StopError) or waited_out or self.log.unanswered >= OUTAGE:
            self.log.stopped = error
        refused = isinstance(error, StopError)
        return [EditOutcome(each.key, False, str(error), explained=refused) for each in batch]

    async def _take(
        self, batch: Sequence[JournalledEdit], write_ids: Sequence[int], outcomes: Sequence[EditOutcome]
    ) -> None:
        """Keep the outcomes in the results first: they stay true if the journal fails."""
        recorded = []
        for each, write_id, outcome in zip(batch, write_ids, outcomes, strict=True):
            refused = not outcome.ok and outcome.explained and _comes_again(outcome.status)
            self.log.take(each.key, outcome.ok, each.record_id, outcome.message, refused=refused)
            recorded.append(WriteOutcome(write_id, _journalled(outcome), None, outcome.message or None))
            self.refused_in_a_row = 0 if outcome.ok else self.refused_in_a_row + 1
        if self.refused_in_a_row >= HOPELESS and self.log.stopped is None:
            self.log.stopped = StopError(
                f"Lansweeper refused {self.refused_in_a_row} edits in a row",
                remedy="See their messages; the next run begins with others.",
            )
        await self.log.journal.record(recorded)


def _comes_again(status: int | None) -> bool:
    """Whether the same edit would be refused again: not after an outage, a conflict or a missing right.

    Lansweeper refuses values under 200 too, without a code: those count as lasting.
    """
    return status is None or is_lasting(status)


def _journalled(outcome: EditOutcome) -> JournalOutcome:
    """A refusal that is not certainly this edit's own may hide a write: the journal says unclear."""
    if outcome.ok:
        return "done"
    return "failed" if outcome.explained else "unclear"


class BatchSize:
    """How many edits travel in one mutation, and what Lansweeper counts them as: learned, and remembered.

    Lansweeper documents neither a largest number of aliases nor whether each counts against its request
    limit. ``most`` edits go in one request; ``singly``: each of them counts.
    """

    def __init__(self, ledger: Ledger, tenant: str, most: int, *, singly: bool = False) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._limit: int | None = None
        self.most = most
        self.singly = singly

    @classmethod
    async def remembered(cls, client: LansweeperClient, site_id: str, ledger: Ledger, most: int) -> BatchSize:
        """``most``, or less where an earlier run found that the server takes less."""
        tenant = client.settings.tenant_key(site_id)
        await ledger.state.adopt(tenant, client.settings.credential_key, EDITS_ENTRY)
        known = _still_trusted(await ledger.state.get(tenant, EDITS_ENTRY))
        size = cls(ledger, tenant, most, singly=bool(known.get("singly")))
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
        """Whether edits are counted singly: a small count is proof, a large one may be others'."""
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
        await self._ledger.state.set(self._tenant, EDITS_ENTRY, learned)


def _today() -> date:
    return datetime.now(UTC).date()


def _still_trusted(known: dict[str, Any] | None) -> dict[str, Any]:
    try:
        learned = date.fromisoformat(str((known or {})["day"]))
    except (KeyError, ValueError):
        return {}
    return known or {} if (_today() - learned).days < TRUSTED_DAYS else {}

"""Registers the receiver at the vendors: callbacks of ConnectWise, webhooks of Field Nation. Repeatable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectors.connection import check_base_url
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import any_of
from connectors.errors import RejectedError, StopError, UnclearOutcomeError
from connectors.field_nation.client import FieldNationClient
from tasks.dispatch.records import or_none
from tasks.dispatch.settings import DispatchSettings
from tasks.rules.dispatch.messages import callback_url, webhook_url
from tasks.rules.dispatch.registration import (
    EntryMove,
    EntryStep,
    callback_moves,
    known_events,
    same_entry,
    wanted_callbacks,
    wanted_events,
    webhook_moves,
)
from tasks.rules.values import folded
from tasks.shared.progress import run_logger


class Registration(StrEnum):
    """What the flow is asked to do."""

    LIST = "list"
    CREATE = "create"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class RegisteredEntry:
    """One entry and its outcome; ``problem`` is the vendor's refusal."""

    system: str
    words: str
    url: str
    outcome: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """What is wanted of both vendors.

    Attributes:
        address: the receiver's address as the vendors reach it; empty only for a list.
        boards: names of the boards whose tickets are told of; none: all.
        renew_secret: send the block's webhook secret to a webhook that is there already.
    """

    what: Registration
    address: str
    boards: Sequence[str] = ()
    suppress_own: bool = True
    renew_secret: bool = False
    dry_run: bool = True

    def check(self) -> None:
        """StopError for an address that no vendor takes."""
        if self.what is Registration.LIST and not self.address.strip():
            return
        check_base_url(self.address, "the receiver")


async def register_connectwise(
    client: ConnectWiseClient, asked: RegistrationRequest, settings: DispatchSettings
) -> list[RegisteredEntry]:
    """Lists, creates or removes the callback entries; each ends in one row."""
    url = callback_url(asked.address)
    wanted = []
    if asked.what is Registration.CREATE:
        boards = await _board_ids(client, asked.boards)
        wanted = wanted_callbacks(settings.kinds(), url, boards=boards, suppress_own=asked.suppress_own)
    moves = callback_moves(await client.callbacks.list(), wanted, url)

    async def carry_out(move: EntryMove) -> None:
        if move.step is EntryStep.REMOVE and move.found:
            # One that is gone already is as good as removed.
            await or_none(client.callbacks.delete(int(move.found["id"])))
        elif move.step is EntryStep.CREATE:
            await _create_callback(client, move)

    return [await _done("ConnectWise", each, asked, carry_out) for each in moves]


async def register_field_nation(
    client: FieldNationClient, asked: RegistrationRequest, settings: DispatchSettings
) -> list[RegisteredEntry]:
    """Lists, creates, changes or removes the webhooks; each ends in one row.

    Raises:
        StopError: the block holds no webhook secret, without which the receiver believes no webhook.
    """
    url, secret, events = webhook_url(asked.address), client.settings.webhook_secret, list[str]()
    if asked.what is Registration.CREATE:
        if not secret:
            raise StopError(
                "The Field Nation Connection has no webhook secret",
                remedy="Make a UUID, save it in the block and give it to the receiver.",
            )
        wanted = wanted_events(rule.event for rule in settings.active_rules())
        events, unknown = known_events(wanted, await client.list_webhook_events())
        if unknown:
            run_logger().warning("Field Nation has no events %s", ", ".join(unknown))
    renewed = secret if asked.renew_secret and events else ""
    moves = webhook_moves(await client.list_webhooks(), events, url, secret=renewed)

    async def carry_out(move: EntryMove) -> None:
        if move.step is EntryStep.CREATE:
            await _create_webhook(client, move)
        elif move.found and move.step is EntryStep.CHANGE:
            await client.update_webhook(str(move.found.get("webhookId")), move.body)
        elif move.found and move.step is EntryStep.REMOVE:
            await client.delete_webhook(str(move.found.get("webhookId")))

    return [await _done("Field Nation", each, asked, carry_out) for each in moves]


async def _done(
    system: str,
    move: EntryMove,
    asked: RegistrationRequest,
    carry_out: Callable[[EntryMove], Awaitable[None]],
) -> RegisteredEntry:
    nothing = move.step in (EntryStep.KEEP, EntryStep.LEAVE) or asked.what is Registration.LIST
    if nothing or asked.dry_run:
        return RegisteredEntry(system, move.words, move.url, _outcome(move.step, asked))
    try:
        await carry_out(move)
    except RejectedError as error:
        return RegisteredEntry(system, move.words, move.url, "failed", str(error))
    return RegisteredEntry(system, move.words, move.url, _outcome(move.step, asked))


def _outcome(step: EntryStep, asked: RegistrationRequest) -> str:
    if step is EntryStep.LEAVE:
        return "of another receiver"
    if step is EntryStep.KEEP or asked.what is Registration.LIST:
        return "there"
    done = {EntryStep.CREATE: "created", EntryStep.CHANGE: "changed", EntryStep.REMOVE: "removed"}[step]
    return f"would be {done}" if asked.dry_run else done


async def _board_ids(client: ConnectWiseClient, names: Sequence[str]) -> list[int]:
    if not names:
        return []
    found = await client.boards.list(any_of("name", [each.strip() for each in names]), fields="id,name")
    by_name = {folded(str(each.get("name"))): int(each["id"]) for each in found}
    missing = [each for each in names if folded(each) not in by_name]
    if missing:
        raise StopError(
            f"ConnectWise has no board {', '.join(missing)}", remedy="Give the names of service boards."
        )
    return [by_name[folded(each)] for each in names]


async def _create_callback(client: ConnectWiseClient, move: EntryMove) -> None:
    """Creates it, unless it turns out to be there: somebody else, or an answer that never came."""
    try:
        await client.callbacks.create(dict(move.body))
    except (RejectedError, UnclearOutcomeError):
        if not any(same_entry(each, move.body) for each in await client.callbacks.list()):
            raise


async def _create_webhook(client: FieldNationClient, move: EntryMove) -> None:
    try:
        await client.create_webhook(move.url, move.body["events"])
    except UnclearOutcomeError:
        if not any(each.get("url") == move.url for each in await client.list_webhooks()):
            raise

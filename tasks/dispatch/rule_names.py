"""Look up what the rules of dispatch name: boards with their statuses and types, priorities, fields, ids.

Only what the rules name is read, and of boards at most ``MOST_BOARDS``. A collection that may not be read is
left out: nothing is said about it. Sweeps ask once a day, and again when the rules change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import equals
from connectors.errors import ConnectorError, RejectedError, StopError
from connectors.field_nation.client import FieldNationClient
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.settings import DispatchRules, DispatchSettings, load_dispatch_settings
from tasks.rules.connection_findings import Finding, FindingResult
from tasks.rules.dispatch.names import BoardNames, KnownNames, NamingRules, name_problems, named_boards
from tasks.rules.dispatch.reference import RecordKind
from tasks.shared.concurrency import map_bounded
from tasks.shared.connections import DEFAULT, connectwise_client, field_nation_client, saved_block_names

MOST_BOARDS = 20
"""Boards whose statuses and types are read; of further ones nothing is said."""
_LOOKUPS = {
    "types_of_work.id": "/types-of-work",
    "template.id": "/templates",
    "client.id": "/clients",
    "project.id": "/projects",
    "custom_fields": "/custom-fields",
}


async def rule_name_problems(run: DispatchRun) -> list[str]:
    """What the run's rules name and the vendors do not have, a sentence each, with near matches.

    One request for each collection that is named, and two for each board of a trigger.
    """
    return await find_name_problems(run.settings, run.client, run.field_nation)


async def swept_name_problems(run: DispatchRun) -> list[str]:
    """The same for a sweep: kept for a day under the rules that it was asked for."""
    mark = run.refusals.rules_mark
    kept = await run.state.name_problems(mark, run.now())
    if kept is not None:
        return kept
    found = await rule_name_problems(run)
    await run.state.keep_name_problems(mark, found, run.now())
    return found


async def find_name_problems(
    settings: DispatchSettings, client: ConnectWiseClient, field_nation: FieldNationClient | None
) -> list[str]:
    """As ``rule_name_problems``; without Field Nation its ids are not looked at."""
    rules = naming_rules(settings)
    known = await _connectwise_names(rules, client)
    if field_nation is not None:
        known = replace(known, ids=await _ids(rules, field_nation))
    return name_problems(rules, known)


def naming_rules(settings: DispatchSettings) -> NamingRules:
    """Of the settings all that names something."""
    return NamingRules(
        settings.triggers,
        settings.active_rules(),
        settings.write_back.status,
        settings.write_back.custom_field,
        settings.time_entries.member,
        {kind: settings.mappings_of(kind).inbound for kind in settings.kinds()},
    )


async def _connectwise_names(rules: NamingRules, client: ConnectWiseClient) -> KnownNames:
    fields = {each.field.partition(".")[0] for trigger in rules.triggers for each in trigger.conditions}
    tickets = any(trigger.kind is not RecordKind.OPPORTUNITY for trigger in rules.triggers)
    sales = any(trigger.kind is RecordKind.OPPORTUNITY for trigger in rules.triggers)
    custom = "customFields" in fields or any(rule.custom_field.strip() for rule in rules.rules)
    return KnownNames(
        boards=await _boards(rules, client) if tickets else None,
        priorities=await _names(client.priorities.list) if "priority" in fields else None,
        opportunity_statuses=await _names(client.opportunity_statuses.list) if sales else None,
        captions=await _names(client.user_defined_fields.list, "caption") if custom else None,
        members=await _members(rules.member, client),
    )


async def _boards(rules: NamingRules, client: ConnectWiseClient) -> list[BoardNames] | None:
    found = await _readable(lambda: client.boards.list(fields="id,name,projectFlag"))
    if found is None:
        return None
    ids = {str(each.get("name")): int(each["id"]) for each in found}
    boards = [BoardNames(str(each.get("name")), bool(each.get("projectFlag"))) for each in found]

    async def whole(board: BoardNames) -> BoardNames:
        number = ids[board.name]
        statuses = await _names(client.board_statuses(number).list)
        return replace(board, statuses=statuses, types=await _names(client.board_types(number).list))

    needed = named_boards(rules, boards)[:MOST_BOARDS]
    read = {each.name: each for each in await map_bounded(needed, whole, 4, on_error="cancel")}
    return [read.get(each.name, each) for each in boards]


async def _members(identifier: str, client: ConnectWiseClient) -> list[str] | None:
    """The member of that identifier, if there is one: a list of all may be long."""
    wanted = identifier.strip()
    if not wanted:
        return None
    same = equals("identifier", wanted)
    return await _names(lambda fields: client.members.list(same, fields=fields), "identifier")


async def _ids(rules: NamingRules, field_nation: FieldNationClient) -> dict[str, list[int]]:
    targets = {
        "custom_fields" if line.target.startswith("custom_fields.") else line.target.replace("[0]", "")
        for lines in rules.inbound.values()
        for line in lines
    }
    found = {}
    for target in sorted(targets & set(_LOOKUPS)):
        path = _LOOKUPS[target]
        records = await _readable(lambda path=path: field_nation.list_set_up(path))  # type: ignore[misc]
        if records is not None:
            found[target] = [int(each["id"]) for each in records if isinstance(each.get("id"), int)]
    return found


async def _names(listing: Callable[..., Awaitable[list[Record]]], member: str = "name") -> list[str] | None:
    found = await _readable(lambda: listing(fields=f"id,{member}"))
    return None if found is None else [str(each[member]) for each in found if each.get(member)]


async def _readable(read: Callable[[], Awaitable[Any]]) -> Any:
    """What is read; None where this member may not read it, or the server does not have it."""
    try:
        return await read()
    except RejectedError:
        return None
    except StopError as error:
        if error.status != 403:
            raise
        return None


async def check_rules(connectwise: Sequence[str], field_nation: Sequence[str]) -> list[Finding]:
    """A row for each saved Dispatch Rules block; of none, for the documented rules where dispatch is set up.

    Args:
        connectwise, field_nation: names of the saved connections. The rules name none, so they are held
            against those of the name default, or the only ones.
    """
    saved = await saved_block_names(DispatchRules)
    names = saved or ([DEFAULT] if field_nation else [])
    ours, theirs = _chosen(connectwise), _chosen(field_nation)
    if not names or ours is None:
        return []
    return [await _check(name, ours, theirs, saved=name in saved) for name in names]


def _chosen(names: Sequence[str]) -> str | None:
    if DEFAULT in names:
        return DEFAULT
    return names[0] if len(names) == 1 else None


async def _check(name: str, connectwise: str, field_nation: str | None, *, saved: bool) -> Finding:
    label, check = f"Dispatch Rules {name}", "Names"
    try:
        settings = await load_dispatch_settings(name)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(connectwise_client(connectwise))
            theirs = None
            if field_nation is not None:
                theirs = await stack.enter_async_context(field_nation_client(field_nation))
            problems = await find_name_problems(settings, client, theirs)
    except (ConnectorError, ValueError) as error:
        return Finding(label, check, FindingResult.NOTE, f"They could not be looked up: {error}")
    if not problems:
        return Finding(label, check, FindingResult.OK, "Everything that the rules name exists.")
    # The documented rules are an offer: a board of that name is no duty of anybody who saved none.
    return Finding(label, check, FindingResult.MISSING if saved else FindingResult.NOTE, " ".join(problems))

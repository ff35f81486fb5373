"""Look up what the rules of dispatch name: boards with what belongs to them, tables of names, fields, ids.

Only what the rules name is read: a short table whole, a long one (companies, members) by the wanted names,
and of boards at most ``MOST_BOARDS``. A collection that may not be read is left out: nothing is said about
it. Sweeps ask once a day, and again when the rules change.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from connectors.connectwise.block import ConnectWiseConnection
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.collection import Collection
from connectors.connectwise.conditions import equals, quote
from connectors.errors import ConnectorError, RejectedError, StopError
from connectors.field_nation.block import FieldNationConnection
from connectors.field_nation.client import FieldNationClient
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import DispatchRules, DispatchSettings, load_dispatch_settings
from tasks.rules.connection_findings import Finding, FindingResult
from tasks.rules.dispatch.mapping_model import DispatchMapping
from tasks.rules.dispatch.named_fields import ON_BOARDS, SITES, NameTable
from tasks.rules.dispatch.names import (
    BoardNames,
    KnownNames,
    NamingRules,
    fixed_ids,
    name_problems,
    named_in_tables,
    named_on_boards,
    names_board,
    names_captions,
)
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import Operator
from tasks.shared.concurrency import map_bounded
from tasks.shared.connections import DEFAULT, connectwise_client, field_nation_client, saved_block_names

MOST_BOARDS = 20
"""Boards of which statuses, types and the like are read; of further ones nothing is said."""
MOST_SEARCHED = 20
"""Names of one long table that are asked for; where the rules name more, nothing is said of them."""
NEAR_SIZE = 25
"""Records that begin as a missing name does, among which those that come near are sought."""
READ_AT_ONCE = 4
_BEGINNING = 4
_LOOKUPS = {
    "types_of_work.id": "/types-of-work",
    "template.id": "/templates",
    "client.id": "/clients",
    "project.id": "/projects",
    "manager.id": "/company/managers",
    "custom_fields": "/custom-fields",
}
_SERVICE_TYPES = "service_types.id"
_Wanted = Sequence[tuple[str, Operator]]


async def rule_name_problems(run: DispatchRun) -> list[str]:
    """What the run's rules name and the vendors do not have, a sentence each, with near matches.

    One request for each short table that is named, for each board of a trigger and table of it, and one or
    two for each name of a long one.
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
    """Of the settings all that names something. Outbound lines are those that a person gave."""
    given: dict[RecordKind, Sequence[DispatchMapping]] = {
        kind: getattr(settings.mappings, kind.value).outbound for kind in settings.kinds()
    }
    return NamingRules(
        settings.triggers,
        settings.active_rules(),
        settings.write_back.status,
        settings.write_back.custom_field,
        settings.time_entries.member,
        settings.notes.own_authors,
        {kind: settings.mappings_of(kind).inbound for kind in settings.kinds()},
        given,
    )


async def _connectwise_names(rules: NamingRules, client: ConnectWiseClient) -> KnownNames:
    wanted = [*named_in_tables(rules).items()]
    found = await map_bounded(wanted, lambda one: _table(client, *one), READ_AT_ONCE, on_error="cancel")
    tables = {table: names for (table, _), names in zip(wanted, found, strict=True) if names is not None}
    return KnownNames(
        boards=await _boards(rules, client) if names_board(rules) else None,
        tables=tables,
        captions=await _names(client.user_defined_fields, "caption") if names_captions(rules) else None,
    )


async def _table(client: ConnectWiseClient, table: NameTable, wanted: _Wanted) -> list[str] | None:
    """The names that a table has; of a long one the wanted that exist, and near ones of the others."""
    if not table.is_searched:
        return await _names(Collection(client, table.path), table.member)
    records = await _collection(client, table)
    if records is None or len(set(wanted)) > MOST_SEARCHED:
        return None
    found: dict[str, None] = {}
    for name, operator in dict.fromkeys(wanted):
        names = await _searched(records, table.member, name, operator)
        if names is None:
            return None
        found |= dict.fromkeys(names)
    return list(found)


async def _collection(client: ConnectWiseClient, table: NameTable) -> Collection | None:
    """The table's collection; None: the company whose sites they are is not found."""
    if not table.company:
        return Collection(client, table.path)
    same = equals("name", _composed(table.company))
    found = await _readable(lambda: client.companies.list(same, fields="id,name", page=1, page_size=1))
    return Collection(client, SITES, parentId=int(found[0]["id"])) if found else None


async def _searched(records: Collection, member: str, name: str, operator: Operator) -> list[str] | None:
    """The names that are the wanted one, or begin so; where there are none those that begin alike."""
    field, text = member.split()[-1], _composed(name)
    if " " in member:
        # Of a person two members make the name: the last word of it is the end of the last name.
        return await _names(records, member, f"{field} like {quote('%' + text.split()[-1])}", NEAR_SIZE)
    begins = operator is Operator.STARTS_WITH
    exact = f"{field} like {quote(text + '%')}" if begins else equals(field, text)
    found = await _names(records, member, exact, 1)
    if found or found is None:
        return found
    beginning = quote(text[:_BEGINNING].rstrip() + "%")
    return await _names(records, member, f"{field} like {beginning}", NEAR_SIZE)


def _composed(name: str) -> str:
    """As a database most likely keeps it: composed, blanks as one."""
    return " ".join(unicodedata.normalize("NFC", name).split())


async def _boards(rules: NamingRules, client: ConnectWiseClient) -> list[BoardNames] | None:
    found = await _readable(lambda: client.boards.list(fields="id,name,projectFlag"))
    if found is None:
        return None
    ids = {str(each.get("name")): int(each["id"]) for each in found}
    boards = [BoardNames(str(each.get("name")), bool(each.get("projectFlag"))) for each in found]
    fields = named_on_boards(rules, boards)

    async def whole(board: BoardNames) -> BoardNames:
        names: dict[str, list[str]] = {}
        for field in fields[board.name]:
            path = f"/service/boards/{{parentId}}/{ON_BOARDS[field]}"
            read = await _names(Collection(client, path, parentId=ids[board.name]))
            names |= {field: read} if read is not None else {}
        return replace(board, names=names)

    needed = [each for each in boards if each.name in fields][:MOST_BOARDS]
    read = {each.name: each for each in await map_bounded(needed, whole, READ_AT_ONCE, on_error="cancel")}
    return [read.get(each.name, each) for each in boards]


async def _ids(rules: NamingRules, field_nation: FieldNationClient) -> dict[str, list[int]]:
    """By target the ids that Field Nation has, of the targets that the rules fix: one request each."""
    found: dict[str, list[int]] = {}
    fixed = fixed_ids(rules)
    for target in sorted(fixed.keys() & _LOOKUPS.keys()):
        ids = await _set_up_ids(field_nation, [_LOOKUPS[target]])
        found |= {target: ids} if ids is not None else {}
    types_of_work = fixed.get("types_of_work.id", ())
    if _SERVICE_TYPES in fixed and types_of_work:
        paths = [f"/types-of-work/{number}/service-types" for number in types_of_work]
        ids = await _set_up_ids(field_nation, paths)
        found |= {_SERVICE_TYPES: ids} if ids is not None else {}
    return found


async def _set_up_ids(field_nation: FieldNationClient, paths: Sequence[str]) -> list[int] | None:
    ids: list[int] = []
    for path in paths:
        records = await _readable(lambda path=path: field_nation.list_set_up(path))  # type: ignore[misc]
        if records is None:
            return None
        ids += [int(each["id"]) for each in records if isinstance(each.get("id"), int)]
    return ids


async def _names(
    records: Collection, member: str = "name", conditions: str | None = None, most: int | None = None
) -> list[str] | None:
    page: dict[str, Any] = {"page": 1, "page_size": most} if most else {}
    fields = ",".join(("id", *member.split()))
    found = await _readable(lambda: records.list(conditions, fields=fields, **page))
    if found is None:
        return None
    names = (" ".join(str(each[part]) for part in member.split() if each.get(part)) for each in found)
    return [name for name in names if name]


async def _readable(read: Callable[[], Awaitable[Any]]) -> Any:
    """What is read; None where this member may not read it, or the server does not have or understand it."""
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


async def unsaved_rules_problems(settings: DispatchSettings) -> list[str]:
    """What rules that need not be saved name and the vendors lack, held against the connections of above.

    Raises:
        ConnectorError: a vendor could not be asked.
        ValueError: no connection to ConnectWise is saved, or several and none of them named default.
    """
    ours = _chosen(await saved_block_names(ConnectWiseConnection))
    theirs = _chosen(await saved_block_names(FieldNationConnection))
    if ours is None:
        raise ValueError("Save a ConnectWise PSA Connection named default: the names are looked up with it.")
    return await _problems(settings, ours, theirs)


def _chosen(names: Sequence[str]) -> str | None:
    if DEFAULT in names:
        return DEFAULT
    return names[0] if len(names) == 1 else None


async def _check(name: str, connectwise: str, field_nation: str | None, *, saved: bool) -> Finding:
    label, check = f"Dispatch Rules {name}", "Names"
    try:
        problems = await _problems(await load_dispatch_settings(name), connectwise, field_nation)
    except (ConnectorError, ValueError) as error:
        return Finding(label, check, FindingResult.NOTE, f"They could not be looked up: {error}")
    if not problems:
        return Finding(label, check, FindingResult.OK, "Everything that the rules name exists.")
    # The documented rules are an offer: a board of that name is no duty of anybody who saved none.
    return Finding(label, check, FindingResult.MISSING if saved else FindingResult.NOTE, " ".join(problems))


async def _problems(settings: DispatchSettings, connectwise: str, field_nation: str | None) -> list[str]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connectwise_client(connectwise))
        theirs = None
        if field_nation is not None:
            theirs = await stack.enter_async_context(field_nation_client(field_nation))
        return await find_name_problems(settings, client, theirs)

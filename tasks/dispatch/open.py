"""Opens what dispatch works with, by the names of the saved blocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import load_dispatch_settings
from tasks.rules.dispatch.mapping import MappingError, check_mappings
from tasks.rules.dispatch.outbound import rules_problems
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import source_members
from tasks.shared.connections import DEFAULT, connectwise_client, field_nation_client, open_ledger


@asynccontextmanager
async def open_dispatch(
    connectwise: str = DEFAULT, field_nation: str = DEFAULT, rules: str = DEFAULT
) -> AsyncIterator[DispatchRun]:
    """Both clients, the ledger and the checked rules; the enclosing flow's, where it has them open.

    Raises:
        MappingError: the rules hold mappings or texts that can't work; nothing was read or written.
        StopError: there is no such block.
    """
    settings = await load_dispatch_settings(rules)
    for kind in RecordKind:
        check_mappings(settings.mappings_of(kind), sources=source_members(kind))
    if problems := rules_problems(settings.outbound_rules):
        raise MappingError(" ".join(problems))
    async with (
        connectwise_client(connectwise) as client,
        field_nation_client(field_nation) as theirs,
        open_ledger() as ledger,
    ):
        yield DispatchRun(settings, client=client, field_nation=theirs, ledger=ledger)

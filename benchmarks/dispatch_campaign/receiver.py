"""The receiver under test: killed in mid-flood and started again at the same address.

What it counted before a kill is kept, so that its counters of the whole campaign can be judged.
``lost_messages`` names what it acknowledged and did not keep.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import select

from benchmarks.dispatch_campaign.faults import delivered_callbacks, delivered_webhooks
from connectors.ledger.database import BUSY_SECONDS, create_engine, database_url
from connectors.ledger.schema import inbox
from deployments.local.prefect import free_port
from deployments.local.receiver import LocalReceiver, process, wait_until_ready
from deployments.local.sandbox import Sandbox
from deployments.receiver.settings import PORT


class KilledReceiver:
    """A receiver whose process can be killed; ``address`` stays the same. Made by ``killed_receiver``."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = dict(environment)
        self._log = log
        self._port = free_port()
        self._receiver = LocalReceiver(self._port)
        self._stack = ExitStack()
        self._before: Counter[str] = Counter()
        self.kills = 0

    @property
    def address(self) -> str:
        return self._receiver.address

    def start(self) -> None:
        """Start it and wait until it is ready. RuntimeError: it is not, with the end of its log."""
        environment = os.environ | self._environment | {PORT: str(self._port)}
        self._process = self._stack.enter_context(process("deployments.receiver", environment, self._log))
        wait_until_ready(f"{self.address}/ready", self._process, self._log)

    def kill(self) -> None:
        """SIGKILL between two of its messages or in one, and a new process."""
        self._before += Counter(self._receiver.counts(by_source=True))
        self._process.kill()
        self._process.wait()
        self.kills += 1
        self.start()

    def counts(self) -> dict[str, int]:
        """Its counters by name and source, of all processes; a kill may hide those of its last moment."""
        return dict(self._before + Counter(self._receiver.counts(by_source=True)))

    def close(self) -> None:
        self._stack.close()


@contextmanager
def killed_receiver(environment: Mapping[str, str], log: Path) -> Iterator[KilledReceiver]:
    """A receiver that is ready; it ends with the block."""
    receiver = KilledReceiver(environment, log)
    try:
        receiver.start()
        yield receiver
    finally:
        receiver.close()


async def lost_messages(sandbox: Sandbox, ledger: str | Path) -> list[str]:
    """The messages that vendors saw acknowledged and of which the inbox holds nothing."""
    engine = create_engine(database_url(ledger), BUSY_SECONDS)
    async with engine.connect() as connection:
        kept = {
            (row[0], row[1]) for row in await connection.execute(select(inbox.c.source, inbox.c.message_id))
        }
    await engine.dispose()
    return [f"{source} {number}" for source, number in _acknowledged(sandbox) if (source, number) not in kept]


def _acknowledged(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    for one in delivered_callbacks(sandbox):
        yield "connectwise", str(one["MessageId"]).lower()
    for one in delivered_webhooks(sandbox):
        yield "field_nation", str(one["deliveryId"]).partition(":")[0].lower()

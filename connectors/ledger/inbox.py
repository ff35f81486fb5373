"""The inbox of vendors' messages: kept before they are answered, each delivered to one holder."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger import claims
from connectors.ledger.database import Repository, insert_unless_there, moment, reading, writing
from connectors.ledger.models import InboxMessage
from connectors.ledger.schema import inbox
from connectors.ledger.text import clean_text, shortened

DIGEST = " digest"
"""Behind the source in the rows that only remember a message by something else than its id."""
PROOF = f"proof{DIGEST}"
"""The source of a message that is written to see whether one can be, and never seen by anybody."""
NewMessage = tuple[str, str, dict[str, Any]]
"""Source, message id and body of a message that came in."""


class Inbox(Repository):
    """``ledger.inbox``: a message waits, claimed for a while, until it is acknowledged or rejected."""

    async def put(self, source: str, message_id: str, body: dict[str, Any]) -> bool:
        """Keeps a message; False if one of that source and id (200 characters at most) was kept already."""
        return (await self.put_all([(source, message_id, body)]))[0]

    async def put_all(self, messages: Sequence[NewMessage], digests: Sequence[str] = ()) -> list[bool]:
        """``put`` for several in one transaction: all are kept, or none and a StopError; 500 at most.

        ``digests``: of each message what it also counts once by, whatever its id; "" for nothing. It is
        remembered for as long as a message that was acknowledged when it came.
        """
        # As the database keeps the ids, since they are compared with what it answers.
        named = [(source, clean_text(name), body) for source, name, body in messages]
        given = list(zip(named, digests or [""] * len(messages), strict=True))
        marks: list[NewMessage] = [
            (f"{source}{DIGEST}", digest, {}) for (source, _, _), digest in given if digest
        ]
        async with self._writing("keep messages") as (connection, now):
            unseen = iter(await _insert(connection, marks, now, done=True))
            fresh = [not digest or next(unseen) for _, digest in given]
            new = [message for (message, _), is_fresh in zip(given, fresh, strict=True) if is_fresh]
            kept = iter(await _insert(connection, new, now))
        return [is_fresh and next(kept) for is_fresh in fresh]

    async def prove_writable(self) -> None:
        """Writes a message and takes it out again in one transaction; StopError: none could be kept now."""
        async with self._writing("keep a message") as (connection, now):
            name = uuid.uuid4().hex
            await _insert(connection, [(PROOF, name, {})], now, done=True)
            await connection.execute(delete(inbox).where(inbox.c.source == PROOF, inbox.c.message_id == name))

    async def claim(
        self, holder: str, *, limit: int, seconds: float, source: str | None = None
    ) -> list[InboxMessage]:
        """The oldest waiting messages that nobody holds, at most ``limit``, held for ``seconds``."""
        of_source = [] if source is None else [inbox.c.source == source]
        # A look without a lock first: a drain that finds nothing must not hold up those who write.
        async with reading(self._engine, "look into the inbox") as connection:
            now = await self._clock.now_of(connection)
            if (await connection.execute(select(inbox.c.id).where(*_due(now), *of_source))).first() is None:
                return []
        async with self._writing("take messages from the inbox") as (connection, now):
            due = select(inbox.c.id).where(*_due(now), *of_source).order_by(inbox.c.id).limit(limit)
            ids = list((await connection.execute(due.with_for_update(skip_locked=True))).scalars())
            return await _hold(connection, ids, holder, now + seconds)

    async def extend(self, ids: Sequence[int], holder: str, *, seconds: float) -> set[int]:
        """Holds messages for ``seconds`` from now; returns those that still were this holder's."""
        async with self._writing("hold messages of the inbox") as (connection, now):
            mine = update(inbox).where(*_held(ids, holder)).values(claimed_until=now + seconds)
            return set((await connection.execute(mine.returning(inbox.c.id))).scalars())

    async def acknowledge(self, ids: Sequence[int], holder: str) -> int:
        """Marks messages as done; returns how many still were this holder's, the others come again."""
        async with self._writing("settle messages of the inbox") as (connection, now):
            values = {"state": "done", "settled_at": now, "message": None, **claims.RELEASED}
            mine = update(inbox).where(*_held(ids, holder))
            return (await connection.execute(mine.values(values))).rowcount

    async def requeue(
        self, ids: Sequence[int], holder: str, *, after: float, message: str = "", tried: bool = True
    ) -> None:
        """Delivers messages again after so many seconds; ``tried`` False: it counts as no attempt."""
        async with self._writing("put messages back into the inbox") as (connection, now):
            values = {"next_attempt_at": now + after, "message": shortened(message), **claims.RELEASED}
            if not tried:
                values["attempts"] = inbox.c.attempts - 1
            await connection.execute(update(inbox).where(*_held(ids, holder)).values(values))

    async def reject(self, ids: Sequence[int], holder: str, message: str) -> None:
        """Gives messages up for good, with the reason; they stay in the inbox for a person to see."""
        async with self._writing("give messages of the inbox up") as (connection, now):
            values = {"state": "failed", "settled_at": now, "message": shortened(message), **claims.RELEASED}
            await connection.execute(update(inbox).where(*_held(ids, holder)).values(values))

    async def count(self) -> dict[str, int]:
        """The number of messages by state: waiting (held ones included), done, failed."""
        messages = inbox.c.source.not_like(f"%{DIGEST}")
        query = select(inbox.c.state, func.count()).where(messages).group_by(inbox.c.state)
        async with reading(self._engine, "count the messages of the inbox") as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def forget(self, *, older_than: float) -> int:
        """Drops messages acknowledged or rejected so many seconds ago; one that comes again is new then."""
        async with writing(self._engine, "forget old messages") as connection:
            before = await self._clock.now_of(connection) - older_than
            # A waiting message has no such time.
            old = delete(inbox).where(inbox.c.settled_at < before)
            return (await connection.execute(old)).rowcount


async def _insert(
    connection: AsyncConnection, messages: Sequence[NewMessage], now: float, *, done: bool = False
) -> list[bool]:
    """Which of them were not there; of several of one id the first."""
    if not messages:
        return []
    state = {"state": "done", "settled_at": now} if done else {"state": "waiting"}
    fresh = {**state, "attempts": 0, "received_at": now, "next_attempt_at": now}
    rows = {(source, name): body for source, name, body in reversed(messages)}
    # Sorted, so that two processes with the same messages wait for each other in the same order.
    values = [{"source": key[0], "message_id": key[1], "body": rows[key], **fresh} for key in sorted(rows)]
    new = insert_unless_there(connection, inbox, ("source", "message_id")).values(values)
    kept = {tuple(row) for row in await connection.execute(new.returning(inbox.c.source, inbox.c.message_id))}
    first = {(source, name): place for place, (source, name, _) in reversed(list(enumerate(messages)))}
    return [
        (source, name) in kept and first[source, name] == place
        for place, (source, name, _) in enumerate(messages)
    ]


async def _hold(connection: AsyncConnection, ids: list[int], holder: str, until: float) -> list[InboxMessage]:
    held = update(inbox).where(inbox.c.id.in_(ids))
    values = {"claimed_by": holder, "claimed_until": until, "attempts": inbox.c.attempts + 1}
    rows = await connection.execute(held.values(values).returning(inbox))
    return [
        InboxMessage(
            row.id, row.source, row.message_id, dict(row.body), row.attempts, moment(row.received_at)
        )
        for row in sorted(rows, key=lambda row: int(row.id))
    ]


def _due(now: float) -> list[Any]:
    free = or_(inbox.c.claimed_until.is_(None), inbox.c.claimed_until <= now)
    return [inbox.c.state == "waiting", inbox.c.next_attempt_at <= now, free]


def _held(ids: Sequence[int], holder: str) -> list[Any]:
    return [inbox.c.id.in_(list(ids)), inbox.c.claimed_by == holder, inbox.c.state == "waiting"]

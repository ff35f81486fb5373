"""Places for messages in memory: a bulkhead between those that may be anybody's and those that are genuine.

Until its signature is judged, a message may be a stranger's who sends it slowly on purpose. Such messages
have places of their own, for a short time, and when all are taken the oldest gives way: a genuine message
comes in one piece and is judged at once, so it always finds a place. Genuine ones wait for the ledger
elsewhere.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from deployments.receiver.messages import PutOffError

UNJUDGED_SECONDS = 3.0
"""For the body and the signing key together; ConnectWise gives an answer five seconds."""
MOST_UNJUDGED = 100
"""Messages whose bodies or signing keys are waited for."""
MOST_GENUINE = 200
"""Messages that wait for the ledger; what comes beyond that is put off."""


class Places:
    """Bounds the messages that are held at once, by what is known of them."""

    def __init__(self, unjudged: int = MOST_UNJUDGED, genuine: int = MOST_GENUINE) -> None:
        self._most_unjudged = unjudged
        self._most_genuine = genuine
        self._limits: OrderedDict[asyncio.Timeout, None] = OrderedDict()
        self._genuine = 0

    @asynccontextmanager
    async def unjudged(self) -> AsyncIterator[None]:
        """A place until the signature is judged; PutOffError: too slow, or given to a newer message."""
        while len(self._limits) >= self._most_unjudged:
            oldest, _ = self._limits.popitem(last=False)
            oldest.reschedule(asyncio.get_running_loop().time())
        gave_way = False
        try:
            async with asyncio.timeout(UNJUDGED_SECONDS) as limit:
                self._limits[limit] = None
                try:
                    yield
                finally:
                    gave_way = limit not in self._limits
                    self._limits.pop(limit, None)
        except TimeoutError:
            raise PutOffError("too many at once" if gave_way else "body too slow") from None

    @contextmanager
    def genuine(self) -> Iterator[None]:
        """A place of a message that waits for the ledger; PutOffError: there is none left."""
        if self._genuine >= self._most_genuine:
            raise PutOffError("too many at once")
        self._genuine += 1
        try:
            yield
        finally:
            self._genuine -= 1

"""How long the requests of a run take, which the next one knows, and the forecast that is made of it.

A run has read when it plans, but written nothing yet: how long a write takes is known from earlier runs. They
leave the mean seconds of each request in a state entry of the tenant; the last run to write wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.http import HttpSession
from connectors.ledger.store import Ledger
from tasks.rules.forecast import Forecast, RequestSeconds, Step, forecast, mean_seconds
from tasks.shared.connections import request_windows, run_seconds
from tasks.shared.next_run import keep_or_note

ENTRY = "request-seconds"
"""The state entry of a tenant: seconds by the name of a request."""
MOST_NAMES = 200
"""Names are documented paths, so there are few; a spoilt entry stays small all the same."""


async def known_seconds(ledger: Ledger, tenant: str, session: HttpSession) -> RequestSeconds:
    """How long the requests of this tenant take, as far as this run or an earlier one has seen."""
    kept = await ledger.state.get(tenant, ENTRY) or {}
    earlier = {name: float(each) for name, each in kept.items() if isinstance(each, int | float)}
    return RequestSeconds.of(session.sent, session.seconds, earlier)


async def keep_seconds(ledger: Ledger, tenant: str, session: HttpSession, notes: list[str]) -> None:
    """Leave how long this run's requests took to the next one; a ledger that can't costs a note only."""
    async with keep_or_note("How long requests took", notes):
        kept = await ledger.state.get(tenant, ENTRY) or {}
        seen = {name: round(each, 3) for name, each in mean_seconds(session.sent, session.seconds).items()}
        merged = {**seen, **{name: each for name, each in kept.items() if name not in seen}}
        await ledger.state.set(tenant, ENTRY, dict(list(merged.items())[:MOST_NAMES]))


async def forecast_run(
    steps: Sequence[Step],
    connections: Mapping[str, str],
    *,
    requests: Mapping[str, int],
    guessed: bool = False,
) -> Forecast:
    """The forecast of the enclosing flow's run, which has these ``steps`` before it.

    Costs no request. ``connections``: names of the open connections, by vendor; ``requests``: of the whole
    run, by vendor.
    """
    windows = {vendor: await request_windows(vendor, name) for vendor, name in connections.items()}
    return forecast(steps, windows, requests=requests, elapsed=run_seconds(), guessed=guessed)

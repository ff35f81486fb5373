"""Whatever text a vendor sends, both stores keep the same of it, in columns and in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import RejectedError
from connectors.ledger.models import LinkEnd, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from connectors.ledger.text import clean_parameters, clean_text, json_text
from tests.support.ledger import Hand, hand, ledger, place

pytestmark = pytest.mark.anyio
__all__ = ["hand", "ledger", "place"]

DIRTY = "a\x00b \ud83d c"
CLEAN = "ab \ufffd c"
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]))
    | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=[])), inner),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_is_kept_as_json_without_nul_and_surrogates(value: Any) -> None:
    text = json_text(value)
    assert text == clean_text(text)
    assert "\x00" not in str(orjson.loads(text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({DIRTY: [DIRTY, 1]}, f'{{"{CLEAN}":["{CLEAN}",1]}}'),
        ({"at": datetime(2026, 1, 2, tzinfo=UTC)}, '{"at":"2026-01-02T00:00:00+00:00"}'),
        (2**70, '"a number of more than 64 bits"'),
        ([float("inf"), Decimal("1.5")], '[null,"1.5"]'),
        ({"escaped": "\\u0000"}, '{"escaped":"\\\\u0000"}'),
        ("Zoë 🙂", '"Zoë 🙂"'),
    ],
)
def test_json_of_what_vendors_send(value: Any, text: str) -> None:
    assert json_text(value) == text


def test_a_value_that_is_nested_without_end_is_cut() -> None:
    value: Any = []
    for _ in range(5000):
        value = [value]
    assert "..." in json_text(value)


def test_every_row_of_a_statement_is_cleaned() -> None:
    assert clean_parameters([(DIRTY, 1), (None, "ok")]) == [(CLEAN, 1), (None, "ok")]
    assert clean_parameters({"a": DIRTY}) == {"a": CLEAN}


async def test_both_stores_keep_dirty_texts_alike(ledger: Ledger, hand: Hand) -> None:
    """Journal, inbox, state entries, links and messages: the five ways by which text comes in."""
    entry = WriteEntry("create", "configuration", None, DIRTY, DIRTY, {DIRTY: DIRTY}, {"name": DIRTY})
    _, [write] = await ledger.batches.open("run", "connection", 7, [DIRTY], 0, [entry])
    await ledger.journal.record_outcomes([WriteOutcome(write, "failed", None, DIRTY)])
    [kept] = await ledger.journal.of_run("run")
    assert (kept.asset_key, kept.record_name, kept.message) == (CLEAN, CLEAN, CLEAN)
    assert (kept.before, kept.after) == ({CLEAN: CLEAN}, {"name": CLEAN})
    [batch] = await ledger.batches.in_flight("tenant", 7, "connection")
    assert batch.asset_keys == [CLEAN]
    assert await ledger.inbox.put_all([("connectwise", DIRTY, {"text": DIRTY})]) == [True]
    assert await ledger.inbox.put_all([("connectwise", CLEAN, {})]) == [False]
    [message] = await ledger.inbox.claim("me", limit=5, seconds=9)
    assert (message.message_id, message.body) == (CLEAN, {"text": CLEAN})
    await ledger.inbox.reject([message.id], "me", DIRTY)
    await ledger.state.set("tenant", "ways", {"text": DIRTY})
    assert await ledger.state.get("tenant", "ways") == {"text": CLEAN}
    link = await ledger.links.put("tenant", LinkEnd("a", "5"), LinkEnd("b", "1"), {"sent": DIRTY})
    assert link.details == {"sent": CLEAN}
    assert await ledger.links.from_left("tenant", LinkEnd("a", "5"), "b") == link


async def test_a_number_that_no_column_holds_is_that_records_problem(ledger: Ledger) -> None:
    entry = WriteEntry("modify", "configuration", 2**70, "key", "name", None, None)
    with pytest.raises(RejectedError, match="out of its range"):
        await ledger.journal.begin("run", "connection", 7, [entry])
    assert await ledger.journal.of_run("run") == []

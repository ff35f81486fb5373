"""The ledger's tables. Times are seconds since 1970 UTC; asset keys are Lansweeper's, ids the vendors' own.

``connection`` is a block's name, for people; ``tenant`` names the system (ADR 0012). It is null in rows of
versions that did not know it. ``claimed_by`` and ``claimed_until`` are explained in ``claims``.
``watermarks`` holds the state entries of ``state``; its name is older than the word.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
# SQLite numbers rows by itself only in a column of exactly this type.
ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
JSON_OR_NULL = JSON(none_as_null=True)

request_grants = Table(
    "request_grants",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("bucket", String(200), nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("granted_at", Double, nullable=False),
    Column("counts_until", Double, nullable=False),
    Index("request_grants_by_bucket", "bucket", "counts_until"),
)

request_pauses = Table(
    "request_pauses",
    metadata,
    Column("budget_key", String(160), primary_key=True),
    Column("paused_until", Double, nullable=False),
    Column("asked_seconds", Double, nullable=False),
)

request_hours = Table(
    "request_hours",
    metadata,
    Column("budget_key", String(200), primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("requests", BigInteger, nullable=False),
    Column("waits", BigInteger, nullable=False),
    Column("waited_seconds", Double, nullable=False),
    Column("refused", BigInteger, nullable=False),
)

writes = Table(
    "writes",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("run_id", String(100), nullable=False),
    Column("connection", String(200), nullable=False),
    Column("company_id", BigInteger, nullable=False),
    Column("operation", String(30), nullable=False),
    Column("record_kind", String(60), nullable=False),
    Column("record_id", BigInteger),
    Column("asset_key", String(300)),
    Column("record_name", Text, nullable=False),
    Column("before", JSON_OR_NULL),
    Column("after", JSON_OR_NULL),
    Column("begun_at", Double, nullable=False),
    Column("settled_at", Double),
    Column("outcome", String(20)),
    Column("message", Text),
    Column("tenant", String(200)),
    Index("writes_by_run", "run_id"),
)

batches_in_flight = Table(
    "batches_in_flight",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("run_id", String(100), nullable=False),
    Column("connection", String(200), nullable=False),
    Column("company_id", BigInteger, nullable=False),
    Column("asset_keys", JSON, nullable=False),
    Column("highest_id", BigInteger, nullable=False),
    Column("sent_at", Double, nullable=False),
    Column("tenant", String(200)),
    Index("batches_by_company", "connection", "company_id"),
)

ticket_links = Table(
    "ticket_links",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(20), primary_key=True),
    Column("ticket_id", BigInteger, primary_key=True, autoincrement=False),
    Column("last_updated", String(60), nullable=False),
    Column("configuration_ids", JSON, nullable=False),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", Double, nullable=False),
)

known_amounts = Table(
    "known_amounts",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(60), primary_key=True),
    Column("scope", String(100), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("read_at", Double, nullable=False),
)

known_links = Table(
    "known_links",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("asset_key", String(300), primary_key=True),
    Column("company_id", BigInteger, nullable=False),
    Column("configuration_id", BigInteger, nullable=False),
    Column("noted_at", Double, nullable=False),
    Index("known_links_by_company", "tenant", "company_id"),
)

merge_bases = Table(
    "merge_bases",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("asset_key", String(300), primary_key=True),
    Column("company_id", BigInteger, nullable=False),
    Column("configuration_id", BigInteger, nullable=False),
    Column("agreed", Text, nullable=False),
    Column("noted_at", Double, nullable=False),
    Index("merge_bases_by_company", "tenant", "company_id"),
)

merge_marks = Table(
    "merge_marks",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("write_id", BigInteger, nullable=False),
    Column("noted_at", Double, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("feature", String(60), primary_key=True),
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("record_key", String(300), primary_key=True),
    Column("step", String(60), nullable=False),
    Column("record_name", Text, nullable=False),
    Column("record_id", BigInteger),
    Column("payload", String(64), nullable=False),
    Column("version", String(100), nullable=False),
    Column("rules", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("run_id", String(100), nullable=False),
    Column("since", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("feature", String(60), nullable=False),
    Column("tenant", String(200), nullable=False),
    Column("company_id", BigInteger, nullable=False),
    Column("company", String(200), nullable=False),
    Column("run_id", String(100), nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("details", JSON, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("content", String(64), nullable=False),
    Column("made_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("begun_by", String(100), nullable=False),
    Column("applied_at", Double),
    Column("applied_by", String(100), nullable=False),
    Index("plans_by_company", "tenant", "feature", "company_id", "made_at"),
)

plan_parts = Table(
    "plan_parts",
    metadata,
    Column("plan_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kept_at", Double, nullable=False),
    Column("body", LargeBinary, nullable=False),
)


def _claim() -> list[Column[Any]]:
    return [Column("claimed_by", String(100)), Column("claimed_until", Double)]


def _attempt() -> list[Column[Any]]:
    return [
        Column("state", String(20), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("sent_at", Double),
        Column("changed_at", Double, nullable=False),
        Column("message", Text),
        *_claim(),
        Column("run_id", String(100)),
    ]


dispatch_intents = Table(
    "dispatch_intents",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("record_kind", String(20), nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("reference", String(60), nullable=False),
    Column("work_order_id", BigInteger),
    Column("created_at", Double, nullable=False),
    *_attempt(),
    UniqueConstraint("tenant", "record_kind", "record_id", "generation", name="one_intent_a_generation"),
    UniqueConstraint("tenant", "work_order_id", name="one_intent_a_work_order"),
    Index("dispatch_intents_by_state", "tenant", "state"),
)

links = Table(
    "links",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("left_kind", String(60), nullable=False),
    Column("left_id", String(100), nullable=False),
    Column("right_kind", String(60), nullable=False),
    Column("right_id", String(100), nullable=False),
    Column("details", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    UniqueConstraint("tenant", "left_kind", "left_id", "right_kind", name="one_right_a_left"),
    UniqueConstraint("tenant", "right_kind", "right_id", "left_kind", name="one_left_a_right"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("source", String(60), nullable=False),
    Column("message_id", String(200), nullable=False),
    Column("body", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("received_at", Double, nullable=False),
    Column("next_attempt_at", Double, nullable=False),
    Column("settled_at", Double),
    Column("message", Text),
    *_claim(),
    UniqueConstraint("source", "message_id", name="one_row_a_message"),
    Index("inbox_by_state", "state", "next_attempt_at"),
)

synced_notes = Table(
    "synced_notes",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("work_order_id", BigInteger, nullable=False),
    Column("origin", String(20), nullable=False),
    Column("origin_id", String(100), nullable=False),
    Column("copy_id", String(100)),
    *_attempt(),
    UniqueConstraint("tenant", "origin", "origin_id", name="one_row_a_note"),
    UniqueConstraint("tenant", "origin", "copy_id", name="one_row_a_copy"),
    Index("synced_notes_by_work_order", "tenant", "work_order_id"),
)

dispatch_effects = Table(
    "dispatch_effects",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("tenant", String(200), nullable=False),
    Column("work_order_id", BigInteger, nullable=False),
    Column("name", String(200), nullable=False),
    Column("result_id", String(100)),
    *_attempt(),
    UniqueConstraint("tenant", "work_order_id", "name", name="one_row_an_effect"),
)

match_decisions = Table(
    "match_decisions",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("asset_key", String(300), primary_key=True),
    Column("configuration_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("asset_name", Text, nullable=False),
    Column("configuration_name", Text, nullable=False),
    Column("run_id", String(100), nullable=False),
    Column("decided_at", Double, nullable=False),
)

missing_assets = Table(
    "missing_assets",
    metadata,
    Column("tenant", String(200), primary_key=True),
    Column("company_id", BigInteger, primary_key=True, autoincrement=False),
    Column("asset_key", String(300), primary_key=True),
    Column("configuration_id", BigInteger, nullable=False),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    Column("readings", Integer, nullable=False),
)

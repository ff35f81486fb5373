"""The ledger's tables. Times are seconds since 1970 UTC; asset keys are Lansweeper's, ids ConnectWise's."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Double, Index, Integer, MetaData, String, Table, Text

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

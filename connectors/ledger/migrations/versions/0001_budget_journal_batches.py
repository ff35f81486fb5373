"""Request budget, journal of writes, batches in flight."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Creates the first four tables."""
    _create_budget()
    _create_journal()
    _create_batches()


def downgrade() -> None:
    """Drops them; only history and speed are lost."""
    for table in ("batches_in_flight", "writes", "request_pauses", "request_grants"):
        op.drop_table(table)


def _create_budget() -> None:
    op.create_table(
        "request_grants",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("bucket", sa.String(200), nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("granted_at", sa.Double, nullable=False),
        sa.Column("counts_until", sa.Double, nullable=False),
    )
    op.create_index("request_grants_by_bucket", "request_grants", ["bucket", "counts_until"])
    op.create_table(
        "request_pauses",
        sa.Column("budget_key", sa.String(160), primary_key=True),
        sa.Column("paused_until", sa.Double, nullable=False),
    )


def _create_journal() -> None:
    op.create_table(
        "writes",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("connection", sa.String(200), nullable=False),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("operation", sa.String(30), nullable=False),
        sa.Column("record_kind", sa.String(60), nullable=False),
        sa.Column("record_id", sa.BigInteger),
        sa.Column("asset_key", sa.String(300)),
        sa.Column("record_name", sa.Text, nullable=False),
        sa.Column("before", sa.JSON),
        sa.Column("after", sa.JSON),
        sa.Column("begun_at", sa.Double, nullable=False),
        sa.Column("settled_at", sa.Double),
        sa.Column("outcome", sa.String(20)),
        sa.Column("message", sa.Text),
    )
    op.create_index("writes_by_run", "writes", ["run_id"])


def _create_batches() -> None:
    op.create_table(
        "batches_in_flight",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("connection", sa.String(200), nullable=False),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("asset_keys", sa.JSON, nullable=False),
        sa.Column("highest_id", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.Double, nullable=False),
    )
    op.create_index("batches_by_company", "batches_in_flight", ["connection", "company_id"])

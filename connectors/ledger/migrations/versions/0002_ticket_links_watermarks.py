"""Ticket links and watermarks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds what a later run of the enrichment starts from."""
    op.create_table(
        "ticket_links",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("ticket_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_updated", sa.String(60), nullable=False),
        sa.Column("configuration_ids", sa.JSON, nullable=False),
    )
    op.create_table(
        "watermarks",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Drops them; the next run asks about everything again."""
    op.drop_table("watermarks")
    op.drop_table("ticket_links")

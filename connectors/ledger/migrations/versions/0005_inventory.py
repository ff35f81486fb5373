"""Known amounts and links of each company's inventory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds what a reading is held against; empty, it is filled from the journal and by the next runs."""
    op.create_table(
        "known_amounts",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("scope", sa.String(100), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("read_at", sa.Double, nullable=False),
    )
    op.create_table(
        "known_links",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("asset_key", sa.String(300), primary_key=True),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("configuration_id", sa.BigInteger, nullable=False),
        sa.Column("noted_at", sa.Double, nullable=False),
        sa.Index("known_links_by_company", "tenant", "company_id"),
    )


def downgrade() -> None:
    """Drops them; the next run asks the tenant."""
    op.drop_table("known_links")
    op.drop_table("known_amounts")

"""Since when the asset of a linked configuration is missing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table; what is missing already counts from the next whole reading."""
    op.create_table(
        "missing_assets",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("asset_key", sa.String(300), primary_key=True),
        sa.Column("configuration_id", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.Double, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
        sa.Column("readings", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drops it; the days are counted anew."""
    op.drop_table("missing_assets")

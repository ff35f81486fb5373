"""What people decided about matches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table; nothing was decided before."""
    op.create_table(
        "match_decisions",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("asset_key", sa.String(300), primary_key=True),
        sa.Column("configuration_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("asset_name", sa.Text, nullable=False),
        sa.Column("configuration_name", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("decided_at", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Drops it; links stay in ConnectWise, what was never to match or to be ignored is forgotten."""
    op.drop_table("match_decisions")

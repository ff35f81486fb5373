"""The requests of the last day, by budget and hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table; it fills itself from now on."""
    op.create_table(
        "request_hours",
        sa.Column("budget_key", sa.String(200), primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("waits", sa.BigInteger, nullable=False),
        sa.Column("waited_seconds", sa.Double, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drops it: only history is lost."""
    op.drop_table("request_hours")

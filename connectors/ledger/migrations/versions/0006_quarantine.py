"""The records that a vendor refused, held until they change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table. What was refused before it is refused once more, and held from then on."""
    op.create_table(
        "quarantine",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("feature", sa.String(60), primary_key=True),
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("record_key", sa.String(300), primary_key=True),
        sa.Column("step", sa.String(60), nullable=False),
        sa.Column("record_name", sa.Text, nullable=False),
        sa.Column("record_id", sa.BigInteger),
        sa.Column("payload", sa.String(64), nullable=False),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("rules", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drops it; refused records are tried again at the next run."""
    op.drop_table("quarantine")

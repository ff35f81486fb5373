"""The tenant of writes and of batches in flight, which had the name of a block alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column. Which tenant a block led to is not known here: older rows keep none."""
    for table in ("writes", "batches_in_flight"):
        op.add_column(table, sa.Column("tenant", sa.String(200)))


def downgrade() -> None:
    """Drops it."""
    for table in ("batches_in_flight", "writes"):
        op.drop_column(table, "tenant")

"""The run that sent what dispatch writes, so that the writes of any run can be listed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("dispatch_intents", "dispatch_effects", "synced_notes")


def upgrade() -> None:
    """Adds the column. Of what was sent before it is not known."""
    for table in TABLES:
        op.add_column(table, sa.Column("run_id", sa.String(100)))


def downgrade() -> None:
    """Drops it."""
    for table in TABLES:
        op.drop_column(table, "run_id")

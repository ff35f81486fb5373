"""What Lansweeper and ConnectWise agreed on last, for the authority ``merge``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds both tables. Where nothing is known, a field is decided as with the authority ``lansweeper``."""
    op.create_table(
        "merge_bases",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("asset_key", sa.String(300), primary_key=True),
        sa.Column("company_id", sa.BigInteger, nullable=False),
        sa.Column("configuration_id", sa.BigInteger, nullable=False),
        sa.Column("agreed", sa.Text, nullable=False),
        sa.Column("noted_at", sa.Double, nullable=False),
        sa.Index("merge_bases_by_company", "tenant", "company_id"),
    )
    op.create_table(
        "merge_marks",
        sa.Column("tenant", sa.String(200), primary_key=True),
        sa.Column("company_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("write_id", sa.BigInteger, nullable=False),
        sa.Column("noted_at", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Drops them; the next run takes Lansweeper's values."""
    op.drop_table("merge_marks")
    op.drop_table("merge_bases")

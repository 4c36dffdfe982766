"""Indexes by which what reads a long ledger looks at no more of it than it shows."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UNUSUAL = "outcome NOT IN ('QUEUED', 'RUNNING', 'SUCCESS')"
INDEXES = (
    (
        *("ix_occurrence_ranges", "occurrence"),
        *(["schedule_id", "scheduled_until", "scheduled_for"], "scheduled_until IS NOT NULL"),
    ),
    ("ix_occurrence_by_hand", "occurrence", ["decided_at"], "scheduled_for IS NULL"),
    ("ix_occurrence_unusual", "occurrence", ["outcome", "id"], UNUSUAL),
    (
        *("ix_occurrence_unusual_of_schedule", "occurrence"),
        *(["schedule_id", "outcome", "id"], UNUSUAL),
    ),
    ("ix_audit_entry_renames", "audit_entry", ["id"], "action = 'schedule.rename'"),
)


def upgrade() -> None:
    for name, table, columns, where in INDEXES:
        literal = sa.text(where)
        op.create_index(name, table, columns, postgresql_where=literal, sqlite_where=literal)


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)

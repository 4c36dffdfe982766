"""Schedules have labels, and the audit finds what was done to many of them by one act."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OF_MANY = "ix_audit_entry_of_many"


def upgrade() -> None:
    comment = "what people call it together with others"
    op.add_column("job_schedule", sa.Column("labels", JSON, comment=comment))
    where = sa.text("action LIKE 'schedules.%'")
    op.create_index(OF_MANY, "audit_entry", ["id"], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    op.drop_index(OF_MANY, table_name="audit_entry")
    op.drop_column("job_schedule", "labels")

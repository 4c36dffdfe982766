"""A run that was skipped for another remembers which, so that it goes back with that one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

run = sa.table(
    "job_run",
    *(sa.column(name) for name in ("id", "occurrence_id", "job_name", "status", "reason")),
    sa.column("skipped_for_id"),
)
ENDS = ("failed", "was cancelled", "was skipped")


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    what = sa.Column("skipped_for_id", number, comment="the run that it was skipped for")
    op.add_column("job_run", what)
    # Until now only its reason named it.
    root = run.alias("root").c
    named = (
        sa.select(sa.func.min(root.id))
        .where(
            root.occurrence_id == run.c.occurrence_id,
            run.c.reason.in_([root.job_name + f" {end}" for end in ENDS]),
        )
        .correlate(run)
        .scalar_subquery()
    )
    op.execute(
        sa.update(run)
        .where(run.c.status == "SKIPPED", run.c.reason.is_not(None))
        .values(skipped_for_id=named)
    )


def downgrade() -> None:
    op.drop_column("job_run", "skipped_for_id")

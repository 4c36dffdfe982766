"""The audit can only be added to; people may come from a provider; who acts keeps a pace."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
REFUSAL = "audit_entry can only be added to"
SQLITE_GUARDS = {
    "audit_entry_no_update": "BEFORE UPDATE ON audit_entry",
    "audit_entry_no_delete": "BEFORE DELETE ON audit_entry",
    # INSERT OR REPLACE removes the older row without asking the trigger above.
    "audit_entry_no_replace": (
        "BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE id = NEW.id)"
    ),
}
POSTGRESQL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'insufficient_privilege';
END
$$
"""
POSTGRESQL_GUARD = """
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()
"""


def upgrade() -> None:
    op.add_column(
        "user",
        sa.Column(
            "external_id",
            sa.String(500),
            comment="issuer and subject of an identity provider",
        ),
    )
    op.create_index("ix_user_external_id", "user", ["external_id"], unique=True)
    # Of the column itself, so that both databases can add it, and drop it again, in place.
    op.execute(
        "ALTER TABLE api_token ADD COLUMN scope VARCHAR(10) DEFAULT 'api' NOT NULL "
        "CONSTRAINT ck_api_token_scope CHECK (scope IN ('api', 'feed', 'metrics'))"
    )
    op.create_table(
        "pace",
        sa.Column("id", sa.String(120), nullable=False, comment="whose: user:…, token:…, login:…"),
        sa.Column("spent_until", sa.Float(), nullable=False, comment="seconds since 1970"),
        sa.PrimaryKeyConstraint("id", name="pk_pace"),
    )
    op.create_table(
        "user_session",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False, comment="the user's, when it began"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_user_session_user_id_user", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_session"),
        sa.UniqueConstraint("token_hash", name="uq_user_session_token_hash"),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL_FUNCTION)
        op.execute(POSTGRESQL_GUARD)
        return
    for name, guarded in SQLITE_GUARDS.items():
        op.execute(f"CREATE TRIGGER {name} {guarded} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_entry_append_only ON audit_entry")
        op.execute("DROP FUNCTION refuse_change_of_audit()")
    else:
        for name in SQLITE_GUARDS:
            op.execute(f"DROP TRIGGER {name}")
    op.drop_table("user_session")
    op.drop_table("pace")
    op.drop_column("api_token", "scope")
    op.drop_index("ix_user_external_id", "user")
    op.drop_column("user", "external_id")

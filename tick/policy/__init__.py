"""DECISIONS: cron, missed instants, overlap, plans, retries. Pure: no database, no clock."""

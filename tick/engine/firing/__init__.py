"""Firing: claim due schedules, plan them, and write ledger rows and runs in one transaction."""

"""Schedules as rows: sync from code, switch, pause, replay, and follow changed zone data."""

"""Bringing schedules here from other schedulers."""

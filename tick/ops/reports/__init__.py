"""Answers that need work: verify, why, deploy plan, dry run, upcoming, statistics."""

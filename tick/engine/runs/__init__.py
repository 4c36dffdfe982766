"""Runs from the queue to their end: claim, limits, finish, settle, rescue, requeue, cancel."""

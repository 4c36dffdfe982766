"""Sums of what ended, and the pruning of old rows."""

"""Rows that every part of the engine reads or writes: instants, windows, versions, audit, ticks."""

"""MOVING PARTS: claims, the ledger, runs, rescue. Every write to a run is here; `now` comes in."""

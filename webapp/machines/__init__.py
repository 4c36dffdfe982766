"""Endpoints for machines: tick, work, health checks and metrics."""

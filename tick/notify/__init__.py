"""Alerts: rules, deliveries and channels."""

"""The operations, each declared once, for the JSON API and the command line."""

"""What can be asked for: each operation declared once, for the JSON API and the command line."""

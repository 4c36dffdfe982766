"""Jobs that are commands and HTTP requests."""

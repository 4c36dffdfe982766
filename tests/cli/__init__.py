"""The command line: what each command prints, in words and as JSON, and how it fails."""

"""The cron calculator: when an expression fires in a time zone, and what it says in words. Pure."""

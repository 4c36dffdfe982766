"""Users, their sessions, API tokens, and the rate limits of each."""

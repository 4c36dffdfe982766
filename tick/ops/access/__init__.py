"""WHO may do what: people, their sessions, tokens of programs, and how fast each may act."""

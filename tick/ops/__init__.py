"""Everything for people: queries, reports, actions and access."""

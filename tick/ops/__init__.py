"""What PEOPLE see and do: queries, actions, access."""

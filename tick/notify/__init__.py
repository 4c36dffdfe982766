"""Who is told of what went wrong, and how it reaches them."""

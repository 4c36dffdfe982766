"""The tick: decides everything that is due; and the loops and simulations that call it."""

"""The parts of a worker: what it claims, who executes it, what it hears and saves."""

"""The worker: claims runs, has them executed, and writes their results."""

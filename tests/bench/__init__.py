"""Benchmarks: each hot path beside hand-made SQL that writes the same rows, in one run.

The worker stands beside other job systems instead, where they are installed.

`python -m tests.bench [--json] [--only NAME] [--rows N]`. Only ratios inside one run mean anything:
disk and processor of a shared machine are twice as fast in one minute as in the next.
A benchmark is a module with a `measure(place, options)`, named in `__main__.BENCHMARKS`.
"""

"""Benchmarks: each hot path beside hand-made SQL that writes the same rows, in one run.

The worker, `python -m tests.bench worker`, stands beside other job systems instead, where they are
installed.

`python -m tests.bench [NAME …] [--json] [--rows N] [--repeats N]`. Only ratios inside one run mean
anything: disk and processor of a shared machine are twice as fast in one minute as in the next.
A benchmark is a module with a `measure(place, options)`, named in `__main__.BENCHMARKS`.
"""

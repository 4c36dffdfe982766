"""Other job systems, driven as their manuals say: 10,000 no-ops beforehand, one worker process.

A module has a `Peer`, which makes its jobs and counts those that ended, and `work()`, the body of
its worker process. All of them keep each job's final status.
"""

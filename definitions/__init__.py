"""The jobs and schedules of this project: the only folder that a job author opens.

What ships here is a sample. README.md says how to add a job, and how to replace the whole.
"""

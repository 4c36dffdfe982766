"""WHAT may run, and when: jobs, schedules and the registry that loads them. Pure."""

"""Around a job's code: the processes and threads that run it, and all that it says and leaves."""

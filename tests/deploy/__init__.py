"""What deploy/ says is done: each start command runs, as the processes that operators start."""

"""Kinds of jobs beside Python functions: a command, an HTTP request."""

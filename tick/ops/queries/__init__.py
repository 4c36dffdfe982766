"""Reads for people, as console, API and command line show them. Nothing here writes.

Every function takes an open connection and answers frozen dataclasses; every list is bounded, in
keyset pages, and takes a number of statements that does not grow with its rows.
"""

"""Reads the schedules of other schedulers, and writes definitions of ours beside a proof. Pure.

Each source is one small reader: texts of files in, entries out. Nothing of what it reads is
imported, evaluated or unpickled. What follows is the same for all: `timing.py` finds our rule,
`proof.py` compares the instants, `definitions_file.py` writes the definitions, `report.py` tells.
"""

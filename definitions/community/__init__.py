"""The sample community that the sample jobs work on, and the helpers that keep jobs short.

`python -m definitions.community` makes it: one SQLite file and a folder of pictures.
"""

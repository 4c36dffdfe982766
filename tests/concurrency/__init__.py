"""Ticks that meet and ticks that die: nothing fires twice, is lost, or stays locked."""

"""Which release of Job Schedule Manager this is."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("job-schedule-manager")
except PackageNotFoundError:  # run from its sources
    __version__ = "0+unknown"

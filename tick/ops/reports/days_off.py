"""Public holidays and weekends of the settings' regions, for pages. What fires ignores them."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from types import ModuleType
from typing import Any

from tick.errors import SettingsError
from tick.policy.business_days import WEEKEND

_USUAL_WEEKEND = (5, 6)
_INSTALL = "pip install 'job-schedule-manager[holidays]'"


def check(regions: Sequence[str]) -> None:
    """Raise SettingsError if a region of TICK_HOLIDAYS is not known, or the library is missing."""
    for region in regions:
        country, dash, part = region.partition("-")
        parts = _library().list_supported_countries().get(country)
        if parts is None or (dash and part not in parts):
            raise SettingsError(
                f"TICK_HOLIDAYS: no holidays are known of {region!r}; write a country by its two "
                "letters, or with a part of it: DE, DE-BY, US-CA."
            )


def holiday_on(regions: Sequence[str], day: date) -> str | None:
    """Return the holidays of a day, as `Christmas Day (DE)`; None on an ordinary day."""
    years = zip(regions, _of_regions(regions, day), strict=True)
    names = [(region, year.get(day)) for region, year in years if year is not None]
    return ", ".join(f"{name} ({region})" for region, name in names if name) or None


def why_off(regions: Sequence[str], day: date) -> str | None:
    """Return why a day is off: its holidays, or WEEKEND if it is one in each region; else None."""
    if found := holiday_on(regions, day):
        return found
    known = [year for year in _of_regions(regions, day) if year is not None]
    # Where a long holiday is made up for, some Saturdays are worked.
    off = [year.is_weekend(day) and not year.is_working_day(day) for year in known]
    return WEEKEND if (all(off) if off else day.weekday() in _USUAL_WEEKEND) else None


def _of_regions(regions: Sequence[str], day: date) -> list[Any]:
    return [_of_year(region, day.year) for region in regions]


@lru_cache(maxsize=100)
def _of_year(region: str, year: int) -> Any:
    """Return the library's holidays of a year; None for a region that nobody knows."""
    try:
        check((region,))
    except SettingsError:
        return None  # a page of what is to come must not fail for it
    country, _, part = region.partition("-")
    return _library().country_holidays(
        country, subdiv=part or None, years=year, language="en_US", expand=False
    )


def _library() -> ModuleType:
    try:
        import holidays  # an extra, which most installations leave out
    except ModuleNotFoundError:
        raise SettingsError(f"TICK_HOLIDAYS needs the package holidays: {_INSTALL}.") from None
    return holidays

"""Public holidays by name, for calendars. Nothing that fires knows them."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from types import ModuleType

from tick.errors import SettingsError

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
    names = ((region, _of_year(region, day.year).get(day)) for region in regions)
    return ", ".join(f"{name} ({region})" for region, name in names if name) or None


@lru_cache(maxsize=100)
def _of_year(region: str, year: int) -> dict[date, str]:
    try:
        check((region,))
    except SettingsError:
        return {}  # a page of what is to come must not fail for it
    country, _, part = region.partition("-")
    return dict(
        _library().country_holidays(country, subdiv=part or None, years=year, language="en_US")
    )


def _library() -> ModuleType:
    try:
        import holidays  # an extra, which most installations leave out
    except ModuleNotFoundError:
        raise SettingsError(f"TICK_HOLIDAYS needs the package holidays: {_INSTALL}.") from None
    return holidays

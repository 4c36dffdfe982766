"""Public holidays by country, from the package `holidays`: an extra, imported only when asked."""

import warnings
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tick.define.calendars import NATIONAL, Calendar
from tick.define.wrong_values import did_you_mean

FIRST_YEAR, LAST_YEAR = 2020, 2035
_INSTALL = "pip install 'job-schedule-manager[holidays]'"
_ENGLISH = "en_US"
_ESTIMATED = " (estimated)"
_PUBLIC, _SCHOOL = "public", "school"


class UnknownRegion(Exception):
    """A calendar asks for holidays that are not to be had; the message says what to write."""


@dataclass
class LibraryDays:
    """The holidays of a region by the library, for the years FIRST_YEAR to LAST_YEAR."""

    weekend: tuple[int, ...]
    until: date
    holidays: dict[date, str] = field(default_factory=dict)
    make_up_days: set[date] = field(default_factory=set)
    estimated: set[date] = field(default_factory=set)
    left_out: tuple[str, ...] = ()
    """Categories of holidays that the library has and the calendar does not ask for."""


def read_region(calendar: Calendar) -> LibraryDays:
    """Return the days of a calendar's country and subdivision. Raises UnknownRegion."""
    library = _library()
    country, known = str(calendar.country), library.list_supported_countries()
    if country not in known:
        raise UnknownRegion(
            f"country {country!r} is not known{did_you_mean(country.upper(), known)}; write two "
            "letters, as in 'DE'."
        )
    part = _subdivision(calendar, library.country_holidays(country))
    about = library.country_holidays(country, subdiv=part)
    given: dict[str, Any] = {"subdiv": part, "language": _language(about), "expand": False}
    if calendar.categories:
        _check_categories(calendar, about.supported_categories)
        given["categories"] = tuple(calendar.categories)
    # What is observed on a weekday may lie in the year before: New Year's Day of 2028.
    first, last = max(FIRST_YEAR, about.start_year), min(LAST_YEAR + 1, about.end_year)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of years for which a country announces its holidays late
        found = library.country_holidays(country, years=range(first, last + 1), **given)
    days = _read(found, last)
    taken = {*(calendar.categories or (_PUBLIC,)), _SCHOOL}
    days.left_out = tuple(each for each in about.supported_categories if each not in taken)
    return days


def _read(found: Any, last: int) -> LibraryDays:
    days = LibraryDays(tuple(sorted(found.weekend)), _known_until(found, last))
    for day, name in sorted(found.items()):
        if day.year >= FIRST_YEAR and day <= days.until:
            # Several holidays of one day are joined by the library.
            days.holidays[day] = name.replace(_ESTIMATED, "")
            if _ESTIMATED in name:
                days.estimated.add(day)
    days.make_up_days = {day for day in found.weekend_workdays if day.year >= FIRST_YEAR}
    return days


def _known_until(found: Any, last: int) -> date:
    made_up = getattr(found, "weekend_workdays", ())
    if made_up:
        # Where weekends are worked, the government says year by year which: China, Hungary, Latvia.
        return date(max(day.year for day in made_up), 12, 31)
    return date(min(last, LAST_YEAR), 12, 31)


def _subdivision(calendar: Calendar, about: Any) -> str | None:
    """Return the library's name of the subdivision; None for the holidays of the whole country."""
    parts = tuple(about.subdivisions)
    wanted = calendar.subdivision
    if not parts or wanted == NATIONAL:
        if wanted in (None, NATIONAL):
            return None
        raise UnknownRegion(f"{calendar.country} has no subdivisions; leave subdivision out.")
    if wanted is None:
        raise UnknownRegion(
            f"parts of {calendar.country} have holidays of their own: choose a subdivision, one of "
            f"{', '.join(parts)}, or subdivision={NATIONAL!r} for those of the whole country."
        )
    aliases = getattr(about, "subdivisions_aliases", {})
    short = str(wanted).removeprefix(f"{calendar.country}-")
    if short not in parts and short not in aliases:
        near = did_you_mean(short.upper(), parts) or did_you_mean(short, (*parts, *aliases))
        raise UnknownRegion(
            f"{calendar.country} has no subdivision {wanted!r}{near}; those that are known are "
            f"{', '.join(parts)}."
        )
    return short


def _check_categories(calendar: Calendar, known: Any) -> None:
    unknown = [each for each in calendar.categories if each not in known]
    if unknown:
        raise UnknownRegion(
            f"{calendar.country} has no holidays of category {unknown[0]!r}; there are "
            f"{', '.join(known)}."
        )


def _language(about: Any) -> str | None:
    """Return the language of the names: else they would follow the machine's own."""
    if _ENGLISH in about.supported_languages:
        return _ENGLISH
    found: str | None = about.default_language
    return found


def library_version() -> str:
    """Return `holidays 0.109`. Raises UnknownRegion."""
    return f"holidays {_library().__version__}"


def _library() -> Any:
    try:
        import holidays  # an extra, which most installations leave out
    except ModuleNotFoundError:
        raise UnknownRegion(f"country needs the package holidays: {_INSTALL}.") from None
    return holidays


ALL_DAYS = [
    date(FIRST_YEAR, 1, 1) + timedelta(days=number)
    for number in range((date(LAST_YEAR + 1, 1, 1) - date(FIRST_YEAR, 1, 1)).days)
]

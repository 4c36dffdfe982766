"""Names → definitions: loads the user's package and reports every mistake at once."""

import importlib
import pkgutil
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from tick.define import mistakes
from tick.define.alerts import Rule
from tick.define.alerts import find_mistakes as find_in_rules
from tick.define.calendar_days import ExpandedCalendars, expand, with_days
from tick.define.calendars import Calendar
from tick.define.environments import differences, in_environment
from tick.define.jobs import ATTRIBUTE, JobDefinition, named_by
from tick.define.schedules import Schedule, canonical, short_digest
from tick.define.source import place
from tick.define.window_mistakes import find_in_windows
from tick.define.windows import Window
from tick.define.written import differences_to_plain
from tick.environment import PRODUCTION
from tick.errors import DefinitionsInvalid, NotFound
from tick.policy.graph import Edge, Selection, select

T = TypeVar("T")
_OWN = Path(__file__).parent.parent


@dataclass(frozen=True)
class Registry:
    """All jobs and schedules by name, known to be free of mistakes."""

    jobs: Mapping[str, JobDefinition]
    schedules: Mapping[str, Schedule]
    alerts: tuple[Rule, ...] | None = None
    """The rules of the schedules that have none of their own."""
    calendars: ExpandedCalendars = field(default_factory=ExpandedCalendars)
    windows: tuple[Window, ...] = ()
    environment: str = PRODUCTION
    """The one whose schedules these are."""
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The schedules that exist in other environments only, and in which."""

    @property
    def groups(self) -> dict[str, list[JobDefinition]]:
        """The groups in the order of their first job."""
        found: dict[str, list[JobDefinition]] = {}
        for definition in self.jobs.values():
            found.setdefault(definition.group, []).append(definition)
        return found

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every dependency between jobs."""
        return tuple(edge for definition in self.jobs.values() for edge in definition.edges)

    def job(self, name: str) -> JobDefinition:
        """Return the job of that name. Raises NotFound."""
        try:
            return self.jobs[name]
        except KeyError:
            raise NotFound(
                f"No job is called {name!r}; `tick check` lists what the definitions hold."
            ) from None

    def select(self, target: Mapping[str, Any]) -> Selection:
        """Return the jobs of a schedule's target, in dependency order. Raises NotFound."""
        wanted = [self.job(name).name for name in named_by(target, self.jobs)]
        return select(wanted, self.edges, include=bool(target.get("with_dependencies")))

    @property
    def digest(self) -> str:
        """The identity of all schedules' rules, targets and words, and of all jobs' policies."""
        jobs = {name: _policy(job) for name, job in self.jobs.items()}
        schedules = {
            name: [
                each.rule().to_json(),
                each.target(),
                each.words() | each.labelled() | each.told() | _where(each),
            ]
            for name, each in self.schedules.items()
        }
        windows = {window.name: window.plain() for window in self.windows}
        whole = {"jobs": jobs, "schedules": schedules} | ({"windows": windows} if windows else {})
        return short_digest(canonical(whole))


def load_registry(package: str, environment: str = PRODUCTION) -> Registry:
    """Import the package and its modules. Raises DefinitionsInvalid with every mistake."""
    modules, broken = _import_all(package)
    alerts = getattr(modules[0], "ALERTS", None) if modules else None
    if alerts is not None:
        broken += [f"{package}.ALERTS: {text}" for text in find_in_rules(alerts)]
    calendars = _instances(modules, Calendar)
    windows = _instances(modules, Window)
    schedules = _instances(modules, Schedule)
    return build_registry(
        _jobs(modules), schedules, broken, alerts, calendars, windows, environment
    )


def load_jobs(package: str) -> dict[str, JobDefinition]:
    """Return the jobs of a package's modules. Raises DefinitionsInvalid if none can be imported."""
    # For workers: a mistake elsewhere in the definitions keeps no job from running.
    modules, broken = _import_all(package)
    if not modules:
        raise DefinitionsInvalid(broken)
    return {definition.name: definition for definition in _jobs(modules)}


def build_registry(
    jobs: Iterable[JobDefinition],
    schedules: Iterable[Schedule],
    broken: Iterable[str] = (),
    alerts: tuple[Rule, ...] | None = None,
    calendars: Iterable[Calendar] = (),
    windows: Iterable[Window] = (),
    environment: str = PRODUCTION,
) -> Registry:
    """Return a registry for an environment; `alerts` are for schedules without.

    Raises DefinitionsInvalid, also for what is wrong in another environment.
    """
    jobs, schedules, known = list(jobs), list(schedules), expand(calendars)
    planned = tuple(windows)
    found = [*broken, *known.mistakes, *mistakes.find(jobs, schedules, known)]
    found += find_in_windows(planned, schedules)
    if found:
        raise DefinitionsInvalid(found)
    here = {each.id: in_environment(each, environment) for each in schedules}
    there = (with_days(each, known) for each in here.values() if each is not None)
    told = [replace(each, alerts=alerts) if each.alerts is None else each for each in there]
    elsewhere = {
        each.id: tuple(differences(each) or ()) for each in schedules if here[each.id] is None
    }
    by_name, by_id = {job.name: job for job in jobs}, {each.id: each for each in told}
    planned = tuple(_windows_here(planned, elsewhere))
    return Registry(by_name, by_id, alerts, known, planned, environment, elsewhere)


def _import_all(package: str) -> tuple[list[ModuleType], list[str]]:
    """Return the modules of a package that can be imported, and why the others can't."""
    # A console script's path lacks the working directory, where `definitions/` usually lies.
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    # Files may be newer than what Python remembers of their folder, by less than its clock tells.
    importlib.invalidate_caches()
    modules, broken = [], []
    names = [package]
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception as error:  # each module's mistake is reported, not the first alone
            broken.append(_import_mistake(name, error))
            continue
        modules.append(module)
        inside = [found.name for found in pkgutil.iter_modules(getattr(module, "__path__", ()))]
        names += [f"{name}.{each}" for each in inside if each != "__main__"]
    return modules, broken


def _import_mistake(name: str, error: Exception) -> str:
    # The author's own line: the deepest frame may be ours, where a wrong option is refused.
    frames = traceback.extract_tb(error.__traceback__)
    foreign = [frame for frame in frames if not Path(frame.filename).is_relative_to(_OWN)]
    where = (foreign or frames)[-1]
    at = place(where.filename, where.lineno or 0)
    if isinstance(error, SyntaxError):  # no frame is in a module that cannot be read
        at = place(error.filename or name, error.lineno or 0)
    if isinstance(error, ModuleNotFoundError) and error.name == name:
        return (
            f"{name}: no such package; set TICK_DEFINITIONS to one that can be imported from here."
        )
    return f"{at}: importing {name} raised {type(error).__name__}: {error}; mend the module."


def _jobs(modules: Iterable[ModuleType]) -> list[JobDefinition]:
    # By identity: a module may import another's job, which is the same one.
    found = (getattr(value, ATTRIBUTE, None) for value in _values(modules))
    return list({id(each): each for each in found if isinstance(each, JobDefinition)}.values())


def _instances(modules: Iterable[ModuleType], kind: type[T]) -> list[T]:
    found = _values(modules)
    return list({id(each): each for each in found if isinstance(each, kind)}.values())


def _values(modules: Iterable[ModuleType]) -> Iterator[object]:
    """Yield the values at the top of the modules, and those in their lists and dictionaries."""
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, list | tuple):
                yield from value
            elif isinstance(value, dict) and value is not vars(module).get("__builtins__"):
                yield from value.values()
            else:
                yield value


def _windows_here(windows: Iterable[Window], elsewhere: Collection[str]) -> Iterator[Window]:
    """Yield the windows without the schedules that do not exist here; none for those alone."""
    for window in windows:
        here = [name for name in window.schedules if name not in elsewhere]
        if here or window.labels or not window.schedules:
            yield window if len(here) == len(window.schedules) else replace(window, schedules=here)


def _where(schedule: Schedule) -> dict[str, Any]:
    found = differences_to_plain(schedule)
    return {} if found is None else {"environments": found}


def _policy(definition: JobDefinition) -> dict[str, Any]:
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in vars(definition).items()
        if name not in {"function", "when", "description", "source"}
    }

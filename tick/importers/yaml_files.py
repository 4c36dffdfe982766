"""Reads YAML without running any of it, and only as much as is sensible. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from tick.importers.entries import File, ImportRefused

_MOST_ALIASES = 1000


def documents(file: File) -> Iterator[Any]:
    """Yield the documents of a file as plain values. Raises ImportRefused."""
    try:
        import yaml
    except ImportError:
        raise ImportRefused(
            "YAML is read with PyYAML, which is not installed: install the extra `yaml`."
        ) from None
    if "{{" in file.text:
        raise ImportRefused(
            f"{file.name} is a template: render it first, for example with `helm template`."
        )
    if file.text.count("*") > _MOST_ALIASES and file.text.count("&") > _MOST_ALIASES:
        raise ImportRefused(f"{file.name} has too many anchors and aliases; write them out.")
    # The safe loaders make plain values only: no tag names a class or a function.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.load_all(file.text, Loader=loader)  # nosec B506
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise ImportRefused(f"{file.name} is no YAML: {said}. Mend it, then try again.") from None


def at(value: Any, *path: str | int) -> Any:
    """Return what stands at a path of keys and numbers; None where there is nothing."""
    for key in path:
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and len(value) > key else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def texts(value: Any) -> list[str]:
    """Return the items of a list as texts; none where there is no list."""
    return [str(each) for each in value] if isinstance(value, list) else []


def line_of(text: str, *needles: str) -> int:
    """Return the number of the first line that has one of the texts; 0 if there is none."""
    for needle in needles:
        for number, line in enumerate(text.split("\n"), 1):
            if needle in line:
                return number
    return 0

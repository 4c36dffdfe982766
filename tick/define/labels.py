"""The mistakes that the labels of schedules and windows can hold. Pure."""

from collections.abc import Iterator

from tick.define.wrong_values import NAME, in_names

MAX_LABELS = 20
MAX_LABEL = 50


def in_labels(labels: object) -> Iterator[str]:
    """Yield the mistakes in a list of labels."""
    wrong = [*in_names("labels", labels)]
    yield from wrong
    if wrong or not isinstance(labels, list | tuple):
        # A set has no order, and a label is shown in that of its author.
        yield from () if wrong else ("labels must be a list or a tuple, which keep their order.",)
        return
    if len(labels) > MAX_LABELS:
        yield f"labels holds {len(labels)}; leave at most {MAX_LABELS}."
    for label in labels:
        yield from in_label("labels", label)


def in_label(option: str, label: str) -> Iterator[str]:
    """Yield the mistake in one label."""
    if not NAME.match(label) or len(label) > MAX_LABEL:
        yield (
            f"{option} {label[: MAX_LABEL + 10]!r}: write a label in lower-case letters, digits, "
            f"dots and dashes, at most {MAX_LABEL} characters."
        )

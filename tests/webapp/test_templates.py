"""Templates are read as code is: no line is longer than a screen is wide."""

from pathlib import Path

TEMPLATES = Path(__file__).parents[2] / "webapp" / "templates"
LONGEST_LINE = 140


def test_no_line_of_a_template_is_too_long_to_read() -> None:
    paths = sorted(TEMPLATES.rglob("*.html"))
    assert len(paths) > 50
    too_long = [
        f"{path.relative_to(TEMPLATES)}:{number} has {len(line)} characters"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST_LINE
    ]
    assert not too_long

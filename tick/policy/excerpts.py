"""Texts cut to fit. Pure."""

_WORD = 30


def excerpt(text: str, most: int) -> str:
    """The first line of a text; a long one ends after a whole word, and in `…`.

    Only what has no end of a word near its limit, such as an address, is cut within it.
    """
    line = text.partition("\n")[0]
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    whole = cut if line[most - 1].isspace() else cut.rpartition(" ")[0]
    return f"{whole.rstrip(' ,;:') if len(cut) - len(whole) <= _WORD else cut}…"

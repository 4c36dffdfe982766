"""Words, how much they say, and how they are mistyped."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from definitions.community.similarity import Vector

_SAY_NOTHING = (
    "a about after again all an and any are as at be before but by can did do for from had has "
    "have how i if in into is it its just me more my new no not of on one or our out over so some "
    "than that the their them then there they this to too up was we what when which who why will "
    "with without you your"
)
COMMON_WORDS = frozenset(_SAY_NOTHING.split())


def words(text: str) -> list[str]:
    """The lower-case words of `text`, in order, without the common ones.

    >>> words("The comet and the Moon")
    ['comet', 'moon']
    """
    return [word for word in re.findall(r"[a-z]+", text.lower()) if word not in COMMON_WORDS]


def tf_idf(documents: Mapping[int, Sequence[str]], keep: int) -> dict[int, Vector]:
    """The `keep` heaviest terms of each document as a vector of length 1.

    A term weighs how often the document has it, times ln((1 + n) / (1 + documents with it)) + 1:
    the smoothed formula, in which a term that every document has still counts a little.
    """
    document_count = Counter(term for terms in documents.values() for term in set(terms))
    rarity = {
        term: math.log((1 + len(documents)) / (1 + count)) + 1
        for term, count in document_count.items()
    }
    return {
        key: _unit({term: count * rarity[term] for term, count in Counter(terms).items()}, keep)
        for key, terms in documents.items()
    }


def _unit(weights: Vector, keep: int) -> Vector:
    kept = {term: weights[term] for term in heaviest(weights, keep)}
    length = math.hypot(*kept.values())
    return {term: weight / length for term, weight in kept.items()}


def heaviest(vector: Vector, limit: int) -> list[str]:
    """The `limit` terms that weigh most, heaviest first."""
    return sorted(vector, key=lambda term: (-vector[term], term))[:limit]


def one_edit_away(word: str) -> set[str]:
    """Every string that one deleted, swapped, changed or added letter makes of `word`."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    return {
        *(head + tail[1:] for head, tail in splits if tail),
        *(head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1),
        *(head + letter + tail[1:] for head, tail in splits if tail for letter in letters),
        *(head + letter + tail for head, tail in splits for letter in letters),
    } - {word}

"""Classical test theory: how good a quiz is, and each of its questions.

A sheet is one taker's answers in the order of the questions: 1 for correct, 0 for not.
"""

from collections.abc import Sequence
from statistics import correlation, fmean, pvariance

Sheet = Sequence[int]


def difficulty(sheets: Sequence[Sheet], question: int) -> float:
    """Share of takers who answered question number `question` correctly: 1 is easiest."""
    return fmean(sheet[question] for sheet in sheets)


def discrimination(sheets: Sequence[Sheet], question: int) -> float:
    """Correlation of the question with the rest of the quiz, -1 to 1.

    Near 0 it tells the good from the weak no better than a coin; below 0 its key may be wrong.
    """
    answers = [sheet[question] for sheet in sheets]
    rest = [sum(sheet) - sheet[question] for sheet in sheets]
    if len(set(answers)) < 2 or len(set(rest)) < 2:
        return 0.0
    return correlation(answers, rest)


def cronbach_alpha(sheets: Sequence[Sheet]) -> float:
    """Reliability of the whole: 1 when all questions measure one thing, may be negative."""
    questions = len(sheets[0])
    total = pvariance([sum(sheet) for sheet in sheets])
    if questions < 2 or total == 0:
        return 0.0
    single: float = sum(pvariance(column) for column in zip(*sheets, strict=True))
    return questions / (questions - 1) * (1 - single / total)

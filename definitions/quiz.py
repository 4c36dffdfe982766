"""Quizzes: who knows what, whether the questions are any good, and who thinks alike."""

import logging
from collections import defaultdict
from itertools import combinations
from statistics import fmean, pstdev

from definitions.community.database import read, replace
from definitions.community.reliability import cronbach_alpha, difficulty, discrimination
from definitions.community.similarity import agreement
from tick import job

log = logging.getLogger(__name__)

WIDEST_GAP = 4
"""Between two choices of a survey's question, which go from 0 to 4."""


@job(group="quiz", timeout=60, idempotent=True)
def quiz_scores() -> dict[str, int]:
    """Each taker's correct answers, and the share of takers who had fewer."""
    scores = read(
        """
        SELECT quiz_id, member_id, correct,
               round(percent_rank() OVER (PARTITION BY quiz_id ORDER BY correct), 6)
        FROM (SELECT quiz_id, member_id, sum(choice = correct_choice) AS correct
              FROM quiz_answer JOIN question ON question.id = question_id
              WHERE correct_choice IS NOT NULL
              GROUP BY quiz_id, member_id)
        """
    )
    return replace(quiz_score=scores)


@job(group="quiz", depends_on=("quiz-scores",), timeout=60, idempotent=True)
def quiz_statistics() -> dict[str, int]:
    """How reliable each quiz is; how hard each question is, and how well it tells people apart."""
    quizzes, questions = [], []
    for quiz, sheets_by_taker in _answer_sheets().items():
        sheets = list(sheets_by_taker.values())
        totals = [sum(sheet) for sheet in sheets]
        measures = (fmean(totals), pstdev(totals), cronbach_alpha(sheets))
        quizzes.append((quiz, len(sheets), *(round(measure, 6) for measure in measures)))
        ids = read("SELECT id FROM question WHERE quiz_id = ? ORDER BY id", quiz)
        for place, (question,) in enumerate(ids):
            hard, sharp = difficulty(sheets, place), discrimination(sheets, place)
            questions.append((question, round(hard, 6), round(sharp, 6)))
            if sharp < 0:
                log.warning(
                    "Question %d is best answered by the weakest; is its key right?", question
                )
    return replace(quiz_statistic=quizzes, question_statistic=questions)


def _answer_sheets() -> dict[int, dict[int, list[int]]]:
    """Quiz to taker to answers in the order of the questions; one left out counts as wrong."""
    sheets: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    answers = read(
        """
        SELECT score.quiz_id, score.member_id, coalesce(choice = correct_choice, 0)
        FROM quiz_score AS score
        JOIN question ON question.quiz_id = score.quiz_id
        LEFT JOIN quiz_answer AS answer
               ON answer.question_id = question.id AND answer.member_id = score.member_id
        ORDER BY score.quiz_id, score.member_id, question.id
        """
    )
    for quiz, taker, correct in answers:
        sheets[quiz][taker].append(correct)
    return sheets


@job(group="quiz", depends_on=("quiz-statistics",), timeout=60, idempotent=True)
def quiz_leaderboards(places: int = 10) -> dict[str, int]:
    """The best takers of each quiz, by the questions that do tell people apart."""
    best = read(
        """
        SELECT quiz_id, place, member_id, correct
        FROM (SELECT quiz_id, member_id, sum(choice = correct_choice) AS correct,
                     rank() OVER (PARTITION BY quiz_id ORDER BY sum(choice = correct_choice) DESC)
                         AS place
              FROM quiz_answer
              JOIN question ON question.id = quiz_answer.question_id
              JOIN question_statistic AS statistic ON statistic.question_id = question.id
              WHERE discrimination > 0
              GROUP BY quiz_id, member_id)
        WHERE place <= ?
        """,
        places,
    )
    return replace(leaderboard=best)


@job(group="quiz", timeout=120, idempotent=True)
def answer_similarity(at_least: int = 8) -> dict[str, int]:
    """How near each two members' answers to the surveys are."""
    answers: dict[int, dict[int, int]] = defaultdict(dict)
    surveyed = """
        SELECT member_id, question_id, choice FROM quiz_answer
        JOIN question ON question.id = question_id
        WHERE correct_choice IS NULL ORDER BY member_id
    """
    for member, question, choice in read(surveyed):
        answers[member][question] = choice
    compared = (
        (one, other, agreement(answers[one], answers[other], WIDEST_GAP, at_least))
        for one, other in combinations(answers, 2)
    )
    return replace(
        answer_similarity=(
            (one, other, round(level, 6)) for one, other, level in compared if level is not None
        )
    )

"""Each number of the quiz jobs, calculated again: by hand, by another formula, or one by one."""

from collections import defaultdict
from math import sqrt
from statistics import covariance, fmean, pstdev, variance

import pytest

from definitions import quiz
from definitions.community.reliability import cronbach_alpha, difficulty, discrimination
from definitions.community.similarity import agreement

SHEETS = [(1, 1, 1), (1, 1, 0), (1, 0, 0), (0, 0, 0)]


@pytest.fixture
def sheets(query):
    """Quiz to taker to whether each question, by id, was answered correctly."""
    keys = {
        key: (of, right)
        for key, of, right in query("SELECT id, quiz_id, correct_choice FROM question")
    }
    found = defaultdict(lambda: defaultdict(dict))
    for member, question, choice in query("SELECT * FROM quiz_answer"):
        of, right = keys[question]
        if right is not None:
            found[of][member][question] = int(choice == right)
    return found


def test_scores_count_correct_answers_and_percentiles_who_had_fewer(query, sheets):
    stored = query("SELECT quiz_id, member_id, correct, percentile FROM quiz_score")
    assert len(stored) == sum(len(takers) for takers in sheets.values())
    totals = {
        of: [sum(sheet.values()) for sheet in takers.values()] for of, takers in sheets.items()
    }
    for of, member, correct, percentile in stored:
        assert correct == sum(sheets[of][member].values())
        worse = sum(total < correct for total in totals[of])
        assert percentile == pytest.approx(worse / (len(totals[of]) - 1), abs=1e-6)


def test_measures_of_a_quiz_small_enough_to_do_by_hand():
    # Variances: questions 3/16, 1/4, 3/16; totals 3, 2, 1, 0 have 5/4.
    assert cronbach_alpha(SHEETS) == pytest.approx(3 / 2 * (1 - (5 / 8) / (5 / 4)))
    assert [difficulty(SHEETS, question) for question in range(3)] == [0.75, 0.5, 0.25]
    # Question 2 is answered 1, 1, 0, 0 where the rest of the quiz has 2, 1, 1, 0.
    assert discrimination(SHEETS, 1) == pytest.approx(1 / sqrt(2))


def test_where_everybody_is_the_same_nothing_is_told_apart():
    assert cronbach_alpha([(1, 1), (1, 1)]) == 0
    assert discrimination([(1, 1), (1, 0)], 0) == 0
    assert discrimination([(1, 1), (0, 1)], 0) == 0


def test_quiz_statistics_agree_with_other_formulas(query, sheets):
    for of, takers, mean, spread, alpha in query("SELECT * FROM quiz_statistic"):
        totals = [sum(sheet.values()) for sheet in sheets[of].values()]
        assert takers == len(totals)
        assert mean == pytest.approx(fmean(totals), abs=1e-6)
        assert spread == pytest.approx(pstdev(totals), abs=1e-6)
        assert alpha == pytest.approx(alpha_by_covariances(sheets[of]), abs=1e-6)


def alpha_by_covariances(takers):
    """Alpha as k·c / (v + (k - 1)·c): of mean covariance c and mean variance v of the questions."""
    questions = sorted({question for sheet in takers.values() for question in sheet})
    columns = [[sheet[question] for sheet in takers.values()] for question in questions]
    pairs = [(i, j) for i in range(len(columns)) for j in range(i)]
    common = fmean(covariance(columns[i], columns[j]) for i, j in pairs)
    own = fmean(variance(column) for column in columns)
    return len(columns) * common / (own + (len(columns) - 1) * common)


def test_question_statistics_are_point_biserial_correlations(query, sheets):
    quizzes = dict(query("SELECT id, quiz_id FROM question"))
    rows = query("SELECT * FROM question_statistic")
    assert len(rows) == 48
    for question, hard, sharp in rows:
        takers = sheets[quizzes[question]].values()
        rest = {0: [], 1: []}
        for sheet in takers:
            rest[sheet[question]].append(sum(sheet.values()) - sheet[question])
        share = len(rest[1]) / len(takers)
        gap = fmean(rest[1]) - fmean(rest[0])
        assert hard == pytest.approx(share, abs=1e-6)
        expected = gap / pstdev(rest[0] + rest[1]) * sqrt(share * (1 - share))
        assert sharp == pytest.approx(expected, abs=1e-6)


def test_the_questions_with_a_wrong_key_are_found(query):
    found = query("SELECT question_id FROM question_statistic WHERE discrimination < 0 ORDER BY 1")
    assert found == [(12,), (24,), (36,), (48,)]


def test_a_question_left_out_counts_as_wrong(fill):
    fill(
        quiz=[(1, "knowledge", "Stars")],
        question=[(1, 1, "First?", 0), (2, 1, "Second?", 3)],
        quiz_answer=[(1, 1, 0), (1, 2, 3), (2, 1, 0)],
    )
    quiz.quiz_scores()
    quiz.quiz_statistics()
    assert quiz.read("SELECT * FROM quiz_score") == [(1, 1, 2, 1.0), (1, 2, 1, 0.0)]
    assert quiz.read("SELECT question_id, difficulty FROM question_statistic") == [
        (1, 1.0),
        (2, 0.5),
    ]


def test_leaderboards_share_ranks_and_leave_out_questions_with_a_wrong_key(query, sheets):
    for of, takers in sheets.items():
        points = {
            member: sum(right for question, right in sheet.items() if question % 12)
            for member, sheet in takers.items()
        }
        ranks = {m: 1 + sum(other > p for other in points.values()) for m, p in points.items()}
        expected = {(ranks[m], m, points[m]) for m in points if ranks[m] <= 10}
        board = query("SELECT rank, member_id, correct FROM leaderboard WHERE quiz_id = ?", of)
        assert set(board) == expected
        assert len(board) == len(expected)


def test_similarity_is_one_minus_the_mean_gap_of_the_answers_in_common(query):
    answers = defaultdict(dict)
    for member, question, choice in query("SELECT * FROM quiz_answer WHERE question_id > 48"):
        answers[member][question] = choice
    stored = {(one, other): level for one, other, level in query("SELECT * FROM answer_similarity")}
    assert len(stored) == len(answers) * (len(answers) - 1) / 2
    for (one, other), level in list(stored.items())[::50]:
        common = answers[one].keys() & answers[other].keys()
        gaps = sum(abs(answers[one][question] - answers[other][question]) for question in common)
        assert level == pytest.approx(1 - gaps / 4 / len(common), abs=1e-6)


def test_too_few_answers_in_common_say_nothing():
    assert agreement({1: 4, 2: 0}, {1: 4, 3: 0}, widest=4, at_least=1) == 1
    assert agreement({1: 4, 2: 0}, {1: 4, 3: 0}, widest=4, at_least=2) is None
    assert agreement({1: 4, 2: 0}, {1: 0, 2: 0}, widest=4, at_least=2) == 0.5

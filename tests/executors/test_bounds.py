"""What a job leaves is bounded, storable, and honest about what was cut."""

from tick.executors.bounds import clean, cut


def test_what_a_database_refuses_is_replaced() -> None:
    assert clean("a\0b\ud800c") == "a\N{REPLACEMENT CHARACTER}b?c"


def test_a_long_text_keeps_its_head_and_its_tail() -> None:
    text = cut("a" * 1000 + "b" * 1000, 100)
    assert text == f"{'a' * 30} … 1,940 characters cut … {'b' * 30}"
    assert len(cut("x" * 10**9, 100)) <= 100


def test_a_short_text_stays_as_it_is() -> None:
    assert cut("short", 100) == "short"

"""Spoken answers that can be named for a while."""

from gateway.simulator.spoken import Spoken


def test_answer_is_known_to_its_account_until_its_time_is_over() -> None:
    spoken = Spoken()
    spoken.keep("a", "hello", account="one", expires_at=10)

    assert "hello" == spoken.recall("a", account="one", now=9.9)
    assert spoken.recall("a", account="one", now=10) is None
    assert spoken.recall("a", account="two", now=0) is None
    assert spoken.recall("b", account="one", now=0) is None


def test_only_the_latest_are_kept() -> None:
    spoken = Spoken()
    for number in range(1001):
        spoken.keep(str(number), "hello", account="one", expires_at=10)

    assert spoken.recall("0", account="one", now=0) is None
    assert "hello" == spoken.recall("1", account="one", now=0)

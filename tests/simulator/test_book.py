"""What the platform counts."""

import asyncio

import pytest

from gateway.simulator import Account
from gateway.simulator.book import REQUEST_IDS, Book, Place
from gateway.simulator.connection import Request
from gateway.simulator.refusals import Refusal

ONE = Account(name="one", key="one.key")
TWO = Account(name="two", key="two.key", tier="V3")


@pytest.fixture
def book() -> Book:
    return Book({"m": (1, 2, 3, 4), "n": (1, 1, 1, 1)})


def test_limit_is_the_tiers(book: Book) -> None:
    """V0 has one slot of this model, V3 four."""
    with book.slot(ONE, model="m"), pytest.raises(Refusal, match="1302"), book.slot(ONE, model="m"):
        pass
    with (
        book.slot(TWO, model="m"),
        book.slot(TWO, model="m"),
        book.slot(TWO, model="m"),
        book.slot(TWO, model="m"),
    ):
        assert book.in_flight == {("one", "m"): 0, ("two", "m"): 4}
    assert book.refused == {("one", "m"): 1}


def test_places_are_counted_apart(book: Book) -> None:
    """Another model or account has its own room."""
    with book.slot(ONE, model="m"), book.slot(ONE, model="n"), book.slot(TWO, model="n"):
        assert book.in_flight.total() == 3
    assert book.in_flight.total() == 0
    assert book.peak == {("one", "m"): 1, ("one", "n"): 1, ("two", "n"): 1}


@pytest.mark.parametrize(
    ("end", "cancelled"),
    [pytest.param(asyncio.CancelledError, 1, id="client left"), pytest.param(ValueError, 0, id="failure")],
)
def test_slot_is_given_back_however_it_ends(book: Book, end: type[BaseException], cancelled: int) -> None:
    """Only a departure counts as cancelled."""
    with pytest.raises(end), book.slot(ONE, model="m"):
        raise end

    assert book.in_flight.total() == 0
    assert book.cancelled.total() == cancelled


def test_what_is_in_flight_outlives_a_reset(book: Book) -> None:
    """A reset forgets the past, not the present."""
    with book.slot(TWO, model="m"):
        with book.slot(TWO, model="m"):
            pass
        book.reset()

        assert book.state() == {
            "places": [
                {
                    "account": "two",
                    "model": "m",
                    "limit": 4,
                    "in_flight": 1,
                    "peak": 1,
                    "accepted": 0,
                    "refused": 0,
                    "cancelled": 0,
                }
            ],
            "totals": {"in_flight": 1, "accepted": 0, "refused": 0, "cancelled": 0},
            "seen": 0,
        }


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        pytest.param([1, 2, 3, 4], [2, 3, 4], id="too many"),
        pytest.param([6, 5, 5], [5, 5], id="too large together"),
        pytest.param([1, 99], [99], id="the newest is too large alone"),
    ],
)
def test_latest_requests_are_kept_when_there_are_more_than_fit(sizes: list[int], kept: list[int]) -> None:
    """Neither many requests nor large ones fill the memory."""
    book = Book({}, remember=3, remember_bytes=10)

    for size in sizes:
        book.see(Request(method="POST", path="/", query="", headers={}, body=b"x" * size))

    assert [len(request.body) for request in book.seen] == kept


def test_watch_is_told_of_every_request_that_enters_and_leaves() -> None:
    """What is refused does neither."""
    told: list[tuple[Place, str, int]] = []
    book = Book({"m": (1, 1, 1, 1)}, watch=lambda place, user_id, change: told.append((place, user_id, change)))

    with (
        book.slot(ONE, model="m", user_id="ann"),
        pytest.raises(Refusal),
        book.slot(ONE, model="m", user_id="bob"),
    ):
        pass

    assert [(Place("one", "m"), "ann", 1), (Place("one", "m"), "ann", -1)] == told


def test_oldest_request_id_is_forgotten_when_there_are_too_many(book: Book) -> None:
    """Ids are kept long enough to be refused when repeated, not for ever."""
    for number in range(REQUEST_IDS + 1):
        book.use(ONE, f"request-{number}")

    assert not book.has_used(ONE, "request-0")
    assert book.has_used(ONE, "request-1")
    assert not book.has_used(TWO, "request-1")

import threading

import pytest

from gateway.audio import Cut
from gateway.errors import InvalidRequest
from gateway.routes.recording import SpooledRecording
from tests.recordings import packed, tone


def recording(data: bytes, *, max_work_seconds: float = 10.0) -> SpooledRecording:
    made = SpooledRecording(max_seconds=600, max_work_seconds=max_work_seconds, param="file")
    made.write(data)
    return made


async def test_pieces_can_be_asked_for_again() -> None:
    spooled = recording(packed(tone(seconds=5), "flac"))

    first = [piece.pcm async for piece in spooled.pieces(Cut(max_seconds=2, min_seconds=1))]
    again = [piece.pcm async for piece in spooled.pieces(Cut(max_seconds=2, min_seconds=1))]
    spooled.close()

    assert first == again
    assert 5.0 == pytest.approx(spooled.seconds)


async def test_it_costs_no_more_work_than_allowed() -> None:
    spooled = recording(packed(tone(seconds=60), "flac"), max_work_seconds=0.02)

    with pytest.raises(InvalidRequest, match="too long to decode"):
        [piece async for piece in spooled.pieces(Cut())]
    spooled.close()


def test_closing_while_a_thread_works_waits_for_nobody_and_leaves_nothing_open() -> None:
    spooled = recording(packed(tone(), "wav"))
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        with spooled._working():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait(10)
    spooled.close()
    assert not spooled.file.closed

    leave.set()
    thread.join()
    assert spooled.file.closed


def test_nothing_is_read_of_one_that_is_closed() -> None:
    spooled = recording(packed(tone(), "wav"))
    spooled.close()

    with pytest.raises(InvalidRequest):
        spooled.probe()

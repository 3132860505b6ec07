import resource
import tempfile
import threading
from collections.abc import Iterator

import pytest

from gateway.audio import Cut
from gateway.errors import InvalidRequest, NoRoom
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


def test_work_that_goes_on_and_on_is_stopped_in_its_midst() -> None:
    """Not only where a piece ends, since all of a hostile file may come before the first."""
    spooled = recording(packed(tone(seconds=60), "flac"), max_work_seconds=0.0005)

    with pytest.raises(InvalidRequest, match="too long to decode"):
        spooled.probe()
    spooled.close()


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file of this process be larger than 1 MiB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("full_disk")
def test_upload_that_finds_no_room_may_be_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """It is nobody's mistake, and the operator is told."""
    made = SpooledRecording(max_seconds=600, max_work_seconds=10, param="file")

    with pytest.raises(NoRoom) as raised:
        made.write(bytes(2**21))
    made.close()

    assert raised.value.retry_after_seconds
    assert f"An upload cannot be written to {tempfile.gettempdir()}: File too large." in caplog.text


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

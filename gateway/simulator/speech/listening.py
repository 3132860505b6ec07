"""
Sound to words: pocketsphinx with its packaged English model, in processes of its own.

It holds Python's lock for seconds while it listens, so it must not share a process with anything that answers.
"""

import atexit
import json
import queue
import subprocess
import sys
from array import array
from functools import cache
from importlib.util import find_spec
from threading import Lock

from msgspec import Struct

from gateway.simulator.speech.sound import resample, seconds_of

LISTENING_HZ = 16000
EARS = 2
"""Processes that listen, at most; more sounds than that wait."""

_QUIET_AMPLITUDE = 300
_LENGTH_BYTES = 4
_COMMAND = (sys.executable, "-m", "gateway.simulator.speech.ear")


class Word(Struct, frozen=True):
    """A word and when it was said, in seconds from the start."""

    text: str
    start: float
    end: float


class Hearing(Struct, frozen=True):
    """What was understood, and the words with their times; canned texts have none."""

    text: str
    words: list[Word] = []


def listen(pcm: bytes, rate_hz: int) -> str:
    """Return the words of a sound, lower-case and without punctuation; silence has none."""
    return hear(pcm, rate_hz=rate_hz).text


def hear(pcm: bytes, *, rate_hz: int) -> Hearing:
    """Return the words of a sound and their times; without pocketsphinx a text that says so."""
    if _is_quiet(pcm):
        return Hearing("")
    if not _can_listen():
        seconds = seconds_of(pcm, rate_hz=rate_hz)
        return Hearing(
            f"The simulator heard {seconds:.1f} seconds of sound, and has no pocketsphinx to tell words."
        )
    words = _EARS.hear(resample(pcm, from_hz=rate_hz, to_hz=LISTENING_HZ))
    return Hearing(" ".join(word.text for word in words), words)


def _is_quiet(pcm: bytes) -> bool:
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    return max(samples, default=0) < _QUIET_AMPLITUDE and min(samples, default=0) > -_QUIET_AMPLITUDE


@cache
def _can_listen() -> bool:
    return find_spec("pocketsphinx") is not None


class _Ear:
    """One listening process; it ends when its standard input does, so it never outlives this one."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # this same Python, nothing of a request
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def hear(self, pcm: bytes) -> list[Word]:
        given, taken = self._process.stdin, self._process.stdout
        if given is None or taken is None:
            raise BrokenPipeError
        given.write(len(pcm).to_bytes(_LENGTH_BYTES, "little") + pcm)
        given.flush()
        line = taken.readline()
        if not line:
            raise BrokenPipeError
        return [Word(*word) for word in json.loads(line)]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Ears:
    """The listening processes: started when they are first needed, and lent to one sound at a time."""

    def __init__(self, most: int) -> None:
        self._free: queue.LifoQueue[_Ear | None] = queue.LifoQueue()
        self._lock = Lock()
        self._all: list[_Ear] = []
        for _ in range(most):
            self._free.put(None)

    def hear(self, pcm: bytes) -> list[Word]:
        ear = self._free.get()
        try:
            ear = ear or self._start()
            return ear.hear(pcm)
        except (OSError, ValueError):
            self._lose(ear)
            ear = None
            return []
        finally:
            self._free.put(ear)

    def close(self) -> None:
        with self._lock:
            for ear in self._all:
                ear.close()
            self._all.clear()

    def _start(self) -> _Ear:
        ear = _Ear()
        with self._lock:
            self._all.append(ear)
        return ear

    def _lose(self, ear: _Ear | None) -> None:
        with self._lock:
            if ear in self._all:
                self._all.remove(ear)
        if ear is not None:
            ear.close()


_EARS = _Ears(EARS)
atexit.register(_EARS.close)

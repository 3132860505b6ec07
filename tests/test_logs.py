"""One line per exchange, in a form that machines or people can read, and never a key in it."""

import asyncio
import errno
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from gateway import logs
from gateway.logs import LEVELS, Form, Level
from gateway.record import Outcome, Record

RECORD = Record(
    request_id="req_1",
    operation="chat",
    received_at=100.0,
    ended_at=101.23456789,
    tenant="team-a",
    tier="V1",
    model="glm-4.7",
    stream=True,
    status=200,
    account="main",
    phase="streaming",
    queued_seconds=0.1,
    upstream_seconds=1.1,
    first_token_at=100.5,
    max_gap_seconds=0.25,
    usage_known=True,
    input_tokens=10,
    output_tokens=20,
)
ZHIPU_KEY = "0123456789abcdef0123456789abcdef.ABCDefgh12345678"


class Terminal(io.BytesIO):
    """A stream with somebody in front of it."""

    def isatty(self) -> bool:
        return True


class Gone(io.BytesIO):
    """A pipe whose reader has died."""

    def write(self, _: Any) -> int:
        raise BrokenPipeError


@pytest.fixture(autouse=True)
def _untouched_logging() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def line_of(
    record: Record,
    *,
    form: Form = "json",
    level: Level = "info",
    stream: io.BytesIO | None = None,
) -> str:
    stream = stream or io.BytesIO()
    logs.configure(form=form, level=level, stream=stream)(record)
    return stream.getvalue().decode()


def message_lines(write: logging.Logger, *args: Any, level: Level = "info") -> list[dict[str, Any]]:
    stream = io.BytesIO()
    logs.configure(form="json", level=level, stream=stream)
    write.log(*args)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_exchange_is_one_line_of_json() -> None:
    """Every fact has a name with its unit; what did not happen is absent."""
    before = datetime.now(UTC)

    line = line_of(RECORD)
    fields = json.loads(line)

    assert (line.count("\n"), line[-1]) == (1, "\n")
    assert before <= datetime.fromisoformat(fields.pop("time")) <= datetime.now(UTC)
    assert fields == {
        "level": "info",
        "event": "exchange",
        "request_id": "req_1",
        "operation": "chat",
        "status": 200,
        "outcome": "ok",
        "duration_seconds": 1.234568,
        "tenant": "team-a",
        "tier": "V1",
        "model": "glm-4.7",
        "stream": True,
        "queued_seconds": 0.1,
        "upstream_seconds": 1.1,
        "overhead_seconds": 0.034568,
        "first_token_seconds": 0.5,
        "max_gap_seconds": 0.25,
        "input_tokens": 10,
        "output_tokens": 20,
        "account": "main",
    }


def test_failed_exchange_says_what_failed_and_where() -> None:
    failed = replace(
        RECORD, status=502, outcome="upstream_error", error_code="upstream_error", glm_code="500", retries=2
    )

    fields = json.loads(line_of(failed))

    said = {name: fields[name] for name in ("level", "phase", "error_code", "glm_code", "retries")}
    assert said == {
        "level": "warning",
        "phase": "streaming",
        "error_code": "upstream_error",
        "glm_code": "500",
        "retries": 2,
    }


def test_exchange_says_which_of_its_tokens_were_of_another_price() -> None:
    fields = json.loads(line_of(replace(RECORD, cached_tokens=7, reasoning_tokens=13)))

    assert (10, 20, 7, 13) == tuple(
        fields[f"{kind}_tokens"] for kind in ("input", "output", "cached", "reasoning")
    )


def test_exchange_says_how_much_was_known() -> None:
    """And nothing of it where nothing was."""
    record = replace(RECORD, operation="embeddings", cache_hits=3, cache_misses=2)

    fields = json.loads(line_of(record))
    sentence = line_of(record, form="text")

    assert (3, 2) == (fields["cache_hits"], fields["cache_misses"])
    assert " 3 of 5 cached " in sentence
    assert "cache" not in line_of(RECORD) + line_of(RECORD, form="text")


def test_exchange_is_a_sentence_on_a_terminal() -> None:
    line = line_of(replace(RECORD, retries=1), form="auto", stream=Terminal())

    _, _, sentence = line.partition(" info    ")
    assert sentence == (
        "200 ok chat glm-4.7 for team-a (V1) in 1.235s queued 0.100s first token 0.500s 10+20 tokens "
        "1 retries req_1\n"
    )


def test_place_in_line_is_told_to_who_watches() -> None:
    """Of who was refused, too."""
    line = line_of(replace(RECORD, queue_position=3), form="auto", stream=Terminal())
    refused = line_of(
        replace(RECORD, queue_position=2, queued_seconds=0.0, status=429), form="auto", stream=Terminal()
    )

    assert " queued 0.100s at place 3 " in line
    assert " queued 0.000s at place 2 " in refused


def test_exchange_is_json_when_nobody_watches() -> None:
    assert json.loads(line_of(RECORD, form="auto"))["event"] == "exchange"


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_has_a_level(outcome: Outcome) -> None:
    assert json.loads(line_of(replace(RECORD, outcome=outcome)))["level"] == LEVELS[outcome]


@pytest.mark.parametrize(
    ("outcome", "level", "lines"),
    [("ok", "warning", 0), ("rejected", "warning", 1), ("rejected", "error", 0), ("gateway_error", "error", 1)],
)
def test_exchange_is_left_out_when_its_level_is_too_low(outcome: Outcome, level: Level, lines: int) -> None:
    assert line_of(replace(RECORD, outcome=outcome), level=level).count("\n") == lines


def test_exchange_does_not_fail_when_nobody_reads_the_log() -> None:
    """A log collector that died must not take the gateway with it."""
    logs.configure(form="json", stream=Gone())(RECORD)


class Full(io.RawIOBase):
    """A disk that takes ``room`` bytes, and then none until there is more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.held = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        taken = bytes(data)[: self.room]
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(taken)
        self.held += taken
        return len(taken)


def test_lines_are_whole_again_once_a_full_disk_has_room() -> None:
    """Of one there may be a part, which takes no other with it."""
    disk = Full(room=100)
    log = logs.configure(form="json", stream=io.BufferedWriter(disk, buffer_size=64))
    log(RECORD)
    log(RECORD)
    disk.room = 2**20
    log(RECORD)
    log(RECORD)

    *_, last_but_one, last, after = disk.held.split(b"\n")
    assert after == b""
    assert [json.loads(line)["event"] for line in (last_but_one, last)] == ["exchange"] * 2


def test_libraries_speak_in_the_same_form() -> None:
    (line,) = message_lines(logging.getLogger("some.library"), logging.INFO, "%d things", 3)

    del line["time"]
    assert line == {"level": "info", "event": "message", "logger": "some.library", "message": "3 things"}


@pytest.mark.parametrize(
    ("name", "least"),
    [("httpx", logging.WARNING), ("httpcore", logging.WARNING), ("uvicorn.error", logging.ERROR)],
)
def test_chatty_libraries_are_heard_only_when_something_is_wrong(name: str, least: int) -> None:
    """One line of httpx for every call would cost more than it tells; uvicorn's warnings have lines of ours."""
    assert message_lines(logging.getLogger(name), logging.INFO, "HTTP Request: POST …") == []
    assert len(message_lines(logging.getLogger(name), least, "Oh.")) == 1
    assert message_lines(logging.getLogger(name), least - 1, "Hm.") == []


@pytest.mark.parametrize("form", ["json", "text"])
def test_exception_comes_with_its_trace(form: Form) -> None:
    stream = io.BytesIO()
    logs.configure(form=form, stream=stream)

    try:
        int("missing")
    except ValueError:
        logging.getLogger("gateway").exception("It failed.")

    text = stream.getvalue().decode()
    assert "It failed." in text
    assert "ValueError: invalid literal" in text


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("Authorization: Bearer abcdef123456", id="bearer"),
        pytest.param("key sk-glm-abcdef123456 is unknown", id="client key"),
        pytest.param(f"refused {ZHIPU_KEY} at once", id="zhipu key"),
    ],
)
def test_key_is_masked_when_a_library_names_it(message: str) -> None:
    (line,) = message_lines(logging.getLogger("some.library"), logging.WARNING, message)

    assert "***" in line["message"]
    assert "abcdef" not in line["message"]
    assert "ABCD" not in line["message"]


def test_key_is_masked_in_a_trace() -> None:
    stream = io.BytesIO()
    logs.configure(form="text", stream=stream)

    try:
        int(ZHIPU_KEY)
    except ValueError:
        logging.getLogger("gateway").exception("It failed.")

    assert ZHIPU_KEY not in stream.getvalue().decode()


async def test_lines_of_exchanges_are_written_together_and_before_what_comes_later() -> None:
    """To write costs as much as to make a line; what goes wrong is told at once, in order."""
    stream = Counting()
    log = logs.configure(form="json", stream=stream)

    log(RECORD)
    log(RECORD)
    assert 0 == stream.writes
    logging.getLogger("gateway").warning("late")

    assert 1 == stream.writes
    assert ["exchange", "exchange", "message"] == [json.loads(line)["event"] for line in lines_of(stream)]


async def test_lines_of_exchanges_do_not_wait_for_long() -> None:
    stream = Counting()

    logs.configure(form="json", stream=stream)(RECORD)
    await asyncio.wait_for(stream.written.wait(), 5)

    assert 1 == len(lines_of(stream))


async def test_lines_are_written_when_the_program_ends() -> None:
    stream = Counting()

    logs.configure(form="json", stream=stream)(RECORD)
    for handler in logging.getLogger().handlers:
        handler.flush()

    assert 1 == len(lines_of(stream))


class Counting(io.BytesIO):
    """A stream that counts how often it is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.written = asyncio.Event()

    def write(self, data: Any) -> int:
        self.writes += 1
        self.written.set()
        return super().write(data)


def lines_of(stream: io.BytesIO) -> list[bytes]:
    return stream.getvalue().splitlines()

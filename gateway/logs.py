"""
How log lines look and where they go: one line per exchange, and the same form for what libraries say.

Decides form only. A line holds facts of the record; never a key, a prompt, an answer or audio.
"""

import asyncio
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

from msgspec import Struct
from msgspec.json import Encoder

from gateway.record import Outcome, Record, Sink

Form = Literal["auto", "json", "text"]
Level = Literal["debug", "info", "warning", "error"]

LEVELS: dict[Outcome, Level] = {
    "ok": "info",
    "client_error": "info",
    "client_disconnect": "info",
    "rejected": "warning",
    "upstream_error": "warning",
    "upstream_timeout": "warning",
    "gateway_error": "error",
}
SEVERITIES: dict[Level, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
FLUSH_SECONDS = 0.05
"""How long a line of an exchange may wait for others."""

CHATTY: dict[str, Level] = {
    "asyncio": "warning",
    "hpack": "warning",
    "httpcore": "warning",
    "httpx": "warning",
    "opentelemetry.exporter": "error",
    "urllib3": "warning",
    "uvicorn.error": "error",
}
"""
How severe a message of theirs must be. uvicorn warns of requests that have a line of ours, OpenTelemetry of every
try to reach a collector; that it gave up is an error.
"""

_REFUSED_HANDSHAKE = "ASGI callable returned without completing handshake."
"""What uvicorn calls an error of every WebSocket that was refused with an answer, as all are that are refused."""

# Keys have no business in a message. Should a library put one there, it stops here.
_KEY = re.compile(r"(?i)(?:(?<=bearer )|\bsk-)[\w.~+/=-]{6,}|\b[0-9a-f]{32}\.\w{16}\b")


class ExchangeLine(Struct, kw_only=True, omit_defaults=True, gc=False):
    """One exchange as a line; what is absent was zero, empty or did not happen."""

    time: datetime
    level: Level
    event: Literal["exchange"]
    request_id: str
    operation: str
    status: int
    outcome: Outcome
    duration_seconds: float
    tenant: str = ""
    tier: str = ""
    model: str = ""
    stream: bool = False
    queued_seconds: float = 0.0
    queue_position: int = 0
    upstream_seconds: float = 0.0
    overhead_seconds: float = 0.0
    first_token_seconds: float | None = None
    max_gap_seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    retries: int = 0
    account: str = ""
    phase: str = ""
    error_code: str = ""
    glm_code: str = ""
    trace_id: str = ""


class MessageLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a library, or the start of the program, has to say."""

    time: datetime
    level: str
    event: Literal["message"]
    logger: str
    message: str
    exception: str = ""


Line = ExchangeLine | MessageLine
EncodeLines = Callable[[Sequence[Line]], bytes]


def configure(*, form: Form = "auto", level: Level = "info", stream: BinaryIO | None = None) -> Sink:
    """
    Send the program's log to ``stream`` (None: standard error), and give the sink for exchanges.

    "auto" is text on a terminal and JSON elsewhere. Takes the place of what was configured before.
    """
    stream = stream or _standard_error()
    text = form == "text" or (form == "auto" and stream.isatty())
    out = _Out(stream, encode=_text_lines if text else Encoder().encode_lines)
    logging.basicConfig(handlers=[_Lines(out)], level=SEVERITIES[level], force=True)
    for name, least in CHATTY.items():
        logging.getLogger(name).setLevel(max(SEVERITIES[level], SEVERITIES[least]))
    logging.getLogger("uvicorn.error").addFilter(_is_true)
    return _exchange_sink(out, least=SEVERITIES[level])


def _standard_error() -> BinaryIO:
    # Python has none where it was closed before the start.
    return sys.stderr.buffer if sys.stderr is not None else Path(os.devnull).open("wb")


def _is_true(record: logging.LogRecord) -> bool:
    return record.msg != _REFUSED_HANDSHAKE


class _Out:
    """Where lines go. Those of exchanges are written many at a time: to write costs as much as to make one."""

    def __init__(self, stream: BinaryIO, *, encode: EncodeLines) -> None:
        self._stream = stream
        self._encode = encode
        self._waiting: list[Line] = []
        self._broken_off = False

    def post(self, line: Line) -> None:
        """Write a line soon; at once where there is no event loop to wait in."""
        self._waiting.append(line)
        if len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
            except RuntimeError:
                self.flush()

    def write(self, line: Line) -> None:
        """Write a line now, after those that wait."""
        self._waiting.append(line)
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        try:
            self._stream.write(b"\n" * self._broken_off + self._encode(lines))
            self._stream.flush()
            self._broken_off = False
        except (OSError, ValueError):
            # Whoever read the log has gone, or its disk is full. The exchange must not fail for it, nor must the
            # next line that comes through be lost with one of which there is but a part.
            self._broken_off = True


def _exchange_sink(out: _Out, *, least: int) -> Sink:
    wanted = {outcome for outcome, level in LEVELS.items() if SEVERITIES[level] >= least}

    def log(record: Record) -> None:
        if record.outcome in wanted:
            out.post(exchange_line(record, now=datetime.now(UTC)))

    return log


def exchange_line(record: Record, *, now: datetime) -> ExchangeLine:
    """Give the line of a record that ended at ``now``; seconds are rounded to microseconds."""
    line = ExchangeLine(
        time=now,
        level=LEVELS[record.outcome],
        event="exchange",
        request_id=record.request_id,
        operation=record.operation,
        status=record.status,
        outcome=record.outcome,
        duration_seconds=to_microseconds(record.duration_seconds),
        tenant=record.tenant,
        tier=record.tier,
        model=record.model,
        stream=record.stream,
        upstream_seconds=to_microseconds(record.upstream_seconds),
        overhead_seconds=to_microseconds(record.overhead_seconds),
        account=record.account,
    )
    # The rest seldom happens, and CPython makes a dict of more than fifteen keywords before it calls.
    if record.queued_seconds or record.queue_position:
        line.queued_seconds = to_microseconds(record.queued_seconds)
        line.queue_position = record.queue_position
    if record.first_token_at is not None:
        line.first_token_seconds = to_microseconds(record.first_token_at - record.received_at)
        line.max_gap_seconds = to_microseconds(record.max_gap_seconds)
    if record.usage_known:
        note_tokens(line, record)
    if record.cache_hits or record.cache_misses:
        line.cache_hits, line.cache_misses = record.cache_hits, record.cache_misses
    if record.retries:
        line.retries = record.retries
    if record.outcome != "ok":
        line.phase, line.error_code, line.glm_code = record.phase, record.error_code, record.glm_code
    if record.parent is not None or record.span is not None:
        line.trace_id = record.trace_id
    return line


def note_tokens(line: ExchangeLine, record: Record) -> None:
    line.input_tokens, line.output_tokens = record.input_tokens, record.output_tokens
    if record.cached_tokens:
        line.cached_tokens = record.cached_tokens
    if record.reasoning_tokens:
        line.reasoning_tokens = record.reasoning_tokens


def to_microseconds(seconds: float) -> float:
    """Round seconds; to whole microseconds first, since ``round`` to six digits goes by way of decimal text."""
    return round(seconds * 1e6) / 1e6


def _text_lines(lines: Sequence[Line]) -> bytes:
    return b"".join(_text(line) + b"\n" for line in lines)


def _text(line: Line) -> bytes:
    start = f"{line.time.astimezone():%H:%M:%S}.{line.time.microsecond // 1000:03d} {line.level:7} "
    if isinstance(line, MessageLine):
        return (start + line.message + (line.exception and "\n" + line.exception)).encode()
    return (start + " ".join(_words(line))).encode()


def _words(line: ExchangeLine) -> list[str]:
    first_token = line.first_token_seconds
    parts = (
        (True, f"{line.status} {line.outcome} {line.operation}"),
        (line.model, line.model),
        (line.tenant, f"for {line.tenant} ({line.tier})"),
        (True, f"in {line.duration_seconds:.3f}s"),
        (line.queue_position or line.queued_seconds >= 0.001, queued(line)),
        (first_token is not None, f"first token {first_token or 0:.3f}s"),
        (line.output_tokens, f"{line.input_tokens}+{line.output_tokens} tokens"),
        (line.cache_hits, f"{line.cache_hits} of {line.cache_hits + line.cache_misses} cached"),
        (line.retries, f"{line.retries} retries"),
        (line.error_code, line.error_code),
        (line.glm_code, f"GLM {line.glm_code}"),
        (True, line.request_id),
        (line.trace_id, f"trace {line.trace_id}"),
    )
    return [words for said, words in parts if said]


def queued(line: ExchangeLine) -> str:
    place = f" at place {line.queue_position}" if line.queue_position else ""
    return f"queued {line.queued_seconds:.3f}s{place}"


class _Lines(logging.Handler):
    """Gives the records of ``logging`` the form of our own lines."""

    def __init__(self, out: _Out) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        exception = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self._out.write(
            MessageLine(
                time=datetime.fromtimestamp(record.created, UTC),
                level=record.levelname.lower(),
                event="message",
                logger=record.name,
                message=_masked(record.getMessage()),
                exception=_masked(exception),
            )
        )

    def flush(self) -> None:
        """Write what waits; ``logging`` calls this at the end of the program."""
        self._out.flush()


def _masked(text: str) -> str:
    return _KEY.sub("***", text)

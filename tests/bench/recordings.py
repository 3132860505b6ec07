"""Recordings: what decoding costs by container, what an hour needs of memory, what five seconds wait longer."""

import http.client
import json
import time
from statistics import median

from msgspec.structs import replace

from gateway.audio import Sound
from gateway.simulator.speech import speak
from tests.forms import FORM_TYPE, form
from tests.recordings import at_rate, packed, wav_of

from .machine import peak_bytes, processor_seconds
from .processes import Bench, BenchError, Server
from .report import Row
from .wire import KEY, UPSTREAM_BASE

PATH = "/v1/audio/transcriptions"
UPSTREAM_PATH = f"{UPSTREAM_BASE}/audio/transcriptions"
HEARD = json.dumps({"id": "1", "created": 1, "request_id": "1", "text": "one two three four five six seven"})
RATE = 16_000
SENTENCE_SECONDS = 5
SECONDS = 300
LONG_SECONDS = 3600
LEAST_SECONDS = SENTENCE_SECONDS
SHORT_SECONDS = 5
SHORT_UPLOADS = 40
ROUNDS = 3
PATIENCE_SECONDS = 300
MEBIBYTE = 1024 * 1024

CONTAINERS = ("wav", "flac", "mp3", "ogg", "webm", "m4a", "mp4", "mpeg")
COSTS = {
    kind: Row(measure=f"decoding and cutting {kind}", unit="ms of computing per minute of sound")
    for kind in CONTAINERS
}
MEMORY = Row(measure="an hour of mp3, peak memory", unit="MiB, over idle", bound="at most", target=150)
LATENCY = Row(measure="wav of 5 s, median latency", unit="ms, over posting it to the upstream")
RECORDINGS = (*COSTS.values(), MEMORY, LATENCY)


def recordings(bench: Bench) -> list[Row]:
    """Send recordings through the gateway to an nginx that hears the same in all of them."""
    location = f"location / {{ default_type application/json; return 200 '{HEARD}'; }}"
    with bench.nginx_upstream(location=location, name="hearing") as upstream:
        # Memory first: in a process of its own, whose peak is nobody else's.
        with bench.gateway(upstream=upstream) as gateway:
            memory = _memory(bench, gateway)
        with bench.gateway(upstream=upstream) as gateway:
            _upload(gateway, wav_of(_sound(seconds=SHORT_SECONDS)))
            return [*_costs(bench, gateway), memory, _latency(bench, gateway=gateway, upstream=upstream)]


def _memory(bench: Bench, gateway: Server) -> Row:
    sound = _sound(seconds=bench.amount(LONG_SECONDS, least=LEAST_SECONDS))
    before = peak_bytes(gateway.process_id)
    _upload(gateway, packed(sound, "mp3"))
    after = peak_bytes(gateway.process_id)
    if before is None or after is None:
        return replace(MEMORY, skipped="Linux, which tells a process's peak")
    return replace(
        MEMORY, gateway=after / MEBIBYTE, reference=before / MEBIBYTE, result=(after - before) / MEBIBYTE
    )


def _costs(bench: Bench, gateway: Server) -> list[Row]:
    seconds = bench.amount(SECONDS, least=LEAST_SECONDS)
    sound = _sound(seconds=seconds)
    rows = []
    for kind, row in COSTS.items():
        file = packed(sound, kind)
        before = processor_seconds(gateway.process_id)
        _upload(gateway, file)
        after = processor_seconds(gateway.process_id)
        if before is None or after is None:
            rows.append(replace(row, skipped="Linux, which tells a process's time"))
            continue
        cost = (after - before) / (seconds / 60) * 1e3
        rows.append(replace(row, gateway=cost, result=cost))
    return rows


def _latency(bench: Bench, *, gateway: Server, upstream: Server) -> Row:
    uploads = bench.amount(SHORT_UPLOADS, least=2)
    file = wav_of(_sound(seconds=SHORT_SECONDS))
    ours, theirs = [], []
    for _ in range(bench.amount(ROUNDS, least=1)):
        theirs.append(_median_ms(replace(upstream, path=UPSTREAM_PATH), file, uploads=uploads))
        ours.append(_median_ms(gateway, file, uploads=uploads))
    return replace(LATENCY, gateway=min(ours), reference=min(theirs), result=min(ours) - min(theirs))


def _median_ms(server: Server, file: bytes, *, uploads: int) -> float:
    return median(_upload(server, file) for _ in range(uploads)) * 1e3


def _upload(server: Server, file: bytes) -> float:
    """Send a recording; gives how many seconds the answer took. Raises ``BenchError``."""
    path = server.path if server.path == UPSTREAM_PATH else PATH
    body = form(('name="model"', b"glm-asr"), ('name="file"; filename="upload"', file))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    try:
        connection.connect()
        started = time.perf_counter()
        connection.request("POST", path, body, {"Authorization": f"Bearer {KEY}", "Content-Type": FORM_TYPE})
        answer = connection.getresponse()
        said = answer.read()
        taken = time.perf_counter() - started
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise BenchError(f"a recording was answered with {answer.status}: {said[:300]!r}")
    return taken


def _sound(*, seconds: int) -> Sound:
    """Return somebody who says a sentence every five seconds."""
    spoken = at_rate(Sound(*speak("one two three four five six seven")), RATE).pcm
    turn_bytes = SENTENCE_SECONDS * RATE * 2
    turn = spoken[:turn_bytes].ljust(turn_bytes, b"\0")
    return Sound(turn * (seconds // SENTENCE_SECONDS), RATE)

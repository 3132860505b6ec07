"""
The tree of settings: what can be said, of which type, and what holds when nothing is said.

Structs only. Where values come from and what they mean together is decided elsewhere in this package.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from gateway.auth import Issuer, Name, Tenant
from gateway.catalog import Tier
from gateway.settings.files import Fingerprint
from gateway.settings.kinds import (
    Count,
    Host,
    HttpUrl,
    KeySetUrl,
    LeaseSeconds,
    Origin,
    Port,
    Positive,
    PositiveSeconds,
    Revision,
    Seconds,
    SocketUrl,
    Voice,
)
from gateway.settings.secret import Secret

MEBIBYTE = 1024 * 1024


class Account(Struct, frozen=True, kw_only=True):
    """An account at Zhipu; ``tier`` is the one that Zhipu gave it."""

    name: Name
    api_key: Secret
    tier: Tier = "V0"


class Jwt(Issuer, frozen=True, kw_only=True):
    """
    An issuer of JSON Web Tokens, and how they are verified.

    Either ``secret``, which it shares with the gateway, or ``jwks_url``, where it publishes its keys.
    """

    secret: Secret | None = None
    jwks_url: KeySetUrl | None = None


class Upstream(Struct, frozen=True, kw_only=True):
    """
    How GLM is called.

    ``read_timeout_seconds`` is the longest silence before and within an answer. ``max_retries`` counts the
    attempts after the first, none of which is made once a byte was sent to the caller.
    """

    connect_timeout_seconds: PositiveSeconds = 5.0
    read_timeout_seconds: PositiveSeconds = 300.0
    max_retries: Count = 2
    max_answer_bytes: Positive = 64 * MEBIBYTE


class Chat(Struct, frozen=True, kw_only=True):
    """
    How chat behaves.

    ``on_disconnect``: "cancel" drops the answer of a caller that left; "drain" reads it for its token counts,
    for at most ``drain_cap_seconds``. ``heartbeat_seconds`` 0: no comment is sent into a silent stream.
    ``reasoning_memory_seconds`` 0: a model's reasoning, and what it said aloud, is not kept for the caller's next
    turn. It is kept in Redis where there is one, else in at most ``reasoning_memory_bytes`` of memory.
    """

    on_disconnect: Literal["cancel", "drain"] = "cancel"
    drain_cap_seconds: Seconds = 30.0
    heartbeat_seconds: Seconds = 15.0
    reasoning_memory_seconds: Seconds = 3600.0
    reasoning_memory_bytes: Count = 64 * MEBIBYTE


class Embeddings(Struct, frozen=True, kw_only=True):
    """
    How embeddings behave.

    ``dimensions_mode``: "refuse" what a model does not offer; "truncate" makes it of more dimensions, at length 1.
    ``cache_seconds`` 0: no vector is kept. Kept ones are for the same tenant's later requests only, in Redis where
    there is one, else in at most ``cache_bytes`` of memory.
    """

    dimensions_mode: Literal["refuse", "truncate"] = "refuse"
    cache_seconds: Seconds = 0.0
    cache_bytes: Count = 256 * MEBIBYTE


class Responses(Struct, frozen=True, kw_only=True):
    """
    How responses behave.

    ``store_seconds`` 0: none is kept, whatever its request says. Kept ones are for the same tenant, in Redis where
    there is one, else in at most ``store_bytes`` of memory. ``seal_secret`` is what reasoning is sealed with that
    clients carry; None: it follows from the accounts' keys, and what was sealed before one of them changes is not
    understood after.
    """

    store_seconds: Seconds = 86_400.0
    store_bytes: Count = 256 * MEBIBYTE
    seal_secret: Secret | None = None


class Audio(Struct, frozen=True, kw_only=True):
    """
    How recordings are taken.

    An upload has at most ``max_upload_bytes``, its sound lasts at most ``max_seconds``, and at most
    ``slots_per_upload`` calls for it are under way at once; 1: each is told what was said before it.
    ``max_work_seconds`` is how much of a processor's time decoding one may take. ``translation_model`` is the chat
    model that turns what was said into English.
    """

    max_upload_bytes: Positive = 512 * MEBIBYTE
    max_seconds: PositiveSeconds = 7200.0
    max_work_seconds: PositiveSeconds = 180.0
    slots_per_upload: Positive = 3
    translation_model: str = "glm-4.7"


class Speech(Struct, frozen=True, kw_only=True):
    """How texts are read out; ``voices`` None: what OpenAI's names of voices mean by the built-in table."""

    voices: Mapping[str, Voice] | None = None


class Realtime(Struct, frozen=True, kw_only=True):
    """
    How calls behave.

    ``max_session_seconds`` ends a call however lively it is; ``idle_timeout_seconds`` one whose client sends
    nothing, 0: never; ``max_message_bytes`` bounds what it may send at a time. ``turn_detection``: GLM hears
    when a turn ends ("upstream"), the gateway does ("local"), or the gateway does where there are tools, with
    which GLM's own hangs ("auto"). ``typed_text``: typed messages reach GLM as items, within the instructions,
    or read out to it ("speech"). ``authorization``: GLM's socket is opened with the account's key, or with a
    token signed with it. ``client_secret_key`` signs keys for browsers; None: one that follows from the
    accounts'. ``text_model`` answers outside the conversation, ``speech_model`` reads out,
    ``transcription_model`` writes down where no other is named.
    """

    max_session_seconds: PositiveSeconds = 3600.0
    idle_timeout_seconds: Seconds = 900.0
    turn_detection: Literal["upstream", "local", "auto"] = "auto"
    typed_text: Literal["item", "instructions", "speech"] = "item"
    authorization: Literal["key", "jwt"] = "key"
    max_message_bytes: Positive = 21 * MEBIBYTE
    client_secret_key: Secret | None = None
    text_model: str = "glm-4.7"
    speech_model: str = "glm-tts"
    transcription_model: str = "glm-asr"


class Redis(Struct, frozen=True, kw_only=True):
    """Where replicas share slots, and what answers leave behind; ``url`` None: nowhere, each has its own."""

    url: Secret | None = None
    on_outage: Literal["share", "refuse"] = "share"


class Logs(Struct, frozen=True, kw_only=True):
    """How log lines look; "auto" is text on a terminal and JSON everywhere else."""

    format: Literal["auto", "json", "text"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Telemetry(Struct, frozen=True, kw_only=True):
    """
    Where traces are sent by OTLP over HTTP: to ``otlp_endpoint`` with ``/v1/traces`` after it; None: nowhere.

    Everything else of it is said by OpenTelemetry's own variables.
    """

    otlp_endpoint: HttpUrl | None = None


class Settings(Struct, frozen=True, kw_only=True):
    """
    Everything that can be configured, checked and complete.

    ``metrics_host`` left empty becomes ``host``; ``realtime_url`` left empty is made from ``upstream_url``.
    ``aliases`` None: the catalogue's own. ``models_file`` None: no catalogue rows but the built-in.
    ``queue_size`` is the most requests of one tenant that may wait for one model. ``jwt`` are the issuers whose
    tokens are taken in place of keys. ``revision`` is what this was built from, for metrics; an image says it.

    Found, not configured: ``warnings`` are sentences for the operator about what is allowed but unwise, ``files``
    those that were read, as they were just before.
    """

    host: Host = "127.0.0.1"
    port: Port = 8080
    metrics_host: str = ""
    metrics_port: Port = 9464
    upstream_url: HttpUrl = "https://open.bigmodel.cn/api/paas/v4"
    realtime_url: SocketUrl = ""
    accounts: tuple[Account, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    jwt: tuple[Jwt, ...] = ()
    queue_timeout_seconds: Seconds = 30.0
    realtime_queue_timeout_seconds: Seconds = 5.0
    queue_size: Count = 1000
    lease_seconds: LeaseSeconds = 15.0
    drain_seconds: Seconds = 60.0
    limits: Mapping[str, Mapping[Tier, Positive]] = {}
    on_lost_lease: Literal["stop", "finish"] = "stop"
    aliases: Mapping[str, str] | None = None
    models_file: Path | None = None
    max_body_bytes: Positive = 64 * MEBIBYTE
    max_header_bytes: Positive = 64 * 1024
    cors_origins: tuple[Origin, ...] = ()
    upstream: Upstream = Upstream()
    chat: Chat = Chat()
    embeddings: Embeddings = Embeddings()
    responses: Responses = Responses()
    audio: Audio = Audio()
    speech: Speech = Speech()
    realtime: Realtime = Realtime()
    redis: Redis = Redis()
    logs: Logs = Logs()
    telemetry: Telemetry = Telemetry()
    revision: Revision = "unknown"
    warnings: tuple[str, ...] = ()
    files: Mapping[Path, Fingerprint] = {}

    def __post_init__(self) -> None:
        upstream_url = self.upstream_url.rstrip("/")
        realtime_url = self.realtime_url or f"ws{upstream_url.removeprefix('http')}/realtime"
        force_setattr(self, "upstream_url", upstream_url)
        force_setattr(self, "realtime_url", realtime_url)
        force_setattr(self, "metrics_host", self.metrics_host or self.host)

    @property
    def simulator(self) -> bool:
        """Whether there is no account, so that the simulator has to stand in for GLM."""
        return not self.accounts

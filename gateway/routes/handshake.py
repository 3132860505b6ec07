"""What a client says before it has a call: where it connects, for which model, in which shape, with which key."""

from collections.abc import Mapping, Sequence
from typing import Final, cast
from urllib.parse import parse_qs

from litestar.types import Scope, WebSocketScope

from gateway.auth import presented_credential
from gateway.openai.realtime.session import Kind, SessionChange
from gateway.translate.realtime.shapes import Beta, Shape, Today

PATHS = {"/v1/realtime", "/realtime", "/openai/realtime", "/openai/v1/realtime"}
"""The last two are what Azure's clients ask; they name the model as ``deployment``."""

HTTP_PATHS = {"/v1/responses", "/responses", "/openai/responses", "/openai/v1/responses"}
"""Where OpenAI takes WebSockets, too, and Codex tries one before it posts."""

SUBPROTOCOL = "realtime"
KEY_PREFIX = "openai-insecure-api-key."
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
BETA_HEADER = b"realtime=v1"
OPERATION: Final = "realtime"
TRANSCRIPTION: Final = "transcription"


class Handshake:
    """The head of a request that would be a call."""

    def __init__(self, scope: Scope) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        headers = dict(scope["headers"])
        offered: Sequence[str] = cast("WebSocketScope", scope)["subprotocols"]
        self.query: Mapping[str, str] = {name: values[0] for name, values in query.items()}
        self.subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
        self.beta = BETA_SUBPROTOCOL in offered or BETA_HEADER in headers.get(b"openai-beta", b"").lower()
        self.headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        key = next((one.removeprefix(KEY_PREFIX) for one in offered if one.startswith(KEY_PREFIX)), "")
        if key and not presented_credential(self.headers):
            self.headers.append((b"authorization", f"Bearer {key}".encode("latin-1")))

    @property
    def credential(self) -> str:
        """The key that is presented, empty when none is."""
        return presented_credential(self.headers).decode("latin-1")

    @property
    def shape(self) -> Shape:
        """How the client is to be told."""
        return Beta() if self.beta else Today()


def path_of(scope: Scope) -> str:
    """Return the path as other routes take it, where a slash more makes no difference."""
    return "/" + "/".join(part for part in scope["path"].split("/") if part)


def kind_of(handshake: Handshake, change: SessionChange | None) -> Kind:
    """Return what a connection is for: its address says so, or the key that it is made with."""
    said = change.type if change is not None else None
    return TRANSCRIPTION if TRANSCRIPTION in (handshake.query.get("intent"), said) else OPERATION

"""What a translator wants done, in this order: all that it can do to the world, and what it is brought of it."""

from msgspec import Struct

from gateway.errors import GatewayError
from gateway.openai.realtime.items import Usage


class ToClient(Struct, frozen=True):
    """Send an event to the client; ``name`` is its type, for those who count."""

    name: str
    data: bytes


class ToGlm(Struct, frozen=True):
    """Send an event to GLM."""

    name: str
    data: bytes


class Close(Struct, frozen=True):
    """End the session; ``code`` is WebSocket's."""

    code: int
    reason: str


class Recognition(Struct, frozen=True, kw_only=True):
    """What was said in ``pcm``, 16 kHz mono s16le. Brings ``Words``."""

    pcm: bytes
    model: str
    prompt: str | None = None
    language: str | None = None
    keywords: tuple[str, ...] = ()


class Reply(Struct, frozen=True, kw_only=True):
    """An answer to ``request``, a chat completion's body as OpenAI has it. Brings ``Words`` and ``Called``."""

    request: bytes


class Speech(Struct, frozen=True, kw_only=True):
    """A text read out. Brings ``Voice``."""

    text: str
    voice: str


class Scaling(Struct, frozen=True, kw_only=True):
    """A picture as a JPEG of at most so many pixels a side. Brings ``Picture``."""

    data: bytes
    max_side_pixels: int


Task = Recognition | Reply | Speech | Scaling


class Errand(Struct, frozen=True):
    """Have something done beside the call, most of it by GLM's other models; ``id`` is what it is brought by."""

    id: str
    what: Task


class Forget(Struct, frozen=True):
    """Stop an errand, if it is still under way: nobody waits for it."""

    id: str


class Refused(Struct, frozen=True):
    """Learn from an error of GLM's that has one of Zhipu's codes: it may be about the account."""

    error: GatewayError


Effect = ToClient | ToGlm | Close | Errand | Forget | Refused


class Words(Struct, frozen=True):
    """A piece of what was said, or is written."""

    text: str


class Voice(Struct, frozen=True):
    """A piece of speech, 24 kHz mono s16le."""

    pcm: bytes


class Picture(Struct, frozen=True):
    """A JPEG."""

    jpeg: bytes


class Called(Struct, frozen=True):
    """A call of a function, whole."""

    name: str
    arguments: str


class Ended(Struct, frozen=True):
    """The end of an errand; ``error`` None: it went well. ``usage`` None: not told."""

    error: GatewayError | None = None
    usage: Usage | None = None


Brought = Words | Voice | Picture | Called | Ended

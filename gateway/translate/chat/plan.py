"""What one answer has to keep: its identity, and the promises that the request was given."""

from collections.abc import Callable

from msgspec import Struct

from gateway.audio import AudioFormat
from gateway.translate.chat.structured import Schema


class Promise(Struct, frozen=True, kw_only=True):
    """
    What the caller was promised about tool calls.

    ``must_call``: an answer without a call breaks the promise. ``only``: the names that may be called, where the
    caller chose among its tools; None: whatever GLM calls is the caller's to judge. ``single``: only the first
    call counts. ``legacy``: calls are told in the deprecated ``function_call`` form. ``custom``: names of custom
    tools.
    """

    must_call: bool = False
    only: frozenset[str] | None = None
    single: bool = False
    legacy: bool = False
    custom: frozenset[str] = frozenset()


class Plan(Struct, frozen=True, kw_only=True):
    """
    How the answer is told.

    ``id``, ``created`` (Unix seconds) and ``model`` are the answer's own. ``schema`` None: the text is free,
    but for ``json_mode``, in which it is JSON by GLM's own promise, of any kind, and perhaps in a fence.
    ``inline_markers``: the model mixes markers into its text. ``include_usage``: a stream ends with the tokens.
    ``spoken``: the format in which the answer is to be heard; None: it is to be read. ``tagged`` makes what the
    caller is told of GLM's id of a spoken answer.
    """

    id: str
    created: int
    model: str
    promise: Promise = Promise()
    schema: Schema | None = None
    json_mode: bool = False
    inline_markers: bool = False
    include_usage: bool = False
    spoken: AudioFormat | None = None
    tagged: Callable[[str], str] = str

    def call_id_prefix(self, index: int) -> str:
        """Return what the ids of calls begin with where GLM gave none, for the choice of this ``index``."""
        return f"call_{self.id[-12:]}_{index}"

    def audio_id(self, index: int) -> str:
        """Return the id of a spoken answer where GLM gave none, for the choice of this ``index``."""
        return f"audio_{self.id[-12:]}_{index}"

"""What the platform answers over HTTP: the room behind each address, its models, and how its requests are read."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from gateway.simulator.accounts import Account
from gateway.simulator.audio import speech, transcriptions
from gateway.simulator.audio.models import HEARING_MODELS, SPEAKING_MODELS, HearingModel, SpeakingModel
from gateway.simulator.chat import route as chat
from gateway.simulator.connection import Reply, Request
from gateway.simulator.embeddings import route as embeddings
from gateway.simulator.embeddings.models import EMBEDDING_MODELS, EmbeddingModel
from gateway.simulator.listing import list_models
from gateway.simulator.models import CHAT_MODELS, ChatModel
from gateway.simulator.platform import Ask
from gateway.simulator.refusals import Refusal
from gateway.simulator.tokenizer import COUNTING_MODELS
from gateway.simulator.tokenizer import answer as count_tokens

BASE_PATH = "/api/paas/v4"

Model = ChatModel | EmbeddingModel | HearingModel | SpeakingModel


def _fields(request: Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refusal("1210", "the body is not a JSON object") from error
    except RecursionError as error:
        raise Refusal("1210", "the body is nested too deeply") from error


class Endpoint(Struct, frozen=True):
    """
    One address of the platform: the room that answers, and the models it takes by id; none, no slot.

    ``read`` gives the fields of a request. ``slow`` models hear or speak, which is done in a thread. ``counted``:
    a request takes one of its account's slots for its model.
    """

    answer: Callable[[Ask], Reply]
    models: Mapping[str, Model] = {}
    slow: frozenset[str] = frozenset()
    read: Callable[[Request], dict[str, Any]] = _fields
    counted: bool = True

    def check_model(self, model: Any, account: Account) -> None:
        """Refuse a model that is not there, or that the account cannot pay for."""
        if model is None:
            raise Refusal("1213", "model")
        known = self.models.get(model) if isinstance(model, str) else None
        if known is None:
            raise Refusal("1211")
        if not account.balance and not known.free:
            raise Refusal("1113")


_VOICES = frozenset(model.id for model in CHAT_MODELS.values() if model.family == "voice")

ENDPOINTS: Mapping[str, Mapping[str, Endpoint]] = {
    f"{BASE_PATH}/audio/speech": {
        "POST": Endpoint(speech.answer, SPEAKING_MODELS, slow=frozenset(SPEAKING_MODELS))
    },
    f"{BASE_PATH}/audio/transcriptions": {
        "POST": Endpoint(
            transcriptions.answer, HEARING_MODELS, slow=frozenset(HEARING_MODELS), read=transcriptions.read
        )
    },
    f"{BASE_PATH}/chat/completions": {"POST": Endpoint(chat.answer, CHAT_MODELS, slow=_VOICES)},
    f"{BASE_PATH}/embeddings": {"POST": Endpoint(embeddings.answer, EMBEDDING_MODELS)},
    f"{BASE_PATH}/models": {"GET": Endpoint(list_models)},
    f"{BASE_PATH}/tokenizer": {"POST": Endpoint(count_tokens, COUNTING_MODELS, counted=False)},
}
"""By path and method."""

"""``GET /models`` of the stand-in: the paid chat models, and only those, as the platform lists them."""

import msgspec

from gateway.simulator.connection import Reply
from gateway.simulator.models import CHAT_MODELS
from gateway.simulator.platform import Ask

_CREATED = 1735689600


def list_models(_ask: Ask) -> Reply:
    """List what the platform lists: text models that cost; the free ones work but are not named."""
    listed = [model.id for model in CHAT_MODELS.values() if model.family == "text" and not model.free]
    data = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "z-ai"} for name in listed]
    return Reply.whole(msgspec.json.encode({"object": "list", "data": data}))

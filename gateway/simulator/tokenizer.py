"""
``POST /tokenizer`` of the stand-in: check, count.

Source: docs.bigmodel.cn and docs.z.ai, tokenizer reference (read 2026-11-21). No limit of requests in flight is
published for it.
"""

import msgspec

from gateway.glm.tokenizer import MODELS
from gateway.simulator.chat.conversation import read_conversation
from gateway.simulator.chat.messages import check_messages
from gateway.simulator.chat.route import count_prompt
from gateway.simulator.chat.tools import check_tools
from gateway.simulator.connection import Reply
from gateway.simulator.fields import Check, anything, check_fields, length
from gateway.simulator.models import CHAT_MODELS, ChatModel
from gateway.simulator.platform import Ask
from gateway.simulator.refusals import ROLE, Refusal

COUNTING_MODELS = {name: model for name, model in CHAT_MODELS.items() if name in MODELS}


def answer(ask: Ask) -> Reply:
    """Count what a conversation holds; raise Refusal for what the platform refuses."""
    check_fields(ask.fields, model=COUNTING_MODELS[ask.fields["model"]], checks=_CHECKS, required=("messages",))
    fields = {name: value for name, value in ask.fields.items() if value is not None}
    if any(message["role"] == "tool" for message in fields["messages"]):
        raise Refusal("1214", wording=ROLE)
    texts, pictures = count_prompt(fields, read_conversation(fields))
    body = {
        "created": int(ask.platform.clock()),
        "id": ask.request_id,
        "request_id": ask.request_id,
        "usage": {
            "prompt_tokens": texts,
            "image_tokens": pictures,
            "video_tokens": 0,
            "total_tokens": texts + pictures,
        },
    }
    return Reply.whole(msgspec.json.encode(body))


_CHECKS: dict[str, Check[ChatModel]] = {
    "model": anything,
    "messages": check_messages,
    "tools": check_tools,
    "request_id": length(6, 64),
    "user_id": length(6, 128),
}

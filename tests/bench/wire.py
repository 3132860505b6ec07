"""The bytes of the benchmark: what callers send, and what the stand-in for GLM answers. No I/O."""

import json
from collections.abc import Mapping
from random import Random

MODEL = "glm-4.7"
KEY = "bench-key-of-more-than-16-characters"
GATEWAY_PATH = "/v1/chat/completions"
RESPONSES_PATH = "/v1/responses"
REALTIME_MODEL = "glm-realtime"
REALTIME_PATH = f"/v1/realtime?model={REALTIME_MODEL}"
EMBEDDINGS_PATH = "/v1/embeddings"
UPSTREAM_BASE = "/api/paas/v4"
UPSTREAM_PATH = f"{UPSTREAM_BASE}/chat/completions"

_STAMP = {"id": "20250901120000abcdef0123456789ab", "created": 1756728000, "model": MODEL}
_USAGE = {"prompt_tokens": 42, "completion_tokens": 64, "total_tokens": 106}

TOKEN = b'"tok"'
"""The text of a delta in a flood; a paced stream says the time of sending instead, as ``"@nanoseconds"``."""

DONE = b"data: [DONE]\n\n"
COMPLETED = b"response.completed"
"""What the last event of a streamed response is called."""


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _event(delta: str, *, usage: dict[str, int] | None = None) -> bytes:
    choice: dict[str, object] = {"index": 0, "delta": {"role": "assistant", "content": delta}}
    event: dict[str, object] = {**_STAMP, "choices": [choice]}
    if usage is not None:
        choice["finish_reason"] = "stop"
        event["usage"] = usage
    return b"data: %b\n\n" % _encoded(event)


ANSWER = _encoded(
    {
        **_STAMP,
        "request_id": _STAMP["id"],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": "A lantern on the quay keeps the hour of the ferry. " * 6,
                },
            }
        ],
        "usage": _USAGE,
    }
)
EVENT = _event("tok")
REASONING_EVENT = _event("tok").replace(b'"content"', b'"reasoning_content"')
TOOL_EVENT = _encoded(
    {
        **_STAMP,
        "choices": [
            {
                "index": 0,
                "delta": {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "note_tide", "arguments": "tok"},
                        }
                    ],
                },
            }
        ],
    }
)
EVENTS = {
    "text": EVENT,
    "reasoning": REASONING_EVENT,
    "tools": b"data: %b\n\n" % TOOL_EVENT,
}
"""What a flood consists of: a word of the answer, of the reasoning, or of a call's arguments."""

LAST_EVENT = _event("", usage=_USAGE)


MODELS = _encoded(
    {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1756728000, "owned_by": "zhipu"}]}
)


def timed_event(sent_at_nanoseconds: int) -> bytes:
    """Return an event whose text is the time at which it was sent."""
    return EVENT.replace(TOKEN, b'"@%d"' % sent_at_nanoseconds)


def http_chunk(data: bytes) -> bytes:
    """Return data as one chunk of HTTP/1.1's chunked encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


TOOLS = [{"type": "function", "function": {"name": "note_tide", "parameters": {"type": "object"}}}]


def request_body(prompt: str = "x" * 300, *, stream: bool = False, tools: bool = False) -> bytes:
    """Return a chat completion of about 500 bytes."""
    system = "You are a harbour master. Answer in one sentence and name the tide."
    messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
    fields = {"model": MODEL, "messages": messages, "temperature": 0.7, "max_tokens": 256, "stream": stream}
    return _encoded(fields | {"tools": TOOLS} if tools else fields)


def response_body(prompt: str) -> bytes:
    """Return a request for a streamed response with the same words."""
    instructions = "You are a harbour master. Answer in one sentence and name the tide."
    return _encoded(
        {"model": MODEL, "instructions": instructions, "input": prompt, "stream": True, "store": False}
    )


def embeddings_body() -> bytes:
    """Return a request for the vectors of 64 short texts, as the official SDKs ask for them."""
    texts = [f"Lantern {number} on the quay keeps the hour of the ferry." for number in range(64)]
    return _encoded({"model": "embedding-3", "input": texts, "encoding_format": "base64"})


def embeddings_answer(numbers: Random) -> bytes:
    """Return GLM's answer to that: 64 vectors of 2048 numbers."""
    vectors = [[round(numbers.gauss(0, 0.022), 8) for _ in range(2048)] for _ in range(64)]
    return _encoded(
        {
            "model": "embedding-3",
            "data": [
                {"embedding": vector, "index": index, "object": "embedding"}
                for index, vector in enumerate(vectors)
            ],
            "object": "list",
            "usage": {"completion_tokens": 0, "prompt_tokens": 832, "total_tokens": 832},
        }
    )


def request(path: str, *, port: int, body: bytes, headers: Mapping[str, str] = {}) -> bytes:
    """Return a whole HTTP/1.1 request, authorised for the gateway."""
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body

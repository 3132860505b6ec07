"""The examples of the contract file: a request of each operation, and an answer in each form that it has."""

from typing import Any, Final

HELLO: Final = {"role": "user", "content": "Say hello."}
ID: Final = "4f9c0a6be1d24b7d8f3a5c7e9b1d2f40"
AT: Final = 1795290452
USAGE: Final = {
    "prompt_tokens": 7,
    "completion_tokens": 2,
    "total_tokens": 9,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
HEARD: Final = {"text": "Hello.", "usage": {"type": "duration", "seconds": 2}}
SEGMENT: Final = {
    "id": 0,
    "start": 0.02,
    "end": 0.75,
    "text": "Hello.",
    "seek": 0,
    "tokens": [],
    "temperature": 0.0,
    "avg_logprob": 0.0,
    "compression_ratio": 0.0,
    "no_speech_prob": 0.0,
}
MESSAGE: Final = {
    "type": "message",
    "id": f"msg_{ID}_0",
    "content": [{"type": "output_text", "text": "Hello!", "annotations": [], "logprobs": []}],
    "status": "completed",
    "role": "assistant",
}
RESPONSE: Final = {
    "id": f"resp_{ID}",
    "object": "response",
    "created_at": AT,
    "model": "glm-4.7",
    "status": "completed",
    "output": [MESSAGE],
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "reasoning": {"effort": None, "summary": None},
    "metadata": {},
    "store": True,
    "truncation": "disabled",
    "usage": {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 9,
    },
}
DETECTION: Final = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
}
SECRET: Final = {"value": "ek_eyJhbGciOiJIUzI1NiJ9.e30.sJ0", "expires_at": AT + 600}
RATE: Final = {"type": "audio/pcm", "rate": 24000}

REQUESTS: Final[dict[str, dict[str, Any]]] = {
    "createChatCompletion": {
        "text": {"model": "glm-4.7", "messages": [HELLO]},
        "stream": {
            "model": "glm-4.7",
            "messages": [HELLO],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        "tools": {
            "model": "glm-4.7",
            "messages": [{"role": "user", "content": "What is the weather in Beijing?"}],
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "weather",
                        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                    },
                }
            ],
        },
    },
    "createCompletion": {"text": {"model": "glm-4.7", "prompt": "Once upon a time", "max_tokens": 20}},
    "createResponse": {
        "text": {"model": "glm-4.7", "input": "Say hello."},
        "next turn": {"model": "glm-4.7", "input": "Again.", "previous_response_id": f"resp_{ID}"},
    },
    "countInputTokens": {"text": {"model": "glm-4.7", "input": "Say hello."}},
    "createEmbedding": {"texts": {"model": "embedding-3", "input": ["Hello!", "Bye."], "dimensions": 256}},
    "createSpeech": {
        "file": {"model": "glm-tts", "input": "Hello!", "voice": "tongtong", "response_format": "mp3"}
    },
    "createClientSecret": {"call": {"session": {"type": "realtime", "model": "glm-realtime"}}},
    "createRealtimeSession": {"call": {"model": "glm-realtime"}},
    "createTranscriptionSession": {"dictation": {"model": "glm-realtime"}},
}
"""By operation. Uploads have none: a file is not to be written in YAML."""

ANSWERS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "createChatCompletion": {
        "application/json": {
            "text": {
                "id": f"chatcmpl-{ID}",
                "object": "chat.completion",
                "created": AT,
                "model": "glm-4.7",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": "Hello!", "refusal": None},
                        "finish_reason": "stop",
                        "logprobs": None,
                    }
                ],
                "usage": USAGE,
            }
        },
        "text/event-stream": {
            "chunk": {
                "id": f"chatcmpl-{ID}",
                "object": "chat.completion.chunk",
                "created": AT,
                "model": "glm-4.7",
                "choices": [
                    {"index": 0, "delta": {"content": "Hel"}, "finish_reason": None, "logprobs": None},
                ],
            }
        },
    },
    "createCompletion": {
        media_type: {
            "text": {
                "id": f"cmpl-{ID}",
                "object": "text_completion",
                "created": AT,
                "model": "glm-4.7",
                "choices": [{"text": " there was", "index": 0, "finish_reason": "stop", "logprobs": None}],
                "usage": USAGE,
            }
        }
        for media_type in ("application/json", "text/event-stream")
    },
    "createResponse": {
        "application/json": {"text": RESPONSE},
        "text/event-stream": {
            "piece": {
                "type": "response.output_text.delta",
                "sequence_number": 4,
                "item_id": f"msg_{ID}_0",
                "output_index": 0,
                "content_index": 0,
                "delta": "Hel",
                "logprobs": [],
            }
        },
    },
    "countInputTokens": {"application/json": {"text": {"object": "response.input_tokens", "input_tokens": 7}}},
    "getResponse": {"application/json": {"text": RESPONSE}},
    "deleteResponse": {"application/json": {"gone": {"id": f"resp_{ID}", "object": "response", "deleted": True}}},
    "cancelResponse": {
        "application/json": {"stopped": {**RESPONSE, "status": "cancelled", "background": True, "output": []}}
    },
    "listInputItems": {
        "application/json": {
            "items": {
                "object": "list",
                "data": [
                    {
                        "id": f"msg_{ID}_i0",
                        "type": "message",
                        "status": "completed",
                        "role": "user",
                        "content": [{"type": "input_text", "text": "Say hello."}],
                    }
                ],
                "first_id": f"msg_{ID}_i0",
                "last_id": f"msg_{ID}_i0",
                "has_more": False,
            }
        }
    },
    "createEmbedding": {
        "application/json": {
            "vectors": {
                "object": "list",
                "data": [{"object": "embedding", "index": 0, "embedding": [-0.008228621, 0.032103211]}],
                "model": "embedding-3",
                "usage": {"prompt_tokens": 3, "total_tokens": 3},
            }
        }
    },
    "createTranscription": {
        "application/json": {
            "json": HEARD,
            "verbose_json": {
                "task": "transcribe",
                "language": "english",
                "duration": 1.1,
                **HEARD,
                "segments": [SEGMENT],
            },
        },
        "text/plain": {"srt": "1\n00:00:00,020 --> 00:00:00,750\nHello.\n"},
        "text/event-stream": {"piece": {"type": "transcript.text.delta", "delta": "Hel"}},
    },
    "createTranslation": {
        "application/json": {"json": HEARD},
        "text/plain": {"text": "Hello.\n"},
    },
    "createSpeech": {
        "text/event-stream": {"piece": {"type": "speech.audio.delta", "audio": "SUQzBAAAAAAACgAAAAAAAAAAAAD/86TE"}}
    },
    "createClientSecret": {
        "application/json": {
            "key": {
                **SECRET,
                "session": {
                    "type": "realtime",
                    "object": "realtime.session",
                    "id": f"sess_{ID}",
                    "model": "glm-realtime",
                    "output_modalities": ["audio"],
                    "instructions": "You are a helpful assistant.",
                    "tools": [],
                    "tool_choice": "auto",
                    "max_output_tokens": "inf",
                    "audio": {
                        "input": {
                            "format": RATE,
                            "transcription": None,
                            "noise_reduction": None,
                            "turn_detection": DETECTION,
                        },
                        "output": {"format": RATE, "voice": "tongtong", "speed": 1.0},
                    },
                    "expires_at": 0,
                    "include": None,
                    "prompt": None,
                    "tracing": None,
                    "truncation": "auto",
                },
            }
        }
    },
    "createRealtimeSession": {
        "application/json": {
            "key": {
                "id": f"sess_{ID}",
                "object": "realtime.session",
                "model": "glm-realtime",
                "modalities": ["text", "audio"],
                "instructions": "You are a helpful assistant.",
                "voice": "tongtong",
                "input_audio_format": "pcm16",
                "output_audio_format": "pcm16",
                "input_audio_transcription": None,
                "input_audio_noise_reduction": None,
                "turn_detection": DETECTION,
                "tools": [],
                "tool_choice": "auto",
                "temperature": 0.8,
                "max_response_output_tokens": "inf",
                "speed": 1.0,
                "expires_at": 0,
                "tracing": None,
                "client_secret": SECRET,
            }
        }
    },
    "createTranscriptionSession": {
        "application/json": {
            "key": {
                "id": f"sess_{ID}",
                "object": "realtime.transcription_session",
                "input_audio_format": "pcm16",
                "input_audio_transcription": None,
                "input_audio_noise_reduction": None,
                "turn_detection": DETECTION,
                "modalities": ["text", "audio"],
                "expires_at": 0,
                "client_secret": SECRET,
            }
        }
    },
    "listModels": {
        "application/json": {
            "models": {
                "object": "list",
                "data": [{"id": "glm-4.7", "object": "model", "created": 1766361600, "owned_by": "zhipu"}],
            }
        }
    },
    "retrieveModel": {
        "application/json": {
            "model": {"id": "glm-4.7", "object": "model", "created": 1766361600, "owned_by": "zhipu"}
        }
    },
    "livez": {"text/plain": {"alive": "ok"}},
    "root": {"application/json": {"here": {"name": "glm-gateway", "version": "0.1.0", "openai_base_path": "/v1"}}},
    "readyz": {"text/plain": {"ready": "ok"}},
}
"""By operation and form; of a stream one event, of a sound none."""

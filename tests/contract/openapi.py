"""
The contract file as the code has it: routes, Structs and fates, in OpenAPI 3.1.

``make contract`` writes it to ``openapi.yaml``; a test refuses a file that says anything else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gateway import __version__
from gateway.audio import MEDIA_TYPES
from gateway.openai import completions, embeddings, errors, models, speech, transcriptions
from gateway.openai.chat.answers import CreateChatCompletionResponse
from gateway.openai.chat.chunks import CreateChatCompletionStreamResponse
from gateway.openai.chat.requests import CreateChatCompletionRequest
from gateway.openai.realtime import secrets, session
from gateway.openai.responses import answers, events, requests
from gateway.translate.chat.params import CHAT
from gateway.translate.completions.params import COMPLETIONS
from gateway.translate.embeddings.params import EMBEDDINGS
from gateway.translate.params import Ignored, Refused, Rule
from gateway.translate.responses.params import RESPONSES
from gateway.translate.speech.params import SPEECH
from gateway.translate.transcriptions.params import TRANSCRIPTIONS, TRANSLATIONS
from tests.contract import failures
from tests.contract.examples import ANSWERS, REQUESTS

FILE = Path(__file__).parents[2] / "openapi.yaml"
REF = "#/components/schemas/{name}"

EVENTS = tuple(
    kind
    for kind in vars(events).values()
    if isinstance(kind, type)
    and issubclass(kind, events.Event)
    and str(kind.__struct_config__.tag)[:9] == "response."
)
"""Every event of a streamed response."""

STRUCTS = (
    CreateChatCompletionRequest,
    CreateChatCompletionResponse,
    CreateChatCompletionStreamResponse,
    requests.CreateResponse,
    answers.Response,
    answers.DeletedResponse,
    answers.ResponseItemList,
    answers.InputTokens,
    *EVENTS,
    completions.CreateCompletionRequest,
    completions.CreateCompletionResponse,
    embeddings.CreateEmbeddingRequest,
    embeddings.CreateEmbeddingResponse,
    secrets.CreateClientSecretRequest,
    secrets.CreateClientSecretResponse,
    secrets.CreateBetaSessionRequest,
    secrets.BetaSessionResponse,
    session.BetaTranscriptionSession,
    errors.ErrorResponse,
    models.ListModelsResponse,
    models.Model,
    speech.CreateSpeechRequest,
    speech.SpeechAudioDelta,
    speech.SpeechAudioDone,
    transcriptions.CreateTranscriptionRequest,
    transcriptions.CreateTranscriptionResponseJson,
    transcriptions.CreateTranscriptionResponseVerboseJson,
    transcriptions.CreateTranslationRequest,
    transcriptions.TranscriptTextDeltaEvent,
    transcriptions.TranscriptTextDoneEvent,
)

ANSWER_HEADERS = {"x-request-id": "The id of the request: the caller's own if it gave a sane one."}
EXCHANGE_HEADERS = {
    **ANSWER_HEADERS,
    "openai-processing-ms": "Milliseconds until the answer began.",
    "x-ratelimit-limit-requests": "How many requests of the caller may be under way at once for the model.",
    "x-ratelimit-remaining-requests": "How many more could start now.",
    "x-gateway-ignored": "Parameters that were accepted without effect, separated by commas.",
    "x-accel-buffering": "no, with a stream or a sound: proxies are to pass each piece on at once.",
}
EMBEDDINGS_HEADERS = {
    **EXCHANGE_HEADERS,
    "x-gateway-cache": "How many of the texts were known: hit, partial or miss; absent where none are kept.",
}
ERROR_HEADERS = {
    **ANSWER_HEADERS,
    "retry-after": "Seconds after which to try again; on 429 and 503.",
    "x-should-retry": "Whether a client should try again at all, when its own rules would get it wrong.",
}


def document() -> dict[str, Any]:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "GLM Gateway",
            "version": __version__,
            "description": (
                "OpenAI's API on Zhipu's GLM models. Every route also answers without the /v1 prefix. "
                "Every error has the body of ErrorResponse."
            ),
        },
        "servers": [{"url": "http://127.0.0.1:8080"}],
        "security": [{"bearer": []}],
        "paths": paths(),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": failures.components(headers(ERROR_HEADERS)),
            "schemas": schemas(),
        },
    }


def paths() -> dict[str, Any]:
    """Return the routes, each with the errors that it may answer with, and with examples."""
    told = routes()
    for operations in told.values():
        for operation in operations.values():
            add_errors(operation)
            add_examples(operation)
    return told


def add_errors(operation: dict[str, Any]) -> None:
    """Say what may go wrong: with any request, with a body, with a place in a path, with a call of GLM."""
    if operation.get("security") == []:
        return
    answers = operation["responses"]
    served = {"x-ratelimit-limit-requests"} <= next(iter(answers.values())).get("headers", {}).keys()
    statuses = {400, 401, 431, 500}
    if "requestBody" in operation:
        statuses |= {404, 408, 413, 415}
    if "parameters" in operation:
        statuses |= {404}
    if any(one["name"] == "response_id" for one in operation.get("parameters", ())):
        statuses |= {503}
    if served:
        statuses |= {404, 429, 502, 503, 504}
    for status in statuses:
        answers.setdefault(str(status), failures.reference(status))
    operation["responses"] = dict(sorted(answers.items()))


def add_examples(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    for body in operation.get("requestBody", {}).get("content", {}).values():
        if name in REQUESTS:
            body["examples"] = named(REQUESTS[name])
    for media_type, answer in operation["responses"].get("200", {}).get("content", {}).items():
        if media_type in ANSWERS.get(name, {}):
            answer["examples"] = named(ANSWERS[name][media_type])


def named(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return examples by their names; copies, as YAML would make references of what is there twice."""
    return {name: {"value": msgspec.json.decode(msgspec.json.encode(value))} for name, value in values.items()}


def routes() -> dict[str, Any]:
    return {
        "/v1/chat/completions": {
            "post": {
                "operationId": "createChatCompletion",
                "summary": "Answer a conversation, whole or as a stream",
                "requestBody": body_of("CreateChatCompletionRequest"),
                "responses": responses(
                    {
                        "application/json": schema("CreateChatCompletionResponse"),
                        "text/event-stream": schema("CreateChatCompletionStreamResponse"),
                    },
                    described=EXCHANGE_HEADERS,
                ),
            }
        },
        "/v1/completions": {
            "post": {
                "operationId": "createCompletion",
                "summary": "Answer prompts with bare texts, whole or as a stream",
                "requestBody": body_of("CreateCompletionRequest"),
                "responses": responses(
                    {
                        "application/json": schema("CreateCompletionResponse"),
                        "text/event-stream": schema("CreateCompletionResponse"),
                    },
                    described=EXCHANGE_HEADERS,
                ),
            }
        },
        "/v1/responses": {
            "post": {
                "operationId": "createResponse",
                "summary": "Answer a conversation of items, whole or event by event",
                "requestBody": body_of("CreateResponse"),
                "responses": responses(
                    {
                        "application/json": schema("Response"),
                        "text/event-stream": {
                            "schema": {"oneOf": [schema(one.__name__)["schema"] for one in EVENTS]}
                        },
                    },
                    described=EXCHANGE_HEADERS,
                ),
            }
        },
        "/v1/responses/input_tokens": {
            "post": {
                "operationId": "countInputTokens",
                "summary": "Count the tokens that a response would take in",
                "requestBody": body_of("CreateResponse"),
                "responses": responses({"application/json": schema("InputTokens")}, described=EXCHANGE_HEADERS),
            }
        },
        "/v1/responses/{response_id}": {
            "get": kept_response("getResponse", "Tell how far a response is, and what was made of it", "Response"),
            "delete": kept_response("deleteResponse", "Keep a response no longer", "DeletedResponse"),
        },
        "/v1/responses/{response_id}/cancel": {
            "post": kept_response("cancelResponse", "Stop a response in the background", "Response"),
        },
        "/v1/responses/{response_id}/input_items": {
            "get": kept_response(
                "listInputItems",
                "List the items that a response was made from",
                "ResponseItemList",
                query={
                    "order": {"enum": ["asc", "desc"], "default": "desc"},
                    "after": {"type": "string"},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
                },
            ),
        },
        "/v1/embeddings": {
            "post": {
                "operationId": "createEmbedding",
                "summary": "Turn texts into vectors",
                "requestBody": body_of("CreateEmbeddingRequest"),
                "responses": responses(
                    {"application/json": schema("CreateEmbeddingResponse")}, described=EMBEDDINGS_HEADERS
                ),
            }
        },
        "/v1/audio/transcriptions": {
            "post": {
                "operationId": "createTranscription",
                "summary": "Write down what is said in a recording, whole or as a stream",
                "requestBody": form_of("CreateTranscriptionRequest"),
                "responses": responses(
                    {
                        "application/json": any_of(
                            "CreateTranscriptionResponseJson", "CreateTranscriptionResponseVerboseJson"
                        ),
                        "text/plain": {"schema": {"type": "string"}},
                        "text/event-stream": any_of("TranscriptTextDeltaEvent", "TranscriptTextDoneEvent"),
                    },
                    described=EXCHANGE_HEADERS,
                ),
            }
        },
        "/v1/audio/speech": {
            "post": {
                "operationId": "createSpeech",
                "summary": "Read a text out, as a file that begins before its end is there",
                "requestBody": body_of("CreateSpeechRequest"),
                "responses": responses(
                    {
                        **{media_type: sound() for media_type in MEDIA_TYPES.values()},
                        "text/event-stream": any_of("SpeechAudioDelta", "SpeechAudioDone"),
                    },
                    described=EXCHANGE_HEADERS,
                ),
            }
        },
        "/v1/audio/translations": {
            "post": {
                "operationId": "createTranslation",
                "summary": "Write down in English what is said in a recording",
                "requestBody": form_of("CreateTranslationRequest"),
                "responses": responses(
                    {
                        "application/json": any_of(
                            "CreateTranscriptionResponseJson", "CreateTranscriptionResponseVerboseJson"
                        ),
                        "text/plain": {"schema": {"type": "string"}},
                    },
                    described=EXCHANGE_HEADERS,
                ),
            }
        },
        "/v1/realtime": {
            "get": {
                "operationId": "realtime",
                "summary": "A call: the WebSocket of OpenAI's realtime events, which the README has a table of",
                "parameters": [{"name": "model", "in": "query", "required": True, "schema": {"type": "string"}}],
                "responses": {
                    "101": {"description": "The call", "headers": headers(EXCHANGE_HEADERS)},
                    "default": responses({})["default"],
                },
            },
            "post": no_webrtc("openRealtimeByPost"),
        },
        "/v1/realtime/client_secrets": {
            "post": {
                "operationId": "createClientSecret",
                "summary": "Make a short-lived key for a browser, with the session that it is for",
                "requestBody": body_of("CreateClientSecretRequest", required=False),
                "responses": responses({"application/json": schema("CreateClientSecretResponse")}),
            }
        },
        "/v1/realtime/sessions": {
            "post": {
                "operationId": "createRealtimeSession",
                "summary": "The same in beta's shape",
                "requestBody": body_of("CreateBetaSessionRequest", required=False),
                "responses": responses({"application/json": schema("BetaSessionResponse")}),
            }
        },
        "/v1/realtime/transcription_sessions": {
            "post": {
                "operationId": "createTranscriptionSession",
                "summary": "The same for a session that only writes down",
                "requestBody": body_of("CreateBetaSessionRequest", required=False),
                "responses": responses({"application/json": schema("BetaTranscriptionSession")}),
            }
        },
        "/v1/realtime/calls": {"post": no_webrtc("createRealtimeCall")},
        "/v1/models": {
            "get": {
                "operationId": "listModels",
                "summary": "List the models the caller may use",
                "responses": responses({"application/json": schema("ListModelsResponse")}),
            }
        },
        "/v1/models/{model}": {
            "get": {
                "operationId": "retrieveModel",
                "summary": "Tell about one model, by its id or an alias",
                "parameters": [{"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": responses({"application/json": schema("Model")}),
            }
        },
        "/": {"get": root()},
        "/livez": {"get": probe("livez", "Tell that the process runs", ready=False)},
        "/readyz": {"get": probe("readyz", "Tell whether to send requests here", ready=True)},
    }


def no_webrtc(name: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": "Say that there is no WebRTC, and what there is instead",
        "responses": {"501": failures.reference(501), "default": responses({})["default"]},
    }


def kept_response(name: str, summary: str, kind: str, *, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
    place = {"name": "response_id", "in": "path", "required": True, "schema": {"type": "string"}}
    asked = [{"name": key, "in": "query", "schema": described} for key, described in (query or {}).items()]
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [place, *asked],
        "responses": responses({"application/json": schema(kind)}),
    }


def body_of(name: str, *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": schema(name)}}


def form_of(name: str) -> dict[str, Any]:
    """Return the body of an upload, which may also come as JSON."""
    return {"required": True, "content": {"multipart/form-data": schema(name), "application/json": schema(name)}}


def any_of(*names: str) -> dict[str, Any]:
    return {"schema": {"anyOf": [schema(name)["schema"] for name in names]}}


def sound() -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary"}}


def schema(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": REF.format(name=name)}}


def responses(content: Mapping[str, Any], *, described: Mapping[str, str] = ANSWER_HEADERS) -> dict[str, Any]:
    return {
        "200": {"description": "The answer", "headers": headers(described), "content": dict(content)},
        "default": {
            "description": "What went wrong",
            "headers": headers(ERROR_HEADERS),
            "content": {"application/json": schema("ErrorResponse")},
        },
    }


def headers(described: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in described.items()}


def probe(name: str, summary: str, *, ready: bool) -> dict[str, Any]:
    answers = {"200": {"description": "Yes", "content": a_word()}}
    if ready:
        answers["503"] = {"description": "No: it was told to stop", "content": a_word()}
    return {"operationId": name, "summary": summary, "security": [], "responses": answers}


def root() -> dict[str, Any]:
    """Return what is at the address itself, for whoever opens it to see what answers."""
    words = dict.fromkeys(("name", "version", "openai_base_path"), "string")
    told = {"type": "object", "properties": {name: {"type": kind} for name, kind in words.items()}}
    answer = {
        "description": "This program",
        "content": {"application/json": {"schema": {**told, "required": [*words]}}},
    }
    return {"operationId": "root", "summary": "Tell what this is", "security": [], "responses": {"200": answer}}


def a_word() -> dict[str, Any]:
    return {"text/plain": {"schema": {"type": "string"}}}


def schemas() -> dict[str, Any]:
    """Return the Structs as schemas, with each parameter's fate beside it."""
    _, components = msgspec.json.schema_components(STRUCTS, ref_template=REF)
    add_fates(components["CreateChatCompletionRequest"]["properties"], CHAT)
    add_fates(components["CreateEmbeddingRequest"]["properties"], EMBEDDINGS)
    add_fates(components["CreateCompletionRequest"]["properties"], COMPLETIONS)
    add_fates(components["CreateResponse"]["properties"], RESPONSES)
    add_fates(components["CreateSpeechRequest"]["properties"], SPEECH)
    add_fates(components["CreateTranscriptionRequest"]["properties"], TRANSCRIPTIONS)
    add_fates(components["CreateTranslationRequest"]["properties"], TRANSLATIONS)
    return dict(sorted(components.items()))


def add_fates(properties: Mapping[str, dict[str, Any]], table: Mapping[str, Rule]) -> None:
    for name, described in properties.items():
        rule = table[name]
        described["x-fate"] = type(rule).__name__.lower()
        if isinstance(rule, Ignored | Refused) or rule.note:
            described["description"] = rule.note


def text() -> str:
    """Return the document as YAML."""
    return yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)

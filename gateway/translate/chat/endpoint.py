"""The chat completion endpoint: reads a request, and makes the job it becomes."""

from collections.abc import Collection, Sequence
from functools import partial

import msgspec
from msgspec import Struct

from gateway.glm import chat as glm
from gateway.openai.chat import requests as openai
from gateway.openai.chat.tools import CustomTool
from gateway.translate.chat import tools
from gateway.translate.chat.audio_ids import Past, past_of
from gateway.translate.chat.claims import Tagger, claimed
from gateway.translate.chat.job import ChatJob, instructed
from gateway.translate.chat.listened import has_recordings
from gateway.translate.chat.messages import to_recall
from gateway.translate.chat.params import ALWAYS, CHAT
from gateway.translate.chat.plan import Plan, Promise
from gateway.translate.chat.spoken import form_of
from gateway.translate.chat.structured import schema_of
from gateway.translate.endpoint import Context, Endpoint, Incoming
from gateway.translate.params import map_params
from gateway.translate.requests import Reader

NOTHING_PROMISED = Promise()

read_request = Reader(openai.CreateChatCompletionRequest).read


def read(body: bytes) -> Incoming:
    """Return the request in ``body``; raise InvalidRequest naming the field that is wrong."""
    request, present = read_request(body)
    keys = to_recall(request.messages)
    return Incoming(
        request=request,
        present=present,
        model=request.model,
        stream=bool(request.stream),
        recall=lambda _: keys,
        heavy=form_of(request) is not None or has_recordings(request.messages),
    )


class Prepared(Struct, frozen=True, kw_only=True):
    """
    What GLM is asked, what its answer has to keep, and what was accepted without effect.

    ``past`` is what is known of earlier spoken answers that the request names, None where it names none.
    """

    asked: glm.ChatRequest
    plan: Plan
    ignored: Sequence[str]
    past: Past | None = None


def begin(incoming: Incoming, context: Context, *, tagger: Tagger) -> ChatJob:
    """Return the job for a request; raise InvalidRequest for what GLM cannot do, or another tenant's answers."""
    request: openai.CreateChatCompletionRequest = incoming.request
    tenant = context.tenant
    if incoming.recall(context.model):  # Else no earlier answer is named.
        messages = claimed(request.messages, tagger=tagger, tenant=tenant, recalled=context.recalled)
        if messages is not request.messages:
            request = msgspec.structs.replace(request, messages=messages)
    prepared = prepare(request, present=incoming.present, context=context, strict=context.strict)
    plan = prepared.plan
    if plan.spoken is not None:
        plan = msgspec.structs.replace(plan, tagged=partial(tagger.tagged, tenant=tenant))
    return ChatJob([prepared.asked] * (request.n or 1), plan=plan, ignored=prepared.ignored, past=prepared.past)


def prepare(
    request: openai.CreateChatCompletionRequest, *, present: Collection[str], context: Context, strict: bool
) -> Prepared:
    """
    Return a request in GLM's terms; ``present`` names the fields that came, and ``strict`` refuses unknown ones.

    Raises InvalidRequest for what GLM cannot do.
    """
    draft = map_params(request, present=present, table=CHAT, context=context, strict=strict, always=ALWAYS)
    asked = glm.ChatRequest(model=context.model.id, **draft.fields)
    offer = tools.offer_of(request)
    traits = context.model.chat_traits
    schema = schema_of(request.response_format, json_object=traits.json_object)
    if schema is not None:
        asked = instructed(asked, schema.instruction(beside_tools=bool(offer.tools)))
    if offer.mode == "required":
        asked = instructed(asked, tools.call_instruction(offer))
    plan = Plan(
        id=f"chatcmpl-{context.id}",
        created=context.created,
        model=context.model.id,
        promise=promise_of(request, offer),
        schema=schema,
        json_mode=isinstance(request.response_format, openai.JsonObjectFormat),
        inline_markers=traits.inline_markers,
        include_usage=bool(request.stream_options and request.stream_options.include_usage),
        spoken=form_of(request),
    )
    past = None
    if "audio" in context.model.inputs:
        past = past_of(request.messages, asked.messages, recalled=context.recalled)
    return Prepared(asked=asked, plan=plan, ignored=draft.ignored, past=past)


def promise_of(request: openai.CreateChatCompletionRequest, offer: tools.Offer) -> Promise:
    if offer is tools.NOTHING and request.parallel_tool_calls is not False:
        return NOTHING_PROMISED
    legacy = request.tools is None and request.functions is not None
    custom = (tool.custom.name for tool in offer.tools.values() if isinstance(tool, CustomTool))
    return Promise(
        must_call=offer.mode == "required",
        only=offer.names if offer.chosen else None,
        single=legacy or request.parallel_tool_calls is False,
        legacy=legacy,
        custom=frozenset(custom),
    )


def chat_endpoint(tagger: Tagger) -> Endpoint[bytes]:
    """Return the endpoint of chats, served by ``POST /chat/completions``; ``tagger`` knows whose answers are."""
    return Endpoint(
        operation="chat",
        needs="chat",
        path="/chat/completions",
        read=read,
        begin=partial(begin, tagger=tagger),
    )

"""The endpoints of responses: read a request, and make the job that answers it, or counts what it holds."""

from collections.abc import Mapping

from msgspec import Raw
from msgspec.structs import replace

from gateway.errors import InvalidRequest
from gateway.openai.responses import items
from gateway.openai.responses.content import SpokenInput
from gateway.openai.responses.requests import CreateResponse
from gateway.translate.endpoint import Context, Endpoint, Incoming
from gateway.translate.requests import Reader
from gateway.translate.responses import kept
from gateway.translate.responses.conversation import calls_without_reasoning
from gateway.translate.responses.counting import CountJob
from gateway.translate.responses.frame import Frame, is_summarised
from gateway.translate.responses.job import ResponseJob, Script
from gateway.translate.responses.kinds import read_items
from gateway.translate.responses.output import Making
from gateway.translate.responses.params import SEALED, SOURCES
from gateway.translate.responses.request import Asked
from gateway.translate.responses.sealing import Sealer
from gateway.translate.responses.tools import Named
from gateway.translate.responses.understanding import understand

MEMORY = "responses"

read_request = Reader(CreateResponse).read


def responses_endpoint(sealer: Sealer, *, keeps: bool) -> Endpoint[bytes]:
    """Return ``POST /v1/responses``, served by Zhipu's chat; ``keeps`` is whether responses can be kept."""
    made = Responses(sealer, keeps=keeps)
    return Endpoint(
        operation="responses",
        path="/chat/completions",
        read=read,
        begin=made.begin,
        needs="chat",
        memory=MEMORY,
    )


def input_tokens_endpoint(sealer: Sealer) -> Endpoint[bytes]:
    """Return ``POST /v1/responses/input_tokens``: takes what a response takes, served by Zhipu's tokenizer."""

    def begin(incoming: Incoming, context: Context) -> CountJob:
        understood = understand(incoming.request, present=incoming.present, context=context, sealer=sealer)
        return CountJob(understood, model=context.model)

    return Endpoint(
        operation="input_tokens",
        path="/tokenizer",
        read=lambda body: replace(read(body), stream=False),
        begin=begin,
        needs="chat",
        memory=MEMORY,
    )


def read(body: bytes) -> Incoming:
    """Return the request in ``body``; raise InvalidRequest naming the field that is wrong."""
    request, present = read_request(body)
    raws = raws_of(request)
    asked = Asked(request=request, raws=raws, listed=read_items(raws))
    keys = wanted(asked)
    return Incoming(
        request=asked,
        present=present,
        model=request.model,
        stream=bool(request.stream),
        recall=lambda _: keys,
        heavy=any(map(is_heard, asked.listed)),
        builds_on_it=request.previous_response_id is not None
        or any(isinstance(item, items.Reference) for item in asked.listed),
    )


def is_heard(item: items.Item) -> bool:
    """Tell whether a recording is in an item, which takes long to convert."""
    if not isinstance(item, items.InputMessage) or isinstance(item.content, str):
        return False
    return any(isinstance(part, SpokenInput) for part in item.content)


def is_background(body: bytes) -> bool:
    """Tell whether a request is for a response in the background; it is read only when it speaks of that."""
    return b'"background"' in body and bool(read_request(body)[0].background)


def raws_of(request: CreateResponse) -> list[Raw]:
    """Return the input as items; raise InvalidRequest when there is nothing at all to answer."""
    if isinstance(request.input, str):
        return [kept.said_by_user(request.input)]
    if not request.input and request.previous_response_id is None:
        raise InvalidRequest(
            "Missing required parameter: 'input'. Give a string or a list of items.",
            param="input",
            code="missing_required_parameter",
        )
    return request.input or []


def wanted(asked: Asked) -> list[str]:
    """Return the keys of what a request builds upon: earlier responses, and the reasoning behind its calls."""
    owners = (kept.response_id(item.id) for item in asked.listed if isinstance(item, items.Reference))
    keys = [asked.request.previous_response_id, *owners, *calls_without_reasoning(asked.listed)]
    return list(dict.fromkeys(key for key in keys if key))


class Responses:
    """Makes the jobs of requests; ``sealer`` closes and opens the envelopes of reasoning."""

    def __init__(self, sealer: Sealer, *, keeps: bool) -> None:
        self._sealer = sealer
        self._keeps = keeps

    def begin(self, incoming: Incoming, context: Context) -> ResponseJob:
        """Return the job for a request; raise InvalidRequest or ResponseNotFound for what cannot be done."""
        request: CreateResponse = incoming.request.request
        check_background(request, keeps=self._keeps)
        understood = understand(incoming.request, present=incoming.present, context=context, sealer=self._sealer)
        wants_keeping = request.store is not False
        script = Script(
            frame=Frame(request, context),
            making=self._making(request, context, understood.rewritten.names),
            rewritten=understood.rewritten,
            context=understood.items if wants_keeping and self._keeps else None,
        )
        return ResponseJob(
            script,
            requests=[understood.chat.asked],
            plan=understood.chat.plan,
            ignored=[*understood.ignored, *(["store"] if wants_keeping and not self._keeps else [])],
        )

    def _making(self, request: CreateResponse, context: Context, names: Mapping[str, Named]) -> Making:
        include = request.include or ()
        return Making(
            id=context.id,
            names=names,
            summarised=is_summarised(request),
            seal=(lambda text: self._sealer.seal(text, tenant=context.tenant)) if SEALED in include else None,
            sources=SOURCES in include,
        )


def check_background(request: CreateResponse, *, keeps: bool) -> None:
    """Raise InvalidRequest for a response in the background that nobody could fetch."""
    if not request.background:
        return
    if request.stream:
        raise InvalidRequest(
            "A response in the background is fetched by its id. Leave 'stream' out, or 'background'.",
            param="stream",
            code="unsupported_value",
        )
    if request.store is False or not keeps:
        reason = "This gateway keeps none." if not keeps else "Leave 'store' out."
        raise InvalidRequest(
            f"A response in the background has to be kept until it is fetched. {reason}",
            param="background" if not keeps else "store",
            code="unsupported_value",
        )

"""A request for a response as the request for a chat that it is, and where each part of that came from."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Raw, Struct

from gateway.errors import GatewayError, InvalidRequest
from gateway.openai.chat import requests as chat
from gateway.openai.responses import content, items
from gateway.openai.responses.requests import CreateResponse
from gateway.translate.responses.conversation import Conversation, Unseal
from gateway.translate.responses.tools import Named, chosen, toolbox_of

MESSAGE = re.compile(r"^messages\[(\d+)\](?:\.content)?")
TOOL = re.compile(r"^tools\[(\d+)\](?:\.function|\.custom)?")

FIELDS = {
    "messages": "input",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
    "response_format": "text.format",
    "response_format.json_schema.schema": "text.format.schema",
}
"""What a field of chat is called here, where the two differ."""


class Asked(Struct, frozen=True, kw_only=True):
    """A request that was read; ``listed`` are its items in the form in which they are kept."""

    request: CreateResponse
    raws: Sequence[Raw]
    listed: Sequence[items.Item]


class Origin(Struct, frozen=True, kw_only=True):
    """Where messages and tools of a chat came from, by their places in it."""

    messages: Sequence[str]
    tools: Sequence[str]

    def field(self, name: str) -> str:
        """Return the name here of a field of the chat."""
        if (found := MESSAGE.match(name)) is not None and int(found[1]) < len(self.messages):
            place = self.messages[int(found[1])]
            rest = name[found.end() :]
            return f"{place}.content{rest}" if rest.startswith("[") else f"{place}{rest}"
        if (found := TOOL.match(name)) is not None and int(found[1]) < len(self.tools):
            return f"{self.tools[int(found[1])]}{name[found.end() :]}"
        return FIELDS.get(name, name)

    def blame(self, error: GatewayError) -> GatewayError:
        """Point an error at the field of the response's request; return the error."""
        if error.param is not None:
            error.param = self.field(error.param)
        return error


class Rewritten(Struct, frozen=True, kw_only=True):
    """
    The chat that a response is made by.

    ``present`` are the names of its fields that mean something. ``names`` gives the caller's name of each tool
    that GLM knows by another.
    """

    request: chat.CreateChatCompletionRequest
    present: Collection[str]
    origin: Origin
    names: Mapping[str, Named]
    ignored: Sequence[str]


def rewrite(request: CreateResponse, pairs: Sequence[tuple[str, items.Item]], *, unseal: Unseal) -> Rewritten:
    """
    Return the chat for a request and all items of its conversation, each with its place.

    Raises InvalidRequest, naming the field, for what GLM cannot do.
    """
    box = toolbox_of(request.tools or ())
    offered, choice = chosen(box, request.tool_choice)
    conversation = Conversation(unseal=unseal)
    if instructions := "\n\n".join(filter(None, [request.instructions, *box.notes])):
        conversation.instruct(instructions, place="instructions")
    conversation.add(pairs)
    conversation.finish()
    if not conversation.messages:
        raise InvalidRequest("'input' holds nothing to answer. Give it text or items.", param="input")
    fields = fields_of(request) | {"messages": conversation.messages}
    if offered:
        fields |= {"tools": [box.tools[index] for index in offered]}
        fields |= {"tool_choice": choice} if choice is not None else {}
    elif choice == "required":
        raise InvalidRequest(
            "'tool_choice' asks for a call, but 'tools' holds nothing to call.", param="tool_choice"
        )
    return Rewritten(
        request=chat.CreateChatCompletionRequest(**fields),
        present=list(fields),
        origin=Origin(messages=conversation.places, tools=[box.places[index] for index in offered]),
        names=box.names,
        ignored=box.ignored,
    )


def fields_of(request: CreateResponse) -> dict[str, Any]:
    """Return the fields that the chat shares with the response, under chat's names, where they were given."""
    text = request.text or content.TextConfig()
    fields: dict[str, Any] = {
        "model": request.model,
        "stream": request.stream,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_completion_tokens": request.max_output_tokens,
        "parallel_tool_calls": request.parallel_tool_calls,
        "reasoning_effort": request.reasoning.effort if request.reasoning is not None else None,
        "response_format": format_of(text.format),
        "verbosity": text.verbosity,
        "user": request.user,
        "safety_identifier": request.safety_identifier,
        "do_sample": request.do_sample,
        "request_id": request.request_id,
        "thinking": request.thinking,
        "tool_stream": request.tool_stream,
        "user_id": request.user_id,
    }
    return {name: value for name, value in fields.items() if value is not None}


def format_of(asked: content.Format | None) -> chat.ResponseFormat | None:
    match asked:
        case content.SchemaFormat(name=name, schema=schema, description=description):
            return chat.JsonSchemaFormat(
                json_schema=chat.JsonSchema(name=name, schema=schema, description=description)
            )
        case content.AnyJsonFormat():
            return chat.JsonObjectFormat()
        case _:
            return None

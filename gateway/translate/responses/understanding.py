"""What a request means: with all that it builds upon, in the terms of a chat."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Raw, Struct

from gateway.errors import GatewayError
from gateway.openai.responses import items
from gateway.openai.responses.requests import CreateResponse
from gateway.translate.chat import endpoint as chat
from gateway.translate.endpoint import Context
from gateway.translate.params import map_params
from gateway.translate.responses import kept
from gateway.translate.responses.kinds import read_item, read_items
from gateway.translate.responses.params import RESPONSES
from gateway.translate.responses.request import Asked, Rewritten, rewrite
from gateway.translate.responses.sealing import Sealer

PREVIOUS = "previous_response_id"


class Understood(Struct, frozen=True, kw_only=True):
    """
    A request in the terms of a chat.

    ``items`` are those of its conversation, oldest first, as they came. ``ignored`` names what was accepted
    without effect.
    """

    items: Sequence[Raw]
    rewritten: Rewritten
    chat: chat.Prepared
    ignored: Sequence[str]


def understand(asked: Asked, *, present: Collection[str], context: Context, sealer: Sealer) -> Understood:
    """Return what a request means; raise InvalidRequest or ResponseNotFound, naming the field that is wrong."""
    request = asked.request
    draft = map_params(request, present=present, table=RESPONSES, context=context, strict=context.strict)
    earlier, own = before(request, context.recalled), resolved(asked, context.recalled)
    pairs = [
        *((PREVIOUS, item) for item in read_items(earlier, place=PREVIOUS)),
        *((f"input[{index}]", item) for index, (_, item) in enumerate(own)),
    ]
    rewritten = rewrite(request, pairs, unseal=lambda envelope: sealer.unseal(envelope, tenant=context.tenant))
    try:
        prepared = chat.prepare(rewritten.request, present=rewritten.present, context=context, strict=False)
    except GatewayError as error:
        raise rewritten.origin.blame(error) from None
    return Understood(
        items=[*earlier, *(raw for raw, _ in own)],
        rewritten=rewritten,
        chat=prepared,
        ignored=[*draft.ignored, *rewritten.ignored, *map(rewritten.origin.field, prepared.ignored)],
    )


def before(request: CreateResponse, known: Mapping[str, str]) -> list[Raw]:
    """Return the items of the conversation that a request goes on with."""
    if request.previous_response_id is None:
        return []
    return kept.conversation_of(request.previous_response_id, known, param=PREVIOUS)


def resolved(asked: Asked, known: Mapping[str, str]) -> list[tuple[Raw, items.Item]]:
    """Return the items of the request, each reference replaced by what it means."""
    own = []
    for index, (raw, item) in enumerate(zip(asked.raws, asked.listed, strict=True)):
        if isinstance(item, items.Reference):
            place = f"input[{index}]"
            found = kept.item_of(item.id, known, param=f"{place}.id")
            own.append((found, read_item(found, param=place)))
        else:
            own.append((raw, item))
    return own

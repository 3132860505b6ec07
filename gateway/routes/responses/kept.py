"""Responses that are kept: fetched, cancelled, deleted, and what they were made from. Each tenant sees its own."""

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, route
from litestar.handlers import HTTPRouteHandler

from gateway.errors import InvalidRequest, StoreUnavailable
from gateway.openai.responses.answers import DeletedResponse
from gateway.routes.front import Front
from gateway.routes.responses.background import Background, stopped
from gateway.translate.responses import kept
from gateway.translate.responses.kept import Kept

KEPT = "kept_responses"
"""What records call the requests for what is kept."""

PATH = "/responses/{response_id:str}"
UNDER_WAY = ("queued", "in_progress")
MAX_PAGE = 100
DEFAULT_PAGE = 20

encode = msgspec.json.Encoder().encode


def kept_routes(front: Front, background: Background) -> list[HTTPRouteHandler]:
    """Return the routes of what is kept."""
    shelf = Shelf(front, background)

    @get([f"/v1{PATH}", PATH], name="getResponse")
    async def get_response(request: Request[Any, Any, Any]) -> Response[bytes]:
        owner = await shelf.owner(request)
        if request.query_params.get("stream", "").lower() in ("true", "1"):
            raise InvalidRequest(
                "Events are not kept. Fetch the response without 'stream', until its status says that it is done.",
                param="stream",
                code="unsupported_value",
            )
        return answer(bytes((await shelf.find(owner, id_in(request))).response))

    @delete([f"/v1{PATH}", PATH], status_code=200, name="deleteResponse")
    async def delete_response(request: Request[Any, Any, Any]) -> Response[bytes]:
        await shelf.delete(await shelf.owner(request), id_in(request))
        return answer(encode(DeletedResponse(id=id_in(request))))

    # Litestar's own answer has only the first method of an address whose methods have a function each. It comes
    # from whichever of them is registered first, so this one has to be.
    @route([f"/v1{PATH}", PATH], http_method="OPTIONS", status_code=204, name="responseMethods")
    async def tell_methods() -> Response[None]:
        return Response(None, status_code=204, headers={"allow": "DELETE, GET, OPTIONS"})

    @post([f"/v1{PATH}/cancel", f"{PATH}/cancel"], status_code=200, name="cancelResponse")
    async def cancel_response(request: Request[Any, Any, Any]) -> Response[bytes]:
        return answer(bytes((await shelf.cancel(await shelf.owner(request), id_in(request))).response))

    @get([f"/v1{PATH}/input_items", f"{PATH}/input_items"], name="listInputItems")
    async def list_input_items(request: Request[Any, Any, Any]) -> Response[bytes]:
        found = await shelf.find(await shelf.owner(request), id_in(request))
        query = request.query_params
        page = kept.page(
            kept.listed(found),
            order=order_of(query.get("order", "desc")),
            after=query.get("after"),
            limit=limit_of(query.get("limit", str(DEFAULT_PAGE))),
        )
        return answer(encode(page))

    return [tell_methods, get_response, delete_response, cancel_response, list_input_items]


class Shelf:
    """Where responses are kept, as their owners see it."""

    def __init__(self, front: Front, background: Background) -> None:
        self._front = front
        self._background = background

    async def owner(self, request: Request[Any, Any, Any]) -> str:
        """Return the name of the tenant that asks; raise AuthenticationFailed or KeysUnavailable."""
        return (await self._front.authenticate(request.scope, operation=KEPT)).name

    async def find(self, tenant: str, response_id: str) -> Kept:
        """Return a response, as a failed one if its process died; raise ResponseNotFound or StoreUnavailable."""
        if not kept.RESPONSE_ID.fullmatch(response_id):
            raise kept.not_found(response_id)
        text, is_left = await self._background.find(tenant, response_id)
        if text is None:
            raise kept.not_found(response_id)
        found = kept.read(text)
        is_dead = is_left and kept.glimpse_of(found).status in UNDER_WAY
        return kept.ended(found, error=stopped()) if is_dead else found

    async def delete(self, tenant: str, response_id: str) -> None:
        """Keep a response no longer; raise ResponseNotFound, StoreUnavailable, InvalidRequest while it is made."""
        found = kept.glimpse_of(await self.find(tenant, response_id))
        if found.status in UNDER_WAY:
            raise InvalidRequest(
                "The response is still being made. Cancel it before it is deleted.", code="response_not_done"
            )
        if not await self._background.memory.forget(tenant, [response_id]):
            raise StoreUnavailable("The response may still be kept. Delete it again shortly.")

    async def cancel(self, tenant: str, response_id: str) -> Kept:
        """Stop a response in the background and return it; one that is done stays as it is."""
        found = await self.find(tenant, response_id)
        seen = kept.glimpse_of(found)
        if not seen.background:
            raise InvalidRequest(
                "Only a response in the background can be cancelled; hang up to end another.",
                code="not_in_background",
            )
        if seen.status not in UNDER_WAY:
            return found
        await self._background.cancel(tenant, response_id)
        latest = await self.find(tenant, response_id)
        if kept.glimpse_of(latest).status not in UNDER_WAY:
            return latest
        cancelled = kept.ended(found, error=None)
        await self._background.memory.remember(tenant, {response_id: kept.write(cancelled)})
        return cancelled


def id_in(request: Request[Any, Any, Any]) -> str:
    response_id: str = request.path_params["response_id"]
    return response_id


def answer(data: bytes) -> Response[bytes]:
    return Response(data, media_type="application/json")


def order_of(text: str) -> str:
    if text not in ("asc", "desc"):
        raise InvalidRequest("'order' is 'asc' or 'desc'.", param="order", code="invalid_value")
    return text


def limit_of(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidRequest(f"'limit' is a number from 1 to {MAX_PAGE}.", param="limit", code="invalid_value")
    return int(text)

"""``GET /v1/models`` and ``GET /v1/models/{model}``: the catalogue, as Zhipu's own list knows chat models only."""

from typing import Any

from litestar import HttpMethod, Request, route
from litestar.handlers import HTTPRouteHandler

from gateway.catalog import Model
from gateway.openai import models as openai
from gateway.routes.front import Front
from gateway.routes.middleware import exchange_of

OPERATION = "models"
OWNER = "zhipu"
READING: tuple[HttpMethod, ...] = (HttpMethod.GET, HttpMethod.HEAD)


def model_routes(front: Front) -> list[HTTPRouteHandler]:
    """Return the routes of the model list."""

    @route(["/v1/models", "/models"], http_method=READING, name="listModels")
    async def list_models(request: Request[Any, Any, Any]) -> openai.ListModelsResponse:
        caller = await front.authenticate(request.scope, operation=OPERATION)
        models = exchange_of(request.scope).terms.catalog.models
        found = [model for model in models if caller.models is None or model.id in caller.models]
        return openai.ListModelsResponse(data=[to_openai(model) for model in found])

    @route(["/v1/models/{model:path}", "/models/{model:path}"], http_method=READING, name="retrieveModel")
    async def retrieve_model(request: Request[Any, Any, Any]) -> openai.Model:
        caller = await front.authenticate(request.scope, operation=OPERATION)
        name: str = request.path_params["model"].removeprefix("/")
        return to_openai(exchange_of(request.scope).terms.find_model(name, caller))

    return [list_models, retrieve_model]


def to_openai(model: Model) -> openai.Model:
    return openai.Model(id=model.id, created=model.created, owned_by=OWNER)

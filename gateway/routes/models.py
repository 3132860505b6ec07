"""``GET /v1/models`` and ``GET /v1/models/{model}``, from the catalogue: Zhipu's own list knows chat models only."""

from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.auth import Caller
from gateway.catalog import Model
from gateway.errors import ModelNotFound
from gateway.openai import models as openai
from gateway.routes.front import Front

OWNER = "zhipu"


def model_routes(front: Front) -> list[HTTPRouteHandler]:
    """Return the routes of the model list."""

    @get(["/v1/models", "/models"], name="listModels")
    async def list_models(request: Request[Any, Any, Any]) -> openai.ListModelsResponse:
        caller = front.authenticate(request.scope)
        found = [to_openai(model) for model in front.desk.catalog.models if may_use(caller, model)]
        return openai.ListModelsResponse(data=found)

    @get(["/v1/models/{model:path}", "/models/{model:path}"], name="retrieveModel")
    async def retrieve_model(request: Request[Any, Any, Any], model: str) -> openai.Model:
        caller = front.authenticate(request.scope)
        found = front.desk.catalog.resolve(model.removeprefix("/"))
        if not may_use(caller, found):
            raise ModelNotFound(f"Your key may not use {found.id}; 'GET /v1/models' lists what it may.")
        return to_openai(found)

    return [list_models, retrieve_model]


def may_use(caller: Caller, model: Model) -> bool:
    return caller.models is None or model.id in caller.models


def to_openai(model: Model) -> openai.Model:
    return openai.Model(id=model.id, created=model.created, owned_by=OWNER)

"""``GET /livez`` and ``GET /readyz``, and a root that says what this is; none of them asks for a key."""

from collections.abc import Callable

from litestar import MediaType, Response, route
from litestar.handlers import HTTPRouteHandler

from gateway import __version__


def health_routes(is_draining: Callable[[], bool]) -> list[HTTPRouteHandler]:
    """Return the probes; ``is_draining`` tells whether this process was told to stop."""

    @route("/livez", http_method=["GET", "HEAD"], media_type=MediaType.TEXT, name="livez")
    async def livez() -> str:
        return "ok"

    @route("/readyz", http_method=["GET", "HEAD"], media_type=MediaType.TEXT, name="readyz")
    async def readyz() -> Response[str]:
        if is_draining():
            return Response("draining", status_code=503, media_type=MediaType.TEXT)
        return Response("ok", media_type=MediaType.TEXT)

    @route("/", http_method=["GET", "HEAD"], name="root")
    async def root() -> dict[str, str]:
        return {"name": "glm-gateway", "version": __version__, "openai_base_path": "/v1"}

    return [livez, readyz, root]

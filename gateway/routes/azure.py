"""
Azure's addresses of the same routes, which OpenAI's SDKs ask when they are opened as Azure's clients.

Source: openai-python, ``lib/azure.py``: ``/openai/deployments/{name}/…``, and ``/deployments/{name}/…`` below a
base address of the caller's own; ``/openai/…`` for what has no deployment; ``/openai/v1/…`` of Azure's newer
clients. The ``api-version`` behind them changes nothing.
"""

import re
from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import Raw

DEPLOYMENT = "deployment"
"""Under this name the state of a request holds the model that its address names."""

AZURE = re.compile(
    r"(?:/v1|/openai)?/deployments/(?P<deployment>[^/]+)(?P<deployed>/.+)|/openai(?:/v1)?(?P<rest>/.+)"
)

decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


class AzureAddresses:
    """Serves what is asked for by Azure's address as ``app`` serves it by OpenAI's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; not every kind has a path."""
        asked = AZURE.fullmatch(str(scope.get("path")))
        if asked is not None:
            scope["path"] = f"/v1{asked['deployed'] or asked['rest']}"
            scope["raw_path"] = scope["path"].encode()
            if asked[DEPLOYMENT]:
                scope["state"][DEPLOYMENT] = asked[DEPLOYMENT]
        await self._app(scope, receive, send)


def deployment_of(scope: Scope) -> str | None:
    """Return the model that the address names, as it is Azure's; None where the body names it."""
    name: str | None = scope.get("state", {}).get(DEPLOYMENT)
    return name


async def naming(reading: Awaitable[bytes], model: str) -> bytes:
    """Return the JSON object that is read with this model, whatever it names itself; what is none, as it is."""
    body = await reading
    try:
        members: dict[str, Any] = decode_members(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    return msgspec.json.encode(members | {"model": model})

"""The contract file, the routes, the Structs and the fate tables say the same."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema_rs
import pytest
import yaml
from msgspec import Struct
from openapi_spec_validator import validate

from gateway import errors
from gateway.app import create_gateway
from gateway.errors import GatewayError, SessionExpired
from gateway.openai.chat.requests import CreateChatCompletionRequest
from gateway.openai.completions import CreateCompletionRequest
from gateway.openai.responses.requests import CreateResponse
from gateway.settings import Settings
from gateway.translate.chat.params import CHAT
from gateway.translate.completions.params import COMPLETIONS
from gateway.translate.params import Table
from gateway.translate.responses.params import RESPONSES
from tests.contract.failures import EXAMPLES


def contents(document: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield where each body is, its media type, and what is said of it."""
    shared = document["components"]["responses"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bodies = {"body": operation.get("requestBody", {}), **operation["responses"]}
            for name, body in bodies.items():
                told = shared[body["$ref"].rpartition("/")[2]] if "$ref" in body else body
                for media_type, content in told.get("content", {}).items():
                    yield f"{method} {path} {name}", media_type, content


def leaves(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    """Yield the errors that callers can tell apart: the first down each branch that says when it is raised."""
    for one in kind.__subclasses__():
        if (one.__doc__ or "").strip().startswith("Raised"):
            yield one
        elif one.__module__ == errors.__name__:
            yield from leaves(one)


@pytest.fixture(scope="module")
def contract() -> ModuleType:
    spec = importlib.util.spec_from_file_location("openapi", Path(__file__).with_name("openapi.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_file_says_what_the_code_does(contract: ModuleType) -> None:
    """``make contract`` renews the file; whoever changes the code changes it in the same commit."""
    written = yaml.safe_load(contract.FILE.read_text("utf-8"))

    assert written == contract.document()


def test_the_file_is_valid_openapi(contract: ModuleType) -> None:
    """Any tool that reads OpenAPI 3.1 can read it."""
    validate(contract.document())


def test_every_schema_has_a_name_of_one_word(contract: ModuleType) -> None:
    """Two Structs of one name would be told by their modules, which are nobody's business and may move."""
    odd = [name for name in contract.document()["components"]["schemas"] if not name.isidentifier()]

    assert [] == odd


def test_every_route_is_in_the_file_and_no_other(contract: ModuleType) -> None:
    """With its methods, and without the prefix too."""
    app: Any = create_gateway(Settings()).app
    served = {
        (re.sub(r":\w+}", "}", route.path), method)
        for route in app._app._app._app.routes
        for method in route.methods - {"OPTIONS", "HEAD"}
    }
    told = {
        (prefix + path.removeprefix("/v1"), method.upper())
        for path, operations in contract.document()["paths"].items()
        for method in operations
        for prefix in ({"/v1", ""} if path.startswith("/v1/") else {""})
    }

    assert told == served


def test_every_example_is_as_its_schema_says(contract: ModuleType) -> None:
    document = contract.document()
    tried = 0
    for where, media_type, content in contents(document):
        for name, example in content.get("examples", {}).items():
            whole = {"components": document["components"], "allOf": [content["schema"]]}
            validator = jsonschema_rs.Draft202012Validator(whole)
            wrong = [
                f"{error.instance_path}: {error.message}" for error in validator.iter_errors(example["value"])
            ]

            assert not wrong, (where, media_type, name)
            tried += 1
    assert tried > 60


def test_every_operation_has_examples(contract: ModuleType) -> None:
    """A request, and an answer in each form, but for what is no text."""
    for where, media_type, content in contents(contract.document()):
        upload = media_type == "multipart/form-data" or ("audio/trans" in where and where.endswith("body"))
        if not upload and not media_type.startswith("audio/") and not where.endswith("default"):
            assert content.get("examples") or where == "get /readyz 503", (where, media_type)


def test_every_error_is_told_with_its_status(contract: ModuleType) -> None:
    """A class that is added to the taxonomy is added to the file, but for one that only calls are told."""
    told = contract.document()
    texts = {one["description"] for one in told["components"]["responses"].values()}

    assert set(leaves(GatewayError)) - {SessionExpired} == set(EXAMPLES)
    for kind in EXAMPLES:
        assert any(f"`{kind.default_code}`" in text for text in texts) or kind.default_code is None
    for path, operations in told["paths"].items():
        for operation in operations.values():
            answered = operation["responses"].keys()
            assert operation.get("security") == [] or {"400", "401", "500", "default"} <= answered, path
            assert "requestBody" not in operation or {"408", "413", "415"} <= answered, path


@pytest.mark.parametrize(
    ("table", "request_type"),
    [(CHAT, CreateChatCompletionRequest), (RESPONSES, CreateResponse), (COMPLETIONS, CreateCompletionRequest)],
)
def test_every_parameter_has_a_fate(table: Table, request_type: type[Struct]) -> None:
    """No field of a request can be dropped in silence."""
    assert set(table) == set(request_type.__struct_fields__)

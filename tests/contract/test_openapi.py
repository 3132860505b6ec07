"""The contract file, the routes, the Structs and the fate tables say the same."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from msgspec import Struct
from openapi_spec_validator import validate

from gateway.openai.chat import CreateChatCompletionRequest
from gateway.openai.completions import CreateCompletionRequest
from gateway.openai.responses.requests import CreateResponse
from gateway.translate.chat.params import CHAT
from gateway.translate.completions.params import COMPLETIONS
from gateway.translate.params import Table
from gateway.translate.responses.params import RESPONSES


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


@pytest.mark.parametrize(
    ("table", "request_type"),
    [(CHAT, CreateChatCompletionRequest), (RESPONSES, CreateResponse), (COMPLETIONS, CreateCompletionRequest)],
)
def test_every_parameter_has_a_fate(table: Table, request_type: type[Struct]) -> None:
    """No field of a request can be dropped in silence."""
    assert set(table) == set(request_type.__struct_fields__)

from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.openai.transcriptions import CreateTranscriptionRequest, CreateTranslationRequest
from gateway.translate.transcriptions.params import TRANSCRIPTIONS, TRANSLATIONS
from gateway.translate.transcriptions.upload import Upload, fields_of


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("keywords", "one")], {"keywords": ["one"]}),
        ([("keywords[]", "one"), ("keywords[]", "two")], {"keywords": ["one", "two"]}),
        ([("keywords[0]", "one"), ("keywords[1]", "two")], {"keywords": ["one", "two"]}),
        ([("hotwords", '["one", "two"]')], {"hotwords": ["one", "two"]}),
        ([("hotwords", "[unclosed")], {"hotwords": ["[unclosed"]}),
        ([("include[]", "")], {"include": []}),
        ([("c[type]", "server_vad"), ("c[threshold]", "0.5")], {"c": {"type": "server_vad", "threshold": "0.5"}}),
        ([("c", "auto"), ("c[type]", "x")], {"c": "auto"}),
        ([("[]", "x"), ("a[b][c]", "y")], {"[]": "x", "a[b][c]": "y"}),
    ],
)
def test_fields_of_a_form_have_plain_names(form: list[tuple[str, str]], fields: dict[str, Any]) -> None:
    assert fields == fields_of(form)


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("false", False), ("1", True), ("", None)]
)
def test_texts_of_a_form_become_what_the_field_is(text: str, value: bool | None) -> None:  # noqa: FBT001
    upload = Upload(fields={"model": "m", "stream": text, "temperature": "0.5"}, is_form=True, recording=None)

    request, present = upload.read(CreateTranscriptionRequest)

    assert (value, 0.5) == (request.stream, request.temperature)
    assert ("stream" in present) == (value is not None)


def test_json_is_taken_by_its_own_types() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Upload(fields={"model": "m", "stream": "true"}, is_form=False, recording=None).read(
            CreateTranscriptionRequest
        )

    assert ("stream", "invalid_type") == (refused.value.param, refused.value.code)


def test_what_is_missing_is_named() -> None:
    upload = Upload(fields={}, is_form=True, recording=None)

    with pytest.raises(InvalidRequest) as model:
        upload.read(CreateTranscriptionRequest)
    with pytest.raises(InvalidRequest) as file:
        upload.required_recording()

    assert ("model", "file") == (model.value.param, file.value.param)


def test_every_parameter_has_a_fate() -> None:
    """No field of a request can be dropped in silence."""
    assert set(TRANSCRIPTIONS) == set(CreateTranscriptionRequest.__struct_fields__)
    assert set(TRANSLATIONS) == set(CreateTranslationRequest.__struct_fields__)

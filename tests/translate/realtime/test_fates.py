"""The tables of fates: nothing that either side may send is without one."""

from typing import get_args

from gateway.glm.realtime import server as glm
from gateway.openai.realtime import client, server
from gateway.translate.realtime.fates import CLIENT_FATES, GLM_FATES
from gateway.translate.realtime.reading import CLIENT_EVENTS, GLM_EVENTS
from gateway.translate.realtime.reports import REPORTS
from gateway.translate.realtime.requests import REQUESTS

# docs.bigmodel.cn, GLM-Realtime, table of server events, and its diagrams; read 2026-11
DOCUMENTED = """
error session.created session.updated transcription_session.updated conversation.item.created
conversation.item.deleted conversation.item.retrieved conversation.item.input_audio_transcription.completed
conversation.item.input_audio_transcription.failed input_audio_buffer.committed input_audio_buffer.cleared
input_audio_buffer.speech_started input_audio_buffer.speech_stopped response.output_item.added
response.output_item.done response.content_part.added response.content_part.done
response.function_call_arguments.done response.function_call.simple_browser response.text.delta response.text.done
response.audio_transcript.delta response.audio_transcript.done response.audio.delta response.audio.done
response.created response.cancelled response.done rate_limits.updated heartbeat conversation.created
"""
OTHER_SPELLINGS = {"transcription.session.updated", "rate_limites.updated"}


def test_every_event_of_glm_has_a_fate() -> None:
    """All that is documented is read, in every spelling, and has a row."""
    assert {*DOCUMENTED.split(), *OTHER_SPELLINGS} == GLM_EVENTS.keys() == GLM_FATES.keys()


def test_every_event_of_a_client_has_a_fate() -> None:
    assert CLIENT_EVENTS.keys() == CLIENT_FATES.keys()


def test_every_event_of_either_side_is_dealt_with() -> None:
    """What a client sends is done or refused; what GLM sends is taken or has a fate that says it is not."""
    assert set(get_args(client.ClientEvent)) == REQUESTS.keys()
    assert set(get_args(glm.Received)) >= REPORTS.keys()


def test_clients_are_sent_names_that_they_know() -> None:
    """Today's names are GA's; beta's are its own, and both are those of the SDK's types."""
    assert set(server.NAMES.values()) <= sdk_names("openai.types.realtime")
    assert set(server.BETA_NAMES.values()) <= sdk_names("openai.types.beta.realtime")


def test_every_event_of_ours_has_a_name() -> None:
    """An event without a name would be dropped in silence."""
    kinds = {
        kind for kind in vars(server).values() if isinstance(kind, type) and issubclass(kind, server.ServerEvent)
    }
    assert kinds - {server.ServerEvent, server.PartEvent} == server.NAMES.keys()
    assert server.NAMES.keys() - server.BETA_NAMES.keys() == {server.ItemDone}


def test_vocabularies_have_each_event_once() -> None:
    assert len(CLIENT_EVENTS) == len(get_args(client.ClientEvent))
    assert len(GLM_EVENTS) == len(get_args(glm.Received))


def sdk_names(module: str) -> set[str]:
    import importlib  # noqa: PLC0415 - the two modules are found by name

    union = importlib.import_module(module).RealtimeServerEvent
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0] for member in members}

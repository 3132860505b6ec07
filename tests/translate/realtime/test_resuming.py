"""A session whose connection to GLM was lost, and that goes on with another."""

import base64

from tests.translate.realtime.play import Player, silence, tone


def test_session_and_conversation_are_told_again() -> None:
    """The new GLM gets the whole session and what was said; the response that was lost has failed."""
    player = Player()
    player.glm({"type": "session.updated"})
    change = {"type": "realtime", "instructions": "Be kind.", "audio": {"output": {"voice": "sage"}}}
    player.client({"type": "session.update", "session": change})
    player.glm({"type": "session.updated"})
    part = {"type": "input_text", "text": "Hello?"}
    player.client(
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [part]}}
    )
    player.client({"type": "response.create"})
    player.glm({"type": "response.created", "response": {"id": "r"}})
    player.glm({"type": "response.audio_transcript.delta", "response_id": "r", "delta": "Hi"})
    player.take()

    assert player.translator.resumable
    player.resume()

    sent = player.take()
    update, first, second = (event for side, event in sent if side == ">glm")
    told = update["session"]
    assert ("Be kind.\n\nWhat was said so far:\nUser: Hello?", "female-shaonv") == (
        told["instructions"],
        told["voice"],
    )
    assert [{"type": "input_text", "text": "Hello?"}] == first["item"]["content"]
    assert ("user", "assistant") == (first["item"]["role"], second["item"]["role"])
    done = player.told[-1]
    assert ("response.done", "failed") == (done["type"], done["response"]["status"])
    assert "upstream_unavailable" == done["response"]["status_details"]["error"]["code"]
    assert not player.translator.resumable


def test_response_that_had_not_begun_is_asked_for_again() -> None:
    """Nothing was lost for the client, which does not notice."""
    player = Player()
    player.glm({"type": "session.updated"})
    player.client({"type": "response.create"})
    player.take()

    player.resume()
    player.glm({"type": "session.updated"})

    assert [">glm session.update", ">glm response.create"] == [
        f"{side} {event['type']}" for side, event in player.take()
    ]


def test_output_of_a_function_that_a_lost_glm_called_is_told_in_words() -> None:
    """The new GLM has made no call: it would refuse an output, or take it for that of its own next call."""
    player = Player()
    player.glm({"type": "session.updated"})
    player.client({"type": "response.create"})
    player.glm({"type": "response.created", "response": {"id": "r"}})
    for name in ("weather", "time"):
        player.glm({"type": "response.function_call_arguments.done", "response_id": "r", "name": name})
    player.glm({"type": "response.done", "response": {"id": "r", "status": "completed"}})
    weather, clock = (item["call_id"] for item in player.told[-1]["response"]["output"])
    give(player, clock, "noon")
    player.take()

    player.resume()

    update, told = (event for side, event in player.take() if side == ">glm")
    assert "The call of time has given: noon" in update["session"]["instructions"]
    assert ["The call of time has given: noon"] == [part["text"] for part in told["item"]["content"]]
    player.glm({"type": "session.updated"})
    give(player, weather, "rain")
    player.client({"type": "response.create"})
    late, asked = (event for side, event in player.take() if side == ">glm")
    assert ["The call of weather has given: rain"] == [part["text"] for part in late["item"]["content"]]
    assert "response.create" == asked["type"]


def give(player: Player, call_id: str, output: str) -> None:
    """Give what a function has returned."""
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    player.client({"type": "conversation.item.create", "item": item})


def test_commit_that_was_lost_is_an_error() -> None:
    player = Player()
    player.glm({"type": "session.updated"})
    player.client({"type": "input_audio_buffer.append", "audio": "AQACAAMA"})
    player.client({"type": "input_audio_buffer.commit", "event_id": "c"})

    player.resume()

    assert ["c"] == [event["error"]["event_id"] for event in player.told if event["type"] == "error"]


def test_what_was_said_to_a_lost_glm_is_counted_and_its_turn_ended() -> None:
    """The client is not left waiting for the end of a turn of which the new GLM knows nothing."""
    player = Player()
    player.glm({"type": "session.updated"})
    player.client({"type": "input_audio_buffer.append", "audio": tone(1.0)})
    player.glm({"type": "input_audio_buffer.speech_started", "audio_start_ms": 100, "item_id": "a"})
    player.take()

    player.resume()

    (stopped,) = [event for side, event in player.take() if side == ">client"]
    assert ("input_audio_buffer.speech_stopped", 1000) == (stopped["type"], stopped["audio_end_ms"])
    assert 32_000 == player.translator.dropped_bytes


def test_moments_are_told_from_the_beginning_of_the_session() -> None:
    """A new GLM counts from its own, and one that was not sent everything counts less than was said."""
    player = Player()
    player.glm({"type": "session.updated"})
    for _ in range(3):
        player.client({"type": "input_audio_buffer.append", "audio": silence(1.0)})
        player.pass_time(1.0)
    player.resume()
    player.glm({"type": "session.updated"})
    player.client({"type": "input_audio_buffer.append", "audio": tone(1.0)})
    player.pass_time(1.0)
    player.glm({"type": "input_audio_buffer.speech_started", "audio_start_ms": 200, "item_id": "a"})
    player.glm({"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 900, "item_id": "a"})
    player.glm({"type": "input_audio_buffer.committed", "item_id": "a"})
    for tools in ([{"type": "function", "name": "f"}], []):
        player.client({"type": "session.update", "session": {"type": "realtime", "tools": tools}})
        player.glm({"type": "session.updated"})
        player.client({"type": "input_audio_buffer.append", "audio": silence(2.0)})
        player.pass_time(1.0)
    player.glm({"type": "input_audio_buffer.speech_started", "audio_start_ms": 1500, "item_id": "b"})

    assert [3200, 3900, 6500] == [
        event.get("audio_start_ms", event.get("audio_end_ms"))
        for event in player.told
        if "speech" in event["type"]
    ]


def test_client_that_sends_faster_than_glm_may_be_sent_has_to_wait() -> None:
    """Half a minute may wait to be sent; as it is sent there is room again, and nothing is lost."""
    player = Player()
    player.glm({"type": "session.updated"})
    was_full = []
    for _ in range(4):
        was_full.append(player.translator.full)
        player.client({"type": "input_audio_buffer.append", "audio": tone(10.0)})
    was_full.append(player.translator.full)
    player.pass_time(1.0)
    was_full.append(player.translator.full)
    player.pass_time(5.0)

    assert [False, False, False, False, True, False] == was_full
    sent = [event for event in player.asked if event["type"] == "input_audio_buffer.append"]
    assert 40 * 32_000 == sum(len(base64.b64decode(event["audio"])) for event in sent)
    assert 0 == player.translator.dropped_bytes

"""The gateway's own ear, and the sessions in which it decides when a turn ends."""

import base64
import json
from array import array
from typing import Any

import pytest

from gateway.openai.realtime.session import TurnDetection
from gateway.translate.realtime import Policy
from gateway.translate.realtime.turns import BLOCK_BYTES, MAX_TURN_MS, Ear
from tests.translate.realtime.play import Player, silence, tone

TURNS = TurnDetection(type="server_vad", silence_duration_ms=200, prefix_padding_ms=100)


def sound(seconds: float, *, level: int) -> bytes:
    return array("h", [level, -level] * int(seconds * 8_000)).tobytes()


def heard(ear: Ear, pcm: bytes, *, piece: int) -> tuple[list[str], int]:
    """Give what the ear says of sound in pieces of that size, and how many bytes it keeps."""
    said: list[str] = []
    kept = 0
    for position in range(0, len(pcm), piece):
        for part, what in ear.listen(pcm[position : position + piece]):
            kept += len(part)
            said += [what] if what else []
    return said, kept


@pytest.mark.parametrize("piece", [2, 640, 1000, 3200, 200_000])
def test_turn_is_what_is_loud_with_some_of_what_surrounds_it(piece: int) -> None:
    """It does not matter how the sound is cut."""
    ear = Ear(TURNS)
    pcm = sound(1, level=5) + sound(1, level=5000) + sound(1, level=5)

    said, kept = heard(ear, pcm, piece=piece)

    assert ["start", "stop"] == said
    assert 0.9 <= ear.start_ms / 1000 <= 1.0
    assert 2.2 == ear.end_ms / 1000
    assert (ear.end_ms - ear.start_ms) * 32 == kept


def test_click_is_no_turn() -> None:
    said, kept = heard(Ear(TURNS), sound(0.5, level=5) + sound(0.04, level=9000) + sound(0.5, level=5), piece=3200)

    assert ([], 0) == (said, kept)


def test_noise_of_the_place_is_no_turn() -> None:
    """What is always there is got used to, below the threshold; speech has to be louder than it."""
    ear = Ear(TURNS)
    said, _ = heard(ear, sound(4, level=250), piece=3200)
    assert [] == said

    said, _ = heard(ear, sound(0.5, level=600), piece=3200)
    assert [] == said

    said, _ = heard(ear, sound(0.5, level=4000), piece=3200)
    assert ["start"] == said


def test_turn_that_is_too_long_for_glm_is_cut() -> None:
    said, kept = heard(Ear(TURNS), sound(40, level=5000), piece=BLOCK_BYTES * 50)

    assert ["start", "stop", "start"] == said
    assert MAX_TURN_MS * 32 < kept <= 40 * 32_000


def test_turn_goes_on_by_other_rules() -> None:
    """Neither its beginning is lost nor its end, nor is time told anew."""
    ear = Ear(TURNS, heard_ms=10_000)
    said, _ = heard(ear, sound(1, level=5) + sound(1, level=5000), piece=3200)
    ear.obey(TurnDetection(type="server_vad", silence_duration_ms=400))
    ended, _ = heard(ear, sound(1, level=5), piece=3200)

    assert (["start"], ["stop"]) == (said, ended)
    assert (10_900, 12_400) == (ear.start_ms, ear.end_ms)


def session(**turns: Any) -> Player:
    """Give a session with a tool, in which GLM's own detection would hang."""
    player = Player(policy=Policy(turn_detection="auto"))
    player.glm({"type": "session.updated"})
    tools = [{"type": "function", "name": "f"}]
    detection = {"type": "server_vad", "silence_duration_ms": 200, **turns}
    change = {"type": "realtime", "tools": tools, "audio": {"input": {"turn_detection": detection}}}
    player.client({"type": "session.update", "session": change})
    player.glm({"type": "session.updated"})
    player.take()
    return player


def speak(player: Player, *pieces: str) -> None:
    for piece in pieces:
        player.pass_time(0.1)
        player.client({"type": "input_audio_buffer.append", "audio": piece})


def names(player: Player) -> list[str]:
    """Give what was sent since the last look, without the frames."""
    return [
        f"{side} {event['type']}" for side, event in player.take() if event["type"] != "input_audio_buffer.append"
    ]


def test_gateway_ends_the_turn_where_there_are_tools() -> None:
    """GLM is told that the client decides, and gets the commit and the request that a client would send."""
    player = session()
    assert "turn_detection" not in player.asked[-1]["session"]

    speak(player, *[silence(0.1)] * 5)
    assert [] == names(player)
    speak(player, *[tone(0.1)] * 5)
    assert [">client input_audio_buffer.speech_started"] == names(player)
    speak(player, *[silence(0.1)] * 3)
    assert [
        ">client input_audio_buffer.speech_stopped",
        ">glm input_audio_buffer.commit",
    ] == names(player)

    player.glm({"type": "input_audio_buffer.committed", "item_id": "i"})
    assert [
        ">client input_audio_buffer.committed",
        ">client conversation.item.added",
        ">client conversation.item.done",
        ">glm response.create",
    ] == names(player)
    ids = {event["item_id"] for event in player.told if event["type"].startswith("input_audio_buffer.")}
    assert 1 == len(ids)


@pytest.mark.parametrize("kind", ["realtime", "transcription"])
def test_rules_change_in_the_middle_of_a_turn(kind: Any) -> None:
    """What has begun is ended by the new rules, under the same id; moments are told from the call's beginning."""
    player = Player(policy=Policy(turn_detection="local"), kind=kind)
    player.glm({"type": "session.updated"})
    speak(player, *[silence(0.1)] * 10, *[tone(0.1)] * 5)
    detection = {"type": "server_vad", "silence_duration_ms": 200}
    change = {"type": kind, "audio": {"input": {"turn_detection": detection}}}
    player.client({"type": "session.update", "session": change})
    player.glm({"type": "session.updated"})
    speak(player, *[silence(0.1)] * 3)

    started, stopped = (event for event in player.told if "speech" in event["type"])
    assert (started["item_id"], 700, 1700) == (
        stopped["item_id"],
        started["audio_start_ms"],
        stopped["audio_end_ms"],
    )


def test_turn_that_the_client_ends_does_not_end_again() -> None:
    """It was all said: the silence after it is no turn of its own, and what is said then is a new one."""
    player = session()
    speak(player, *[tone(0.1)] * 5)
    player.client({"type": "input_audio_buffer.commit"})
    player.glm({"type": "input_audio_buffer.committed", "item_id": "i"})
    speak(player, *[silence(0.1)] * 5, *[tone(0.1)] * 5)

    assert [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.committed",
        "input_audio_buffer.speech_started",
    ] == [event["type"] for event in player.told if event["type"].startswith("input_audio_buffer.")]
    assert 1 == [event["type"] for event in player.asked].count("input_audio_buffer.commit")


def test_moments_are_told_from_the_beginning_whoever_listens() -> None:
    """Here GLM did until there were tools."""
    player = Player()
    player.glm({"type": "session.updated"})
    speak(player, *[silence(0.1)] * 20)
    change = {"type": "realtime", "tools": [{"type": "function", "name": "f"}]}
    player.client({"type": "session.update", "session": change})
    player.glm({"type": "session.updated"})
    speak(player, *[tone(0.1)] * 5)

    assert [2000] == [event["audio_start_ms"] for event in player.told if "speech_started" in event["type"]]


@pytest.mark.parametrize("change", [{"audio": {"input": {"turn_detection": None}}}, {"tools": [{"name": "f"}]}])
def test_silence_before_does_not_count_when_glm_detects_no_turns_any_more(change: Any) -> None:
    """A turn has 30 s at most, and GLM has heard a minute of nothing by then that it never took for a turn."""
    player = Player()
    player.glm({"type": "session.updated"})
    speak(player, *[silence(0.1)] * 600)
    player.client({"type": "session.update", "session": {"type": "realtime", **change}})
    assert ["session.update", "input_audio_buffer.clear"] == [event["type"] for event in player.asked[-2:]]
    player.glm({"type": "session.updated"})
    speak(player, *[tone(0.1)] * 10)
    player.client({"type": "input_audio_buffer.commit"})

    assert "input_audio_buffer.commit" == player.asked[-1]["type"]
    assert "error" not in [event["type"] for event in player.told]


def test_what_was_said_at_once_is_kept_when_glm_detects_no_turns_any_more() -> None:
    """A recording may be appended whole before its client says that it ends turns itself."""
    player = Player()
    player.glm({"type": "session.updated"})
    player.client({"type": "input_audio_buffer.append", "audio": tone(20.0)})
    change = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    player.client({"type": "session.update", "session": change})
    player.glm({"type": "session.updated"})
    player.client({"type": "input_audio_buffer.commit"})

    frames = [event["audio"] for event in player.asked if event["type"] == "input_audio_buffer.append"]
    assert 20 * 32_000 == sum(len(base64.b64decode(frame)) for frame in frames)
    assert "input_audio_buffer.clear" not in [event["type"] for event in player.asked]


def test_speech_interrupts_what_is_spoken() -> None:
    """As GLM would: the response ends for the client, and GLM is told to stop."""
    player = session()
    player.client({"type": "response.create"})
    player.glm({"type": "response.created", "response": {"id": "r"}})
    player.take()

    speak(player, *[tone(0.1)] * 2)

    assert [
        ">client input_audio_buffer.speech_started",
        ">glm response.cancel",
        ">client response.done",
    ] == names(player)
    details = player.told[-1]["response"]["status_details"]
    assert {"type": "cancelled", "reason": "turn_detected"} == details


def test_nothing_is_done_that_the_client_wants_to_do_itself() -> None:
    """Neither a response nor an interruption where both are switched off."""
    player = session(create_response=False, interrupt_response=False)
    player.client({"type": "response.create"})
    player.glm({"type": "response.created", "response": {"id": "r"}})
    player.take()

    speak(player, *[tone(0.1)] * 3, *[silence(0.1)] * 4)
    player.glm({"type": "input_audio_buffer.committed", "item_id": "i"})
    player.glm({"type": "response.done", "response": {"id": "r"}})

    assert "response.cancel" not in json.dumps(player.asked)
    assert 1 == [event["type"] for event in player.asked].count("response.create")


def test_glm_detects_no_turns_while_it_is_given_a_recording() -> None:
    """It takes no commit otherwise; afterwards it does as before."""
    player = Player()
    player.glm({"type": "session.updated"})
    part = {"type": "input_audio", "audio": tone(0.2)}
    player.client(
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [part]}}
    )

    assert [True, False, "append", "commit", True] == [
        "turn_detection" in event["session"] if event["type"] == "session.update" else event["type"].split(".")[1]
        for event in player.asked
    ]


def test_glm_detects_no_turns_while_it_takes_one_that_the_client_ends() -> None:
    """A client may end a turn itself wherever turns are detected; of one that is empty GLM is told nothing."""
    player = Player()
    player.glm({"type": "session.updated"})
    player.client({"type": "input_audio_buffer.commit", "event_id": "empty"})
    player.client({"type": "input_audio_buffer.append", "audio": tone(0.05)})
    player.client({"type": "input_audio_buffer.commit", "event_id": "c"})

    assert [True, False, "append", "commit", True] == [
        "turn_detection" in event["session"] if event["type"] == "session.update" else event["type"].split(".")[1]
        for event in player.asked
    ]
    assert ["empty"] == [event["error"]["event_id"] for event in player.told if event["type"] == "error"]


def test_refused_commit_is_not_taken_for_a_refused_update() -> None:
    """GLM answers in the order in which it was asked, and does not say what it answers."""
    player = Player()
    player.glm({"type": "session.updated"})
    player.client({"type": "input_audio_buffer.append", "audio": tone(0.1)})
    player.client({"type": "input_audio_buffer.commit", "event_id": "c"})
    change = {"type": "realtime", "instructions": "Be kind."}
    player.client({"type": "session.update", "event_id": "u", "session": change})
    player.told.clear()

    player.glm({"type": "session.updated"})
    player.glm({"type": "error", "error": {"type": "invalid_request_error", "message": "no audio"}})
    player.glm({"type": "session.updated"})
    player.glm({"type": "session.updated"})
    player.pass_time(10)

    assert ["error", "session.updated"] == [event["type"] for event in player.told]
    error, updated = player.told
    assert ("c", "Be kind.") == (error["error"]["event_id"], updated["session"]["instructions"])


@pytest.mark.parametrize(("turns", "dropped"), [({"type": "server_vad"}, 1), (None, 0)])
def test_silence_before_a_recording_is_no_part_of_it(turns: Any, dropped: int) -> None:
    """It is where GLM has heard it and taken it for nothing; a client's own turn is not told to be dropped."""
    player = Player()
    player.glm({"type": "session.updated"})
    change = {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}
    player.client({"type": "session.update", "session": change})
    player.glm({"type": "session.updated"})
    speak(player, *[silence(0.1)] * 100)
    part = {"type": "input_audio", "audio": tone(0.2)}
    player.client(
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [part]}}
    )

    assert dropped == [event["type"] for event in player.asked].count("input_audio_buffer.clear")


@pytest.mark.parametrize("size", [0.02, 0.1, 0.5, 7.3])
def test_no_sample_is_lost_and_glm_is_never_sent_too_much(size: float) -> None:
    """Whatever a client's frames are, GLM gets all of them, in fewer than 50 messages a second."""
    player = Player()
    player.glm({"type": "session.updated"})
    pieces = round(14.6 / size)
    sent_at: list[float] = []
    for _ in range(pieces):
        before = len(player.asked)
        player.client({"type": "input_audio_buffer.append", "audio": silence(size)})
        sent_at += [player.now] * (len(player.asked) - before)
        step = 0.0
        while step < size / 4:  # a client that is faster than its own voice
            before = len(player.asked)
            player.pass_time(0.005)
            step += 0.005
            sent_at += [player.now] * (len(player.asked) - before)
    player.pass_time(30)

    frames = [event["audio"] for event in player.asked if event["type"] == "input_audio_buffer.append"]
    assert round(pieces * size * 32_000) == sum(len(base64.b64decode(frame)) for frame in frames)
    for position in range(len(sent_at) - 49):
        assert sent_at[position + 49] - sent_at[position] >= 1.0


def test_whole_turn_is_written_down_where_glm_leaves_it_unwritten() -> None:
    """All of it, some of what was before, and each turn in its own time."""
    player = Player()
    player.glm({"type": "session.updated"})
    turns = {"type": "server_vad", "create_response": False}
    player.client(
        {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": turns}}}}
    )
    player.glm({"type": "session.updated"})
    player.take()
    speak(player, *[silence(1.0)] * 5)
    player.glm({"type": "input_audio_buffer.speech_started"})
    speak(player, *[tone(1.0)] * 4)
    player.glm({"type": "input_audio_buffer.speech_stopped"})
    player.glm({"type": "input_audio_buffer.committed", "item_id": "long"})
    player.pass_time(1.0)
    speak(player, tone(1.0))
    player.glm({"type": "input_audio_buffer.committed", "item_id": "short"})
    written = []
    for seconds in (0.8, 0.2, 0.8, 0.2):
        player.pass_time(seconds)
        written.append([told["pcm"] for side, told in player.take() if side == ">errand"])

    assert [[], [6.0], [], [1.0]] == written


def test_transcript_that_comes_before_its_turn_is_of_that_alone() -> None:
    player = Player()
    player.glm({"type": "session.updated"})
    heard = "conversation.item.input_audio_transcription.completed"
    player.glm({"type": heard, "item_id": "a", "transcript": "Hello"})
    for item_id in ("a", "b"):
        player.glm({"type": "input_audio_buffer.committed", "item_id": item_id})
    player.glm({"type": heard, "item_id": "b", "transcript": "Goodbye"})

    first, second = (event["item_id"] for event in player.told if event["type"] == "input_audio_buffer.committed")
    assert [(first, "Hello"), (second, "Goodbye")] == [
        (event["item_id"], event["transcript"]) for event in player.told if event["type"] == heard
    ]

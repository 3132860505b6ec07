"""
Sessions in which anything happens in any order: events of both sides, time, lost connections, errands that end.

Every event is validated by the SDK's types as it is told, in either shape; here is checked what holds for all.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.translate.realtime import Policy
from tests.translate.realtime.play import NAMED, Player, silence, tone

Event = dict[str, Any]
IDS = st.sampled_from(["a", "b", "c"])
GLM_IDS = st.sampled_from(["r1", "r2", "i1", "i2"])
RESPONSES = st.sampled_from(["r1", "r2"])
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}
SOUNDS = {"speech": tone(0.4), "a pause": silence(0.4), "silence": silence(1.2)}
AUDIO = st.sampled_from([*SOUNDS, "AAAA", "AA", "?"])
TURNS = st.sampled_from(
    [
        None,
        {"type": "server_vad"},
        {"type": "server_vad", "create_response": False},
        {"type": "server_vad", "interrupt_response": False},
        {"type": "semantic_vad", "eagerness": "high"},
    ]
)


def event(kind: str, **fields: Any) -> st.SearchStrategy[Event]:
    """Give events of a type; the values of fields are strategies, or stand for themselves."""
    made = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in fields.items()
    }
    return st.fixed_dictionaries({"type": st.just(kind), **made})


PARTS = st.sampled_from(
    [
        {"type": "input_text", "text": "Hello?"},
        {"type": "input_audio", "audio": "AAAA" * 64},
        {"type": "input_image", "image_url": NAMED["a JPEG"]},
        {"type": "input_image", "image_url": NAMED["a PNG"]},
        {"type": "text", "text": "Hi."},
        {"type": "other"},
    ]
)
MESSAGES = st.fixed_dictionaries(
    {
        "type": st.just("message"),
        "role": st.sampled_from(["user", "assistant", "system"]),
        "content": st.lists(PARTS, min_size=1, max_size=2),
        "id": IDS | st.none(),
    }
)
OTHER_ITEMS = st.sampled_from(
    [
        {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "k"},
        {"type": "function_call_output", "call_id": "k", "output": "1"},
        {"type": "function_call_output", "call_id": "first", "output": "1"},
        {"type": "item_reference", "id": "a"},
    ]
)
SESSIONS = st.fixed_dictionaries(
    {"type": st.just("realtime")},
    optional={
        "output_modalities": st.sampled_from([["audio"], ["text"]]),
        "instructions": st.sampled_from(["", "Be brief."]),
        "tools": st.sampled_from([[], [TOOL]]),
        "tool_choice": st.sampled_from(["auto", "none", "required", {"type": "function", "name": "f"}]),
        "audio": st.fixed_dictionaries({"input": st.fixed_dictionaries({"turn_detection": TURNS})}),
        "input_audio_format": st.sampled_from(["pcm16", "g711_ulaw"]),
        "glm": st.sampled_from([None, {"beta_fields": {"auto_search": True}}, {"chat_mode": "video_passive"}]),
    },
)
RESPONSE_PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "conversation": st.sampled_from(["auto", "none"]),
        "input": st.lists(MESSAGES | OTHER_ITEMS, max_size=2),
        "instructions": st.just("Now!"),
        "output_modalities": st.sampled_from([["audio"], ["text"]]),
        "metadata": st.just({"a": "b"}),
    },
)
CLIENT = st.one_of(
    event("session.update", session=SESSIONS),
    event("input_audio_buffer.append", audio=AUDIO),
    event("input_audio_buffer.append_video_frame", video_frame=st.sampled_from([NAMED["a JPEG alone"], "?"])),
    event("input_audio_buffer.commit"),
    event("input_audio_buffer.clear"),
    event("conversation.item.create", item=MESSAGES | OTHER_ITEMS, previous_item_id=IDS | st.none()),
    event("conversation.item.retrieve", item_id=IDS),
    event("conversation.item.delete", item_id=IDS),
    event("conversation.item.truncate", item_id=IDS, content_index=0, audio_end_ms=100),
    event("response.create"),
    event("response.create", response=RESPONSE_PARAMS),
    event("response.cancel"),
)
PLACE: dict[str, Any] = {"response_id": RESPONSES, "item_id": GLM_IDS, "output_index": 0, "content_index": 0}
STATES = st.sampled_from(["completed", "cancelled", "failed", "in_progress"])
GLM = st.one_of(
    event("session.updated"),
    event("heartbeat"),
    event("error", error=st.sampled_from([{"code": "stop_task_error"}, {"code": "1301"}, {"message": "what"}])),
    event("input_audio_buffer.speech_started", audio_start_ms=100, item_id=GLM_IDS),
    event("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id=GLM_IDS),
    event("input_audio_buffer.committed", item_id=GLM_IDS),
    event("conversation.item.created", item=st.fixed_dictionaries({"id": GLM_IDS, "role": st.just("user")})),
    event("conversation.item.deleted", item_id=GLM_IDS),
    event(
        "conversation.item.input_audio_transcription.completed",
        item_id=GLM_IDS,
        content_index=0,
        transcript="Hello.",
    ),
    event("conversation.item.input_audio_transcription.failed", item_id=GLM_IDS, content_index=0, error={}),
    event("response.created", response=st.fixed_dictionaries({"id": RESPONSES})),
    event("response.text.delta", **PLACE, delta="Hi"),
    event("response.audio_transcript.delta", **PLACE, delta="Hi"),
    event("response.audio.delta", **PLACE, delta=st.sampled_from(["AAAA", "?", ""])),
    event("response.function_call_arguments.done", response_id=RESPONSES, name="f", arguments="{}"),
    event("response.cancelled", response=st.fixed_dictionaries({"id": RESPONSES})),
    event("response.done", response=st.fixed_dictionaries({"id": RESPONSES, "status": STATES})),
)
BROUGHT = st.sampled_from(
    [
        {"words": "Well"},
        {"voice": "AAAAAAAA"},
        {"picture": "/9j/"},
        {"call": ["f", "{}"]},
        {"ends": 1},
        {"fails": "No."},
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("client"), CLIENT),
    st.tuples(st.just("glm"), GLM),
    st.tuples(st.just("time"), st.sampled_from([0.03, 0.2, 2.5, 31.0])),
    st.tuples(st.just("errand"), BROUGHT),
    st.tuples(st.just("lost"), st.none()),
)


class Session:
    """A session under test, and what is going on in it."""

    def __init__(self, *, shape: str, policy: Policy) -> None:
        self.player = Player(shape=shape, policy=policy)
        self.player.glm({"type": "session.updated"})
        self.errands: list[str] = []
        self._look()

    def step(self, kind: str, what: Any) -> None:
        """Do one thing."""
        player = self.player
        if kind == "client":
            player.client({**what, "audio": SOUNDS.get(what["audio"], what["audio"])} if "audio" in what else what)
        elif kind == "glm":
            player.glm(what)
        elif kind == "time":
            player.pass_time(what)
        elif kind == "lost":
            player.resume()
        elif self.errands:
            errand_id = self.errands[0]
            if {"ends", "fails"} & what.keys():
                self.errands.pop(0)
            player.bring({"id": errand_id, **what})
        self._look()

    def finish(self) -> None:
        """Let everything come to its end: errands fail, GLM is silent, time passes."""
        for _ in range(20):
            self.step("glm", {"type": "session.updated"})
            self.step("time", 40.0)
            for _ in [*self.errands]:
                self.step("errand", {"fails": "No."})

    def _look(self) -> None:
        for side, told in self.player.take():
            if side == ">errand":
                self.errands.append(told["id"])
            if side == ">forget":
                self.errands.remove(told["id"])


def check(told: list[Event]) -> None:
    """Raise AssertionError where what a client was told cannot be."""
    created = [one["response"]["id"] for one in told if one["type"] == "response.created"]
    done = [one["response"]["id"] for one in told if one["type"] == "response.done"]
    assert sorted(created) == sorted(done)
    assert len(set(created)) == len(created)
    running: set[str] = set()
    for one in told:
        if one["type"] == "response.created":
            running.add(one["response"]["id"])
        elif one["type"] == "response.done":
            running.remove(one["response"]["id"])
            assert one["response"]["status"] != "in_progress"
        elif "response_id" in one:
            assert one["response_id"] in running
    for kind in ("response.output_item.added", "response.output_item.done"):
        counts = Counter(one["item"]["id"] for one in told if one["type"] == kind)
        assert set(counts.values()) <= {1}
    transcripts = Counter(one["item_id"] for one in told if "transcription." in one["type"])
    assert set(transcripts.values()) <= {1}
    added = {
        one["item"]["id"]
        for one in told
        if one["type"] in {"conversation.item.added", "conversation.item.created"}
    }
    assert {one["previous_item_id"] for one in told if one.get("previous_item_id")} <= added


@pytest.mark.parametrize("shape", ["today", "beta"])
@settings(max_examples=120)
@given(
    steps=st.lists(STEPS, max_size=30),
    typed_text=st.sampled_from(["item", "instructions", "speech"]),
    turn_detection=st.sampled_from(["upstream", "local", "auto"]),
)
def test_every_response_ends_and_nothing_comes_twice(
    steps: list[tuple[str, Any]], shape: str, typed_text: Any, turn_detection: Any
) -> None:
    """Whatever happens: each response that begins ends once, and nothing of it comes before or after."""
    session = Session(shape=shape, policy=Policy(typed_text=typed_text, turn_detection=turn_detection))
    for kind, what in steps:
        session.step(kind, what)
    session.finish()

    assert not session.player.translator.responding
    check(session.player.told)

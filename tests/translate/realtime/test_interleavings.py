"""
GLM keeps order within one kind of event only. Whatever order its events come in, a client's order holds.

Every event is validated by the SDK's types as it is told, in either shape.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translate.realtime.play import Player

Event = dict[str, Any]
WHERE = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
ITEM = {"id": "i", "role": "assistant", "type": "message", "content": [{}]}
WORDS = st.lists(st.text(min_size=1, max_size=5), max_size=4)


@st.composite
def responses(draw: st.DrawFn) -> tuple[list[Event], str, int, int]:
    """Give a response's events, what is said in it, and how many sounds and calls there are."""
    words = draw(WORDS)
    hears_itself = draw(st.booleans())
    sounds = draw(st.integers(0, 3))
    calls = draw(st.integers(0, 2))
    kinds: list[list[Event]] = [
        [{"type": "response.created", "response": {"id": "r", "status": "in_progress"}}],
        [{"type": "response.output_item.added", **WHERE, "item": ITEM}],
        [{"type": "conversation.item.created", "item": ITEM}],
        [{"type": "response.content_part.added", **WHERE, "part": {"type": "audio"}}],
        [{"type": "response.text.delta", **WHERE, "delta": word} for word in words],
        [{"type": "response.audio.delta", **WHERE, "delta": "AAAA"} for _ in range(sounds)],
        [{"type": "response.text.done", **WHERE, "text": "".join(words)}],
        [{"type": "response.audio.done", **WHERE}],
        [{"type": "response.content_part.done", **WHERE, "part": {"type": "audio"}}],
        [{"type": "response.output_item.done", **WHERE, "item": ITEM}],
        [{"type": "rate_limits.updated", "rate_limits": [{"name": "requests", "limit": 5, "remaining": 4}]}],
        [{"type": "heartbeat"}],
        [
            {"type": "response.function_call_arguments.done", "response_id": "r", "name": "f", "arguments": "{}"}
            for _ in range(calls)
        ],
    ]
    if hears_itself:
        kinds.append([{"type": "response.audio_transcript.delta", **WHERE, "delta": word} for word in words])
        kinds.append([{"type": "response.audio_transcript.done", **WHERE, "transcript": "".join(words)}])
    order = draw(st.permutations([number for number, kind in enumerate(kinds) for _ in kind]))
    sources = [iter(kind) for kind in kinds]
    return [next(sources[number]) for number in order], "".join(words), sounds, calls


def of_response(told: list[Event]) -> Iterator[Event]:
    """Give the events of the one response there is, those of its items included."""
    items: set[str] = set()
    for event in told:
        if event["type"] == "response.output_item.added":
            items.add(event["item"]["id"])
        if event["type"].startswith("response.") or event.get("item", {}).get("id") in items:
            yield event


def check_order(told: list[Event], *, added: str) -> None:
    """Raise AssertionError where a client would lose its way."""
    events = list(of_response(told))
    kinds = [event["type"] for event in events]
    assert ("response.created", "response.done") == (kinds[0], kinds[-1])
    assert (1, 1) == (kinds.count("response.created"), kinds.count("response.done"))
    for index, item in enumerate(events[-1]["response"]["output"]):
        own = [
            event["type"]
            for event in events
            if event.get("item_id") == item["id"] or event.get("item", {}).get("id") == item["id"]
        ]
        assert ["response.output_item.added", added] == own[:2]
        assert "response.output_item.done" == own[-1]
        if item["type"] == "message":
            assert "response.content_part.added" == own[2]
            assert 1 == own.count("response.content_part.done")
            ends = [place for place, kind in enumerate(own) if kind.endswith(".done")]
            assert [*range(ends[0], len(own))] == ends
        indices = {
            event["output_index"]
            for event in events
            if event.get("item_id") == item["id"] and "output_index" in event
        }
        assert indices <= {index}


@pytest.mark.parametrize("shape", ["today", "beta"])
@settings(max_examples=40, deadline=None)
@given(response=responses(), spoken=st.booleans())
def test_order_holds_for_every_interleaving(
    response: tuple[list[Event], str, int, int], shape: str, *, spoken: bool
) -> None:
    """All that is said, all sound and all calls come, once, in the order that clients need."""
    events, words, sounds, calls = response
    player = Player(shape=shape)
    player.glm({"type": "session.updated"})
    modalities = ["audio", "text"] if spoken else ["text"]
    change = {"modalities": modalities} if shape == "beta" else {"output_modalities": [modalities[0]]}
    player.client({"type": "session.update", "session": {"type": "realtime", **change}})
    player.glm({"type": "session.updated"})
    player.client({"type": "response.create"})
    player.told.clear()
    for event in events:
        player.glm(event)
    player.glm({"type": "response.done", "response": {"id": "r", "status": "completed"}})

    added = "conversation.item.created" if shape == "beta" else "conversation.item.added"
    check_order(player.told, added=added)
    ends = ("audio_transcript.delta",) if spoken else ("response.text.delta", "output_text.delta")
    said = [event["delta"] for event in player.told if event["type"].endswith(ends)]
    heard = [event for event in player.told if event["type"].endswith("audio.delta")]
    assert (words, sounds if spoken else 0) == ("".join(said), len(heard))
    texts = [event for event in player.told if "text.delta" in event["type"]]
    assert not (spoken and texts)
    output = player.told[-1]["response"]["output"]
    assert calls == sum(item["type"] == "function_call" for item in output)
    assert len({item["call_id"] for item in output if item["type"] == "function_call"}) == calls


@settings(max_examples=40, deadline=None)
@given(response=responses(), cancelled_at=st.integers(0, 30))
def test_order_holds_when_the_client_stops_it(
    response: tuple[list[Event], str, int, int], cancelled_at: int
) -> None:
    """What is open is closed at once, and nothing comes after the end."""
    events, _, _, _ = response
    player = Player()
    player.glm({"type": "session.updated"})
    player.client({"type": "response.create"})
    player.told.clear()
    for number, event in enumerate(events):
        if number == cancelled_at:
            player.client({"type": "response.cancel"})
        player.glm(event)
    player.glm({"type": "response.cancelled", "response": {"id": "r", "status": "cancelled"}})
    player.glm({"type": "response.done", "response": {"id": "r", "status": "cancelled"}})

    check_order(player.told, added="conversation.item.added")
    assert not player.translator.responding
    assert (
        "cancelled"
        == next(event for event in player.told if event["type"] == "response.done")["response"]["status"]
    )


@given(
    data=st.lists(
        st.sampled_from(["client", "glm"]).flatmap(
            lambda side: st.tuples(st.just(side), st.binary() | st.text().map(str.encode))
        )
    )
)
def test_nothing_that_either_side_sends_is_a_crash(data: list[tuple[str, bytes]]) -> None:
    """Rubbish is an error for a client, and nothing for GLM's."""
    player = Player()
    for side, rubbish in data:
        now = player.now
        translate = player.translator.from_client if side == "client" else player.translator.from_glm
        effects = translate(rubbish, now=now)
        assert (side == "client") == bool(effects)

"""What the model has in mind."""

import pytest

from gateway.simulator.realtime.memory import MEMORY_SECONDS, Item, Memory, with_names
from gateway.simulator.realtime.session import Session

CALLS = [
    Item(id=f"call{number}", kind="function_call", role="assistant", name="f", call_id=f"{number}", read=True)
    for number in range(2)
]


def said(number: int, text: str = "Hello", *, at: float = 0.0, role: str = "user") -> Item:
    return Item(id=f"item{number}", kind="message", role=role, text=text, at=at)


def output(number: int) -> Item:
    return Item(id=f"out{number}", kind="function_call_output", role="tool", text=f"{number} degrees")


def test_outputs_belong_to_calls_in_their_order() -> None:
    memory = Memory()
    for item in (said(0), *CALLS, output(0), output(1), output(2)):
        memory.add(item)
    assert ["0", "1", None] == [item.call_id for item in memory.items.values() if item.role == "tool"]


def test_nothing_new_is_nothing_to_answer() -> None:
    """What was answered, what is ignored, and what the assistant said are nothing new; new instructions are."""
    memory, session = Memory(), Session(instructions="Be kind.")
    memory.learn(session.instructions)
    assert memory.take_in(session, now=0) is None
    memory.add(said(1))
    conversation = memory.take_in(session, now=0)
    assert conversation is not None
    assert ["system", "user"] == [turn.role for turn in conversation.turns]
    memory.add(said(2, role="assistant"))
    ignored = said(3)
    ignored.ignored = True
    memory.add(ignored)
    assert memory.take_in(session, now=0) is None
    conversation = memory.take_in(Session(instructions="Be kind.\n\nUser: Hello?"), now=0)
    assert conversation is not None
    assert "User: Hello?" == conversation.question


def test_output_without_a_question_is_answered() -> None:
    memory = Memory()
    for item in (CALLS[0], output(0)):
        memory.add(item)
    conversation = memory.take_in(Session(), now=0)
    assert conversation is not None
    assert ("tool", "") == (conversation.last.role, conversation.question)


def test_memory_lasts_two_minutes() -> None:
    """What is older is forgotten, except while it has not been read."""
    memory = Memory()
    old, new = said(1, "Old", at=0), said(2, "New", at=MEMORY_SECONDS + 1)
    old.read = True
    for item in (old, new):
        memory.add(item)
    conversation = memory.take_in(Session(), now=MEMORY_SECONDS + 1)
    assert conversation is not None
    assert ["New"] == [turn.text for turn in conversation.turns]


def test_context_has_an_end() -> None:
    memory = Memory()
    for number in range(20):
        memory.add(said(number, "word " * 1000))
    text, _ = memory.tokens(Session(), now=0)
    assert 7000 <= text <= 8192


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("what is the weather in paris and london", "what is the weather in Paris and London"),
        ("what is it like in the morning", "what is it like in the morning"),
        ("wait for me at berlin or rome", "wait for me at Berlin or Rome"),
    ],
)
def test_names_are_written_as_names(heard: str, written: str) -> None:
    assert written == with_names(heard)

"""A checked request as the model sees it: turns, pictures, tools. Reads, refuses nothing."""

from typing import Any

from msgspec import Struct

from gateway.simulator.schemas import Schema, find_schemas, is_any_object

Function = dict[str, Any]


class Turn(Struct, frozen=True, kw_only=True):
    """
    One message as text.

    ``pictures`` are addresses or base64, ``links`` addresses of videos and documents, ``sounds`` base64.
    ``audio_id`` names an earlier spoken answer instead of its text. ``calls`` maps ids of calls to the names of
    their functions; ``call_id`` is whose result this is.
    """

    role: str
    text: str
    pictures: list[str] = []
    links: list[str] = []
    sounds: list[str] = []
    audio_id: str | None = None
    calls: dict[str, str] = {}
    call_id: str | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """
    What the model answers to.

    ``search`` is the configuration of the built-in web search when that is on. ``chosen`` names the function
    the caller insists on; None leaves it to the model.
    """

    turns: list[Turn]
    functions: list[Function]
    search: dict[str, Any] | None
    chosen: str | None
    wants_json: bool

    @property
    def last(self) -> Turn:
        """The turn to be answered."""
        return self.turns[-1]

    @property
    def question(self) -> str:
        """What the user said last."""
        return next(turn.text for turn in reversed(self.turns) if turn.role == "user")

    @property
    def instructions(self) -> list[str]:
        """The system's texts, then the user's: where a JSON schema may stand."""
        return [turn.text for role in ("system", "user") for turn in self.turns if turn.role == role]

    @property
    def orders(self) -> list[str]:
        """The system's texts, which always stand, and the user's while it is the one to be answered."""
        return [
            turn.text
            for turn in self.turns
            if turn.role == "system" or (turn is self.last and turn.role == "user")
        ]

    @property
    def schema(self) -> Schema | None:
        """The schema of JSON answers; None when there is none, or one of just any object."""
        schemas = (schema for text in self.instructions for schema in find_schemas(text))
        return next((schema for schema in schemas if not is_any_object(schema)), None)


def read_conversation(fields: dict[str, Any]) -> Conversation:
    """Read the conversation out of the fields of a checked request."""
    tools = fields.get("tools") or []
    searches = [tool["web_search"] for tool in tools if tool["type"] == "web_search"]
    choice = fields.get("tool_choice")
    return Conversation(
        turns=[_turn(message) for message in fields["messages"]],
        functions=[tool["function"] for tool in tools if tool["type"] == "function"],
        search=next((search for search in searches if search.get("enable")), None),
        chosen=choice["function"].get("name") if isinstance(choice, dict) else None,
        wants_json=(fields.get("response_format") or {}).get("type") == "json_object",
    )


def _turn(message: dict[str, Any]) -> Turn:
    content = message.get("content") or ""
    parts: list[Any] = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return Turn(
        role=message["role"],
        text="\n".join(part["text"] for part in parts if part["type"] == "text"),
        pictures=[part["image_url"]["url"] for part in parts if part["type"] == "image_url"],
        links=[part[part["type"]]["url"] for part in parts if part["type"] in {"video_url", "file_url"}],
        sounds=[part["input_audio"]["data"] for part in parts if part["type"] == "input_audio"],
        audio_id=(message.get("audio") or {}).get("id") if message["role"] == "assistant" else None,
        calls={
            call.get("id", ""): call["function"]["name"]
            for call in message.get("tool_calls") or []
            if call["type"] == "function"
        },
        call_id=message.get("tool_call_id"),
    )

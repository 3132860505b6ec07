"""Items that a client puts into the conversation, asks for, and takes out again."""

from collections.abc import Mapping

from msgspec import UNSET
from msgspec.structs import replace

from gateway.errors import InvalidRequest
from gateway.glm.realtime import client as glm
from gateway.glm.realtime.items import ItemText, Message
from gateway.openai.realtime import client, server
from gateway.openai.realtime.items import Content, Item, NewItem
from gateway.translate.realtime.calls import Calls
from gateway.translate.realtime.history import FRONT, in_words
from gateway.translate.realtime.narrator import Narrator
from gateway.translate.realtime.pictures import Pictures, decoded_picture, picture_of
from gateway.translate.realtime.recordings import Recordings
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.talk import Talk

KINDS: Mapping[str, Mapping[str, str]] = {
    "user": {"text": "input_text", "audio": "input_audio", "image": "input_image"},
    "assistant": {"text": "output_text", "audio": "output_audio"},
    "system": {"text": "input_text"},
}
"""What a message's parts may be by its role, in today's words, by the last of beta's."""
TEXTS = {"input_text", "output_text"}
DELETION_SECONDS = 3.0
"""How long an error of GLM's may be about a deletion: it does not say."""
SOUNDS = {"input_audio", "output_audio"}


class Conversing:
    """
    Keeps the conversation for the client, and tells GLM what GLM can be told.

    GLM appends whatever it is given; the client's own order is kept here.
    """

    def __init__(
        self,
        talk: Talk,
        *,
        setup: Setup,
        calls: Calls,
        narrator: Narrator,
        pictures: Pictures,
        recordings: Recordings,
    ) -> None:
        self._deleting: list[float] = []
        self._talk = talk
        self._setup = setup
        self._calls = calls
        self._narrator = narrator
        self._pictures = pictures
        self._recordings = recordings

    def create(self, event: client.ItemCreate) -> None:
        """Put an item into the conversation; raise InvalidRequest."""
        history = self._talk.history
        if event.item.id is not None and event.item.id in history:
            raise InvalidRequest(
                "An item of this id is in the conversation already. Choose another, or leave 'id' out.",
                param="item.id",
                code="item_create_duplicate_item_id",
            )
        after = event.previous_item_id
        if after is not None and after != FRONT and after not in history:
            raise InvalidRequest(
                "There is no item of this 'previous_item_id' in the conversation.",
                param="previous_item_id",
                code="item_create_invalid_previous_item_id",
            )
        self.put(event.item, after=after)

    def put(self, new: NewItem, *, after: str | None = None) -> None:
        """
        Put an item into the conversation, by a new id where its own is taken.

        Raises InvalidRequest for one that GLM cannot have.
        """
        item_id = new.id
        if item_id is None or item_id in self._talk.history:
            item_id = self._talk.id_of("item")
        match new.type:
            case "message":
                item = self._message(new, item_id)
            case "function_call":
                item = self._call(new, item_id)
            case "function_call_output":
                item = self._output(new, item_id)
            case _:
                raise InvalidRequest(
                    "'item.type' has to be 'message', 'function_call' or 'function_call_output'.",
                    param="item.type",
                    code="invalid_value",
                )
        self._talk.add(item, after=after)
        self._talk.finish(item)
        if item.role == "system" and self._setup.reads_out:
            self._setup.refresh()

    def retrieve(self, item_id: str) -> None:
        """Tell the client an item; raise InvalidRequest when there is none."""
        item = self._get(item_id, code="item_retrieve_invalid_item_id")
        self._talk.tell(server.ItemRetrieved(item=self._talk.shape.item(item)))

    def delete(self, item_id: str) -> None:
        """Take an item out; raise InvalidRequest when there is none."""
        talk = self._talk
        self._get(item_id, code="item_delete_invalid_item_id")
        glm_id = talk.history.known_as(item_id)
        if glm_id is not None:
            talk.ask(glm.ItemDelete(item_id=glm_id))
            self._deleting.append(talk.now)
        talk.history.remove(item_id)
        talk.tell(server.ItemDeleted(item_id=item_id))

    def settle_deletion(self) -> bool:
        """
        Take it that GLM has answered the oldest deletion; False when it was told of none lately.

        It may not have the item, or not know the event: its client was answered before, and need not know.
        """
        since = self._talk.now - DELETION_SECONDS
        self._deleting = [at for at in self._deleting if at >= since]
        if not self._deleting:
            return False
        self._deleting.pop(0)
        return True

    def truncate(self, event: client.ItemTruncate) -> None:
        """Take note of how much of an item was heard; GLM's memory keeps the whole of it."""
        item = self._get(event.item_id, code="item_truncate_invalid_item_id")
        if item.role != "assistant":
            raise InvalidRequest(
                "Only spoken items of the assistant can be truncated.", param="item_id", code="invalid_value"
            )
        self._talk.tell(
            server.ItemTruncated(
                item_id=item.id, content_index=event.content_index, audio_end_ms=event.audio_end_ms
            )
        )

    def replay(self) -> None:
        """Tell a GLM that knows nothing what was written, said and returned; pictures are lost to it."""
        for item, role, text in in_words(self._talk.history):
            self._tell(item.id, role, [text])

    def _get(self, item_id: str, *, code: str) -> Item:
        item = self._talk.history.get(item_id)
        if item is None:
            raise InvalidRequest("There is no item of this id in the conversation.", param="item_id", code=code)
        return item

    def _message(self, new: NewItem, item_id: str) -> Item:
        if new.role is None:
            raise InvalidRequest(
                "Missing required parameter: 'item.role'.", param="item.role", code="missing_required_parameter"
            )
        if not new.content:
            raise InvalidRequest(
                "'item.content' is empty; a message has at least one part.",
                param="item.content",
                code="missing_required_parameter",
            )
        parts = [self._checked(part, number, new.role) for number, part in enumerate(new.content)]
        if recording := self._recordings.read(parts):
            self._recordings.give(recording, parts, item_id=item_id)
        for part in parts:
            if part.type == "input_image":
                self._pictures.show(picture_of(part, at="item.content"))
        texts = [text for text in map(told, parts) if text.strip()]
        if texts:
            self._write(item_id, new.role, texts)
        kept = tuple(replace(part, audio=UNSET, image_url=UNSET) for part in parts)
        return Item(id=item_id, type="message", status="completed", role=new.role, content=kept)

    def _write(self, item_id: str, role: str, texts: list[str]) -> None:
        """Tell GLM a message in the way that was chosen for it."""
        if self._setup.reads_out:
            if role == "user" and self._narrator.read_out(item_id, "\n".join(texts)):
                return
            self._setup.folds = self._setup.folds or role == "user"
        if not self._setup.folds:
            self._tell(item_id, role, texts)

    def _tell(self, item_id: str, role: str, texts: list[str]) -> None:
        kind = "text" if role == "assistant" else "input_text"
        content = tuple(ItemText(type=kind, text=text) for text in texts)  # type: ignore[arg-type]
        self._talk.history.link(item_id, item_id)
        message = Message(id=item_id, role=role, content=content)  # type: ignore[arg-type]
        self._talk.ask(glm.ItemCreate(item=message))

    def _checked(self, part: Content, number: int, role: str) -> Content:
        """Return a part as today's shape has it; raise InvalidRequest for one that cannot be."""
        at = f"item.content[{number}]"
        kinds = KINDS[role]
        kind = kinds.get(part.type.rpartition("_")[2])
        if kind is None:
            raise InvalidRequest(
                f"'{at}.type' has to be one of {', '.join(kinds.values())} in a message of the {role}.",
                param=f"{at}.type",
                code="invalid_value",
            )
        if kind == "input_image":
            self._pictures.check(param=at)
            picture_of(part, at=at)
        elif kind in TEXTS and part.text is UNSET:
            raise InvalidRequest(
                f"Missing required parameter: '{at}.text'.",
                param=f"{at}.text",
                code="missing_required_parameter",
            )
        elif kind in SOUNDS:
            part = replace(part, transcript=None if part.transcript is UNSET else part.transcript)
        return replace(part, type=kind)

    def show(self, frame: str) -> None:
        """Give GLM a picture, base64 of a JPEG, as Zhipu's own event has it; raise InvalidRequest."""
        self._pictures.check(param="video_frame")
        picture = decoded_picture(frame)
        if not picture:
            raise InvalidRequest(
                "'video_frame' has to be base64 of a JPEG.", param="video_frame", code="invalid_value"
            )
        self._pictures.show(picture)

    def _call(self, new: NewItem, item_id: str) -> Item:
        call_id = new.call_id or self._talk.id_of("call")
        self._calls.foreign.add(call_id)
        return Item(
            id=item_id,
            type="function_call",
            status="completed",
            call_id=call_id,
            name=new.name or "",
            arguments=new.arguments or "",
        )

    def _output(self, new: NewItem, item_id: str) -> Item:
        if new.call_id is None:
            raise InvalidRequest(
                "Missing required parameter: 'item.call_id'.",
                param="item.call_id",
                code="missing_required_parameter",
            )
        output = new.output or ""
        self._calls.take(new.call_id, output)
        return Item(
            id=item_id, type="function_call_output", status="completed", call_id=new.call_id, output=output
        )


def told(part: Content) -> str:
    """Return what GLM is told of a part in writing: of a recording that it hears, nothing."""
    if part.text is not UNSET:
        return part.text
    return "" if part.type == "input_audio" and part.audio else part.transcript or ""

"""Calls of functions and their outputs. GLM knows no call ids: outputs are its calls' in their order."""

from gateway.errors import InvalidRequest
from gateway.glm.realtime import client as glm
from gateway.glm.realtime.items import FunctionCallOutput, ItemText, Message
from gateway.translate.realtime.history import NOTHING, returned
from gateway.translate.realtime.talk import Talk


class Calls:
    """
    The calls that GLM waits to hear of.

    An output goes to GLM once those of all earlier calls have, and the response that made the calls has ended:
    some clients run a function as soon as they hear of it. Some also ask for a response to each output, while GLM
    wants them all before it responds. ``foreign`` are calls of the client's own history, of which GLM knows
    nothing.
    """

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._open: dict[str, str] = {}
        self._outputs: dict[str, str] = {}
        self._closed: set[str] = set()
        self._given_up: dict[str, str] = {}
        self._made = True
        self._has_new = False
        self.foreign: set[str] = set()

    @property
    def incomplete(self) -> bool:
        """Whether outputs have come of which GLM has made nothing yet, and others have not."""
        return self._has_new and any(call_id not in self._outputs for call_id in self._open)

    def expect(self, call_id: str, name: str) -> None:
        """Wait for the output of a call, which a response makes that goes on."""
        self._open[call_id] = name
        self._made = False

    def settle(self) -> None:
        """Give GLM what has come, as no response goes on any more."""
        self._made = True
        self._give_ready()

    def take(self, call_id: str, output: str) -> None:
        """Take an output; raise InvalidRequest for a call that is not there."""
        if call_id in self._given_up:
            self._tell_late(self._given_up.pop(call_id), output)
        if call_id in self.foreign or call_id in self._closed:
            return
        if call_id not in self._open:
            raise InvalidRequest(
                "There is no function call of this 'call_id' in the conversation.",
                param="item.call_id",
                code="invalid_value",
            )
        self._outputs[call_id] = output
        self._has_new = True
        if self._made:
            self._give_ready()

    def give_all(self) -> None:
        """Give GLM what has come, as it is asked for a response now; earlier ones that have not come are empty."""
        self._has_new = False
        while self._outputs:
            call_id = next(iter(self._open))
            if call_id not in self._outputs:
                self._given_up[call_id] = self._open[call_id]
            self._give(call_id)

    def lose(self) -> None:
        """Take it that GLM knows of no call any more; what has come it is told with the conversation."""
        for call_id, name in self._open.items():
            self._closed.add(call_id)
            if call_id not in self._outputs:
                self._given_up[call_id] = name
        self._open.clear()
        self._outputs.clear()
        self._has_new = False

    def _give_ready(self) -> None:
        while self._open and (call_id := next(iter(self._open))) in self._outputs:
            self._give(call_id)

    def _give(self, call_id: str) -> None:
        del self._open[call_id]
        self._closed.add(call_id)
        output = self._outputs.pop(call_id, "") or NOTHING
        self._talk.ask(glm.ItemCreate(item=FunctionCallOutput(output=output)))

    def _tell_late(self, name: str, output: str) -> None:
        """Tell in words what GLM was told nothing of: as an output it would be that of another call."""
        text = ItemText(type="input_text", text=returned(name, output))
        self._talk.ask(glm.ItemCreate(item=Message(id=self._talk.id_of("item"), role="system", content=(text,))))

"""Calls of functions and their outputs. GLM knows no call ids: outputs are its calls' in their order."""

from gateway.errors import InvalidRequest
from gateway.glm import realtime as glm
from gateway.translate.realtime.talk import Talk

NOTHING = '""'
"""GLM refuses an output that is empty."""


class Calls:
    """
    The calls that GLM waits to hear of.

    An output goes to GLM once those of all earlier calls have, and the response that made the calls has ended:
    some clients run a function as soon as they hear of it. ``foreign`` are calls of the client's own history, of
    which GLM knows nothing.
    """

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._open: list[str] = []
        self._outputs: dict[str, str] = {}
        self._closed: set[str] = set()
        self._made = True
        self.foreign: set[str] = set()

    def expect(self, call_id: str) -> None:
        """Wait for the output of a call, which a response makes that goes on."""
        self._open.append(call_id)
        self._made = False

    def settle(self) -> None:
        """Give GLM what has come, as no response goes on any more."""
        self._made = True
        self._give_ready()

    def take(self, call_id: str, output: str) -> None:
        """Take an output; raise InvalidRequest for a call that is not there."""
        if call_id in self.foreign or call_id in self._closed:
            return
        if call_id not in self._open:
            raise InvalidRequest(
                "There is no function call of this 'call_id' in the conversation.",
                param="item.call_id",
                code="invalid_value",
            )
        self._outputs[call_id] = output
        if self._made:
            self._give_ready()

    def give_all(self) -> None:
        """Give GLM what has come, as it is asked for a response now; earlier ones that have not come are empty."""
        while self._outputs:
            self._give(self._outputs.pop(self._open[0], ""))

    def _give_ready(self) -> None:
        while self._open and self._open[0] in self._outputs:
            self._give(self._outputs.pop(self._open[0]))

    def _give(self, output: str) -> None:
        self._closed.add(self._open.pop(0))
        self._talk.ask(glm.ItemCreate(item=glm.FunctionCallOutput(output=output or NOTHING)))

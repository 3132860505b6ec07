"""Responses: asked for one at a time, by the client or by GLM itself, and stopped."""

from collections import deque
from collections.abc import Callable

from gateway.errors import GatewayError, InvalidRequest, UpstreamFailed, UpstreamTimeout, UpstreamUnavailable
from gateway.glm.realtime import server as glm
from gateway.glm.realtime.client import ResponseCancel, ResponseCreate
from gateway.openai.realtime.items import ResponseState
from gateway.translate.realtime.answer import Answer, usage_of
from gateway.translate.realtime.calls import Calls
from gateway.translate.realtime.microphone import Microphone
from gateway.translate.realtime.plan import Plan
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.talk import Talk

PATIENCE_SECONDS = 30.0
"""How long GLM may say nothing of a response, before it begins and in the middle of it."""
STOP_PATIENCE_SECONDS = 3.0
OUTPUTS_PATIENCE_SECONDS = 5.0
"""How long a response waits for outputs that are missing: some clients want one before they give the next."""
REMEMBERED_RESPONSES = 64

STATES: dict[str | None, ResponseState] = {
    "cancelled": "cancelled",
    "failed": "failed",
    "incomplete": "incomplete",
}
"""GLM's words for how a response ended, as clients know them; any other is a completed one."""


class Responder:
    """
    Has GLM respond, and knows what is under way.

    A plan waits until GLM has confirmed what was said before, and has stopped what it was to stop; then it is
    asked for; then it is the answer under way. ``_stopping`` is true while GLM may still speak of a response that
    its client knows as ended; ``_unborn`` if GLM was asked for that and has not begun it yet, ``_unstopped`` if it
    found nothing to stop because of that. ``blocked`` tells whether GLM has still to hear or see something before.
    """

    def __init__(
        self, talk: Talk, *, setup: Setup, microphone: Microphone, calls: Calls, blocked: Callable[[], bool]
    ) -> None:
        self.answer: Answer | None = None
        self._talk = talk
        self._setup = setup
        self._microphone = microphone
        self._calls = calls
        self._blocked = blocked
        self._waiting: Plan | None = None
        self._asked: Plan | None = None
        self._stopping = False
        self._unborn = False
        self._unstopped = False
        self._ended: deque[str] = deque(maxlen=REMEMBERED_RESPONSES)
        self._announced: deque[str] = deque(maxlen=REMEMBERED_RESPONSES)

    @property
    def busy(self) -> bool:
        """Whether a response is under way, or about to be, as the client sees it."""
        return self.answer is not None or self._asked is not None or self._waiting is not None

    # --- From the client ----------------------------------------------------------------------------

    def create(self, plan: Plan) -> None:
        """Have GLM respond, as soon as it can; raise InvalidRequest while it does already."""
        self.check_free()
        self._waiting = plan

    def check_free(self) -> None:
        """Raise InvalidRequest while a response is under way."""
        if self.busy:
            raise InvalidRequest(
                "Conversation already has an active response in progress. Wait until it is done, or cancel it.",
                code="conversation_already_has_active_response",
            )

    def cancel(self, response_id: str | None, *, reason: str = "client_cancelled") -> None:
        """Stop the response under way, at once for the client; raise InvalidRequest when there is none."""
        if not self.busy or (response_id and self.answer and response_id != self.answer.id):
            raise InvalidRequest(
                "Cancellation failed: no active response found.", code="response_cancel_not_active"
            )
        if self._waiting is not None and self.answer is None:
            self.answer, self._waiting = self._waiting.answer or self._begin(self._waiting), None
            self._close("cancelled", reason=reason)
            return
        self._talk.ask(ResponseCancel())
        if self._asked is not None:
            self.answer, self._asked, self._unborn = self._asked.answer or self._begin(self._asked), None, True
        self._wait_for_stop()
        self._close("cancelled", reason=reason)

    def advance(self) -> None:
        """Ask GLM for what is wanted, if nothing stands in the way."""
        plan = self._waiting
        if plan is None or self.answer is not None or self._stopping:
            return
        if (
            not self._setup.settled
            or self._microphone.commits.waiting
            or self._blocked()
            or self._lacks_outputs(plan)
        ):
            return
        if not plan.told and (plan.config is not None or self._setup.folds):
            plan.told = True
            self._setup.override(plan.config or self._talk.config)
            return
        self._waiting, self._asked = None, plan
        self._unborn = self._unstopped = False
        self._calls.give_all()
        self._talk.ask(ResponseCreate())
        self._talk.wake("answer", after_seconds=PATIENCE_SECONDS)

    # --- From GLM -----------------------------------------------------------------------------------

    def find(self, glm_id: str | None) -> Answer | None:
        """
        Return the response that GLM means; None when the client knows it as ended.

        One that GLM has not announced begins by this.
        """
        if glm_id in self._ended:
            return None
        if self.answer is not None and (glm_id is None or self.answer.glm_id in {glm_id, None}):
            self.answer.glm_id = self.answer.glm_id or glm_id
            self._talk.wake("answer", after_seconds=PATIENCE_SECONDS)
            return self.answer
        if glm_id is None and self._asked is None and not self._is_owed():
            return None
        return self.start(glm_id)

    def announce(self, glm_id: str | None) -> None:
        """Begin the response that GLM announces, which it does once of each: again, it has used an id again."""
        if glm_id is not None:
            if glm_id not in self._announced:
                self._announced.append(glm_id)
            elif glm_id in self._ended:
                self._ended.remove(glm_id)
        self.start(glm_id)

    def start(self, glm_id: str | None) -> Answer | None:
        """Begin the response that GLM announces, if the client is to know of it."""
        talk = self._talk
        if glm_id is not None and glm_id in self._ended:
            return None
        if self.answer is not None and self.answer.glm_id in {glm_id, None}:
            self.answer.glm_id = glm_id
            return self.answer
        if self._is_late() or self._unwanted():
            self._forget(glm_id)
            if self._unstopped or not self._unborn:
                talk.ask(ResponseCancel())
                self._wait_for_stop()
            self._unborn = self._unstopped = False
            return None
        if self.answer is not None:  # GLM has gone on to the next without ending the last.
            self._close(*self._ending("cancelled" if self.answer.interrupted else "completed"))
        plan, self._asked = self._asked or Plan(), None
        talk.wake("answer", after_seconds=PATIENCE_SECONDS)
        self.answer = plan.answer or self._begin(plan)
        self.answer.glm_id = glm_id
        return self.answer

    def end(self, response: glm.Response, *, cancelled: bool) -> None:
        """End the response that GLM says has ended."""
        if self._unborn:
            self._forget(response.id)
            self.stopped()
            return
        # What failed before it began may end after that; a turn that GLM answers with nothing is answered.
        begun = self.answer is not None and (response.id is None or self.answer.glm_id in {response.id, None})
        due = self._asked is not None or (response.id is not None and self._is_owed())
        answer = self.find(response.id) if begun or due else None
        if answer is None:
            self._forget(response.id)
            self.stopped()
            return
        status, reason = self._ending("cancelled" if cancelled else STATES.get(response.status, "completed"))
        if status == "completed" and answer.empty and self._try_as_instructions(answer):
            return
        error = UpstreamFailed("GLM says that the response has failed. Ask again.") if status == "failed" else None
        self._close(status, reason=reason, error=error, usage=response.usage)
        self.stopped()

    def stopped(self) -> None:
        """Take it that GLM has stopped what it was to stop."""
        self._stopping = self._unborn = self._unstopped = False
        self._talk.rest("stop")

    def find_nothing_to_stop(self) -> None:
        """Take it that GLM has found nothing to stop: it has ended that, or not begun it."""
        if self._unborn:
            self._unstopped = True
        else:
            self.stopped()

    def wait_no_longer(self) -> None:
        """Take it that GLM says nothing more of what it was to stop, unless it begins that after all."""
        self._stopping = False
        self._unstopped = self._unborn

    def fail(self, error: GatewayError) -> bool:
        """End what is under way because of an error; False when nothing is, so that it is not at fault."""
        plan, self._asked = self._asked, None
        self._talk.rest("answer")
        if plan is None and self.answer is None:
            return False
        self._talk.refuse(error, event_id=plan.event_id if plan is not None else None)
        if plan is not None and self.answer is None:
            self.answer = plan.answer or self._begin(plan)
        self._close("failed", error=error)
        return True

    def miscarry(self) -> bool:
        """Take it that GLM cannot begin what it was to stop; False when there is no such response."""
        unborn = self._unborn and self._stopping
        if unborn:
            self.stopped()
        return unborn

    def abandon(self) -> None:
        """Give up what is under way at a GLM that is gone; what had not begun there is asked for again."""
        self.stopped()
        self._talk.rest("answer")
        if self.answer is not None:
            lost = UpstreamUnavailable("The connection to GLM was lost while it responded. Ask again.")
            self._close("failed", error=lost)
        elif self._asked is not None:
            self._waiting, self._asked = self._asked, None
        self._ended.clear()
        self._announced.clear()

    def call(self, glm_id: str | None, name: str, arguments: str) -> None:
        """Take a call of a function."""
        if answer := self.find(glm_id):
            self._calls.expect(answer.add_call(name, arguments), name)

    def interrupt(self) -> None:
        """Take it that the user speaks, for which GLM ends what it says if it is to; it may not tell that."""
        turns = self._talk.config.turn_detection
        if self.answer is not None and turns is not None:
            self.answer.interrupted = turns.interrupt_response is not False

    def hurry(self) -> None:
        """Wait no longer for outputs that are missing."""
        if self._waiting is not None:
            self._waiting.hurried = True

    def time_out(self) -> None:
        """Give up a response of which GLM says nothing more, and have GLM do so."""
        unborn = self._asked is not None
        if self.answer is not None and self.answer.interrupted:
            self._close(*self._ending("cancelled"))
        elif self.fail(
            UpstreamTimeout(f"GLM said nothing of the response for {PATIENCE_SECONDS:g} s. Ask again.")
        ):
            self._talk.ask(ResponseCancel())
            self._unborn = unborn
            self._wait_for_stop()

    # --- Within -------------------------------------------------------------------------------------

    def _begin(self, plan: Plan) -> Answer:
        answer = Answer(self._talk, plan.config or self._talk.config, metadata=plan.metadata)
        answer.begin()
        return answer

    def _close(
        self,
        status: ResponseState,
        reason: str | None = None,
        *,
        error: GatewayError | None = None,
        usage: glm.Usage | None = None,
    ) -> None:
        answer, self.answer = self.answer, None
        if answer is None:
            return
        self._talk.rest("answer")
        answer.close(status, reason=reason, error=error, usage=usage_of(usage))
        self._calls.settle()
        self._forget(answer.glm_id)
        self._setup.restore()

    def _ending(self, status: ResponseState) -> tuple[ResponseState, str | None]:
        """Return how a response ended that GLM says has ended so: one that the client stops has ended before."""
        return status, "turn_detected" if status == "cancelled" else None

    def _is_owed(self) -> bool:
        """Whether GLM has a turn to respond to by itself, so that what names no response is of that one."""
        turns, history = self._talk.config.turn_detection, self._talk.history
        if turns is None or not self._setup.hears_turns or self._stopping or self.answer is not None:
            return False
        return history.ends_with("input_audio")

    def _lacks_outputs(self, plan: Plan) -> bool:
        """Whether GLM, which takes outputs in the order of its calls, would be asked before it has them all."""
        if plan.hurried or not self._calls.incomplete:
            self._talk.rest("outputs")
            return False
        if "outputs" not in self._talk.alarms:
            self._talk.wake("outputs", after_seconds=OUTPUTS_PATIENCE_SECONDS)
        return True

    def _unwanted(self) -> bool:
        """Whether GLM responds to a turn although it was told not to."""
        turns = self._talk.config.turn_detection
        asked = self._asked is not None
        return not asked and turns is not None and turns.create_response is False

    def _is_late(self) -> bool:
        """Whether what GLM begins is what it was to stop before, and not the response to a turn since."""
        return self._unborn and (self._stopping or not self._is_owed())

    def _wait_for_stop(self) -> None:
        self._stopping = True
        self._talk.rest("answer")
        self._talk.wake("stop", after_seconds=STOP_PATIENCE_SECONDS)

    def _forget(self, glm_id: str | None) -> None:
        if glm_id is not None and glm_id not in self._ended:
            self._ended.append(glm_id)

    def _try_as_instructions(self, answer: Answer) -> bool:
        """Ask again with what was typed within the instructions, if GLM seems not to have read it."""
        setup, history = self._setup, self._talk.history
        if setup.folds or not history.ends_with("input_text"):
            return False
        setup.folds = True
        self._forget(answer.glm_id)
        answer.glm_id = self.answer = None
        self._waiting = Plan(config=answer.config, answer=answer)
        return True

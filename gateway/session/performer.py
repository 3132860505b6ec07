"""What a translator wants done is done here: both ends are told, errands are run, sessions are ended."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing

from gateway.errors import GatewayError
from gateway.record import SessionFacts
from gateway.session.ends import ClientSocket, EndedError
from gateway.session.errands import Errands
from gateway.session.line import Line
from gateway.session.watch import Watch
from gateway.translate.realtime import Close, Effect, Errand, Forget, Refused, ToClient, ToGlm
from gateway.translate.realtime.effects import Ended
from gateway.translate.realtime.interpreter import Interpreter


class Performer:
    """
    Does for one session, whose tasks are ``tasks``, what its translator wants.

    ``turn`` is held by whoever performs; what is done at once is done while nobody holds it.
    """

    def __init__(
        self,
        translator: Interpreter,
        *,
        client: ClientSocket,
        line: Line,
        errands: Errands,
        watch: Watch,
        facts: SessionFacts,
        clock: Callable[[], float],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.turn = asyncio.Lock()
        self._translator = translator
        self._client = client
        self._line = line
        self._errands = errands
        self._watch = watch
        self._facts = facts
        self._clock = clock
        self._tasks = tasks
        self._room = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @property
    def is_ready(self) -> bool:
        """Whether ``perform_at_once`` may be called: nobody else performs, and no end has to be waited for."""
        return not self.turn.locked() and self._client.is_ready and self._line.is_ready

    def perform_at_once(self, effects: Iterable[Effect]) -> None:
        """Do it all, in this order, without waiting; raise EndedError."""
        for effect in effects:
            self._do(effect)
        self._settle()

    async def perform(self, effects: Iterable[Effect]) -> None:
        """
        Do it all, in this order; raise EndedError. Who does not take what it is sent holds up everything.

        Raises GatewayError when GLM refuses a call that has not begun, and no other account can take it.
        """
        for effect in effects:
            if isinstance(effect, ToClient) and not self._client.is_ready:
                await self._tell_client(effect)
            elif isinstance(effect, ToGlm) and not self._line.is_ready:
                await self._tell_glm(effect)
            elif isinstance(effect, Refused):
                await self._learn(effect.error)
            else:
                self._do(effect)
        self._settle()

    async def wait_for_room(self) -> None:
        """Wait until the translator can take more from the client."""
        while self._translator.full:
            self._room.clear()
            await self._room.wait()

    def _settle(self) -> None:
        self._watch.remind(self._translator.due)
        if not self._translator.full:
            self._room.set()

    def _do(self, effect: Effect) -> None:
        if isinstance(effect, ToClient):
            self._note_told(effect)
            self._client.put(effect.data)
        elif isinstance(effect, ToGlm):
            self._facts.events["to_glm", effect.name] += 1
            self._line.put(effect.data)
        else:
            self._carry_out(effect)

    async def _tell_client(self, effect: ToClient) -> None:
        self._note_told(effect)
        self._watch.client_sent_from = self._clock()
        await self._client.send(effect.data)
        self._watch.client_sent_from = None

    async def _tell_glm(self, effect: ToGlm) -> None:
        self._facts.events["to_glm", effect.name] += 1
        self._watch.glm_sent_from = self._clock()
        await self._line.send(effect.data)
        self._watch.glm_sent_from = None

    def _note_told(self, effect: ToClient) -> None:
        self._facts.events["to_client", effect.name] += 1
        if (seconds := self._watch.waited_for(effect.name)) is not None:
            self._facts.first_audio_seconds.append(seconds)

    async def _learn(self, error: GatewayError) -> None:
        """Learn what GLM says of the account; a call that has not begun goes to another where one serves."""
        if self._line.learn(error) and not self._translator.resumable:
            await self._line.move(error)
            await self.perform(self._translator.resume(now=self._clock()))
        else:
            await self.perform(self._translator.refused(error, now=self._clock()))

    def _carry_out(self, effect: Close | Errand | Forget | Refused) -> None:
        match effect:
            case Refused(error):
                self._line.learn(error)
                self.perform_at_once(self._translator.refused(error, now=self._clock()))
            case Close(code, reason):
                raise EndedError(code, reason)
            case Errand(errand_id):
                self._under_way[errand_id] = self._tasks.create_task(self._go(effect))
            case Forget(errand_id):
                task = self._under_way.pop(errand_id, None)
                if task is not None and task is not asyncio.current_task():
                    task.cancel()

    async def _go(self, errand: Errand) -> None:
        async with aclosing(self._errands.run(errand.what)) as comes:
            async for brought in comes:
                async with self.turn:
                    if errand.id not in self._under_way:
                        return
                    if isinstance(brought, Ended):
                        del self._under_way[errand.id]
                    await self.perform(self._translator.bring(errand.id, brought, now=self._clock()))

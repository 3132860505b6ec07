"""How many tokens a request holds, counted by Zhipu, as a job."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import UNSET

from gateway.catalog import Model
from gateway.errors import GatewayError, UpstreamProtocolError
from gateway.glm import chat, tokenizer
from gateway.openai.responses.answers import InputTokens
from gateway.translate.answers import reader_of
from gateway.translate.endpoint import JSON, Call, Recalled
from gateway.translate.responses.understanding import Understood

encode = msgspec.json.Encoder().encode
read_answer = reader_of(tokenizer.TokenizerAnswer)


class CountJob:
    """
    One count, by one call.

    What Zhipu's tokenizer has no field for is counted as text: calls of tools with the words of the model, their
    results as a user's. Thoughts count while GLM does not drop them, as it does with the next question unless
    ``clear_thinking`` is false. Hosted tools are not counted.
    """

    at_once = None
    media_type = JSON

    def __init__(self, understood: Understood, *, model: Model) -> None:
        self.ignored = understood.ignored
        self.recalled: Recalled | None = None
        self.usage: chat.Usage | None = None
        self.leave: Mapping[str, str] = {}
        self.calls: Sequence[Call] = [Call(encode(request_of(understood.chat.asked, model=model)))]
        self._origin = understood.rewritten.origin
        self._tokens = 0

    def receive(self, index: int, body: bytes) -> None:
        """Take the count; raise the error that it carries, or UpstreamProtocolError: both GLM's fault."""
        del index
        usage = read_answer(body).usage or tokenizer.TokenizerUsage()
        tokens = usage.total_tokens or usage.prompt_tokens
        if tokens is None:
            raise UpstreamProtocolError("Zhipu's tokenizer answered without a count. Ask again.")
        self._tokens = tokens

    def explain(self, index: int, error: GatewayError) -> GatewayError:
        """Return what the caller is told when the call fails: about its own fields, not chat's."""
        del index
        return self._origin.blame(error)

    def result(self) -> bytes:
        """Return the count, once it has been received."""
        return encode(InputTokens(input_tokens=self._tokens))


def request_of(asked: chat.ChatRequest, *, model: Model) -> tokenizer.TokenizerRequest:
    """Return the question how many tokens a chat would have."""
    functions = [] if asked.tools is UNSET else [one for one in asked.tools if isinstance(one, chat.FunctionTool)]
    forgets = asked.thinking is UNSET or asked.thinking.clear_thinking is not False
    newest = (
        max((at for at, one in enumerate(asked.messages) if one.role == "user"), default=-1) if forgets else -1
    )
    messages = [counted(one, thoughts=at > newest) for at, one in enumerate(asked.messages)]
    return tokenizer.TokenizerRequest(model=tokenizer_of(model), messages=messages, tools=functions or UNSET)


def tokenizer_of(model: Model) -> str:
    """Return the name by which the tokenizer knows a model, or else the nearest model that it knows."""
    if model.id in tokenizer.MODELS:
        return model.id
    return tokenizer.VISION_MODEL if "image" in model.inputs else tokenizer.TEXT_MODEL


def counted(message: chat.Message, *, thoughts: bool) -> tokenizer.CountedMessage:
    """Return a message as the tokenizer takes it; ``thoughts`` says whether GLM still thinks of its own."""
    match message:
        case chat.Message(role="assistant"):
            words = "\n".join(words_of(message, thoughts=thoughts))
            return tokenizer.CountedMessage(role="assistant", content=words)
        case chat.Message(role="system", content=content):
            return tokenizer.CountedMessage(role="system", content=content or "")
        case chat.Message(content=content):
            return tokenizer.CountedMessage(role="user", content=content or "")


def words_of(message: chat.Message, *, thoughts: bool) -> Iterator[str]:
    """Yield all that the model said in one turn, its calls at the end."""
    if thoughts and message.reasoning_content:
        yield message.reasoning_content
    if message.content and isinstance(message.content, str):
        yield message.content
    for call in message.tool_calls or ():
        yield f"{call.function.name} {call.function.arguments}"

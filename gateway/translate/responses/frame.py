"""The response object around its output: how it was asked for, and how far it is."""

from collections.abc import Sequence

from gateway.errors import CapacityError, ClientError, GatewayError
from gateway.openai.chat import answers as chat
from gateway.openai.responses import answers, content, items
from gateway.openai.responses.requests import CreateResponse
from gateway.translate.endpoint import Context

SUMMARY_WORD = "detailed"


class Frame:
    """What all states of one response have in common."""

    def __init__(self, request: CreateResponse, context: Context) -> None:
        self.id = f"resp_{context.id}"
        self._request = request
        self._context = context

    def response(
        self,
        status: answers.ResponseStatus,
        output: Sequence[items.OutputItem] = (),
        *,
        usage: answers.ResponseUsage | None = None,
        reason: chat.FinishReason | None = None,
        error: GatewayError | None = None,
    ) -> answers.Response:
        """Return the response in this state; ``reason`` is why an incomplete one stops."""
        request, traits = self._request, self._context.model.chat_traits
        reasoning = request.reasoning
        return answers.Response(
            id=self.id,
            created_at=self._context.created,
            model=self._context.model.id,
            status=status,
            output=list(output),
            tools=request.tools or [],
            tool_choice=request.tool_choice or "auto",
            parallel_tool_calls=request.parallel_tool_calls is not False,
            text=text_of(request.text),
            reasoning=answers.EchoedReasoning(
                effort=reasoning.effort if reasoning is not None else None,
                summary=SUMMARY_WORD if is_summarised(request) else None,
            ),
            metadata=request.metadata or {},
            store=request.store is not False,
            truncation=request.truncation or "disabled",
            background=bool(request.background),
            error=error_of(error) if error is not None else None,
            incomplete_details=incomplete(reason) if status == "incomplete" else None,
            instructions=request.instructions,
            max_output_tokens=request.max_output_tokens,
            max_tool_calls=request.max_tool_calls,
            previous_response_id=request.previous_response_id,
            prompt_cache_key=request.prompt_cache_key,
            safety_identifier=request.safety_identifier,
            temperature=request.temperature if request.temperature is not None else traits.default_temperature,
            top_p=request.top_p if request.top_p is not None else traits.default_top_p,
            usage=usage,
            user=request.user,
        )


def is_summarised(request: CreateResponse) -> bool:
    """Tell whether reasoning is to be told as a summary."""
    reasoning = request.reasoning
    return reasoning is not None and (reasoning.summary or reasoning.generate_summary) is not None


def text_of(asked: content.TextConfig | None) -> content.EchoedText:
    asked = asked or content.TextConfig()
    return content.EchoedText(format=asked.format or content.PlainFormat(), verbosity=asked.verbosity or "medium")


def incomplete(reason: chat.FinishReason | None) -> answers.IncompleteDetails:
    return answers.IncompleteDetails(
        reason="content_filter" if reason == "content_filter" else "max_output_tokens"
    )


def error_of(error: GatewayError) -> answers.ResponseError:
    """Return what failed, in one of the words that OpenAI's types have for it."""
    match error:
        case CapacityError(status=429):
            code = "rate_limit_exceeded"
        case ClientError():
            code = "invalid_prompt"
        case _:
            code = "server_error"
    return answers.ResponseError(code=code, message=error.message)


def usage_of(usage: chat.CompletionUsage) -> answers.ResponseUsage:
    """Return chat's tokens under their names in a response."""
    return answers.ResponseUsage(
        input_tokens=usage.prompt_tokens,
        input_tokens_details=answers.InputTokensDetails(cached_tokens=usage.prompt_tokens_details.cached_tokens),
        output_tokens=usage.completion_tokens,
        output_tokens_details=answers.OutputTokensDetails(
            reasoning_tokens=usage.completion_tokens_details.reasoning_tokens
        ),
        total_tokens=usage.total_tokens,
    )
